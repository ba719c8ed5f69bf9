# Generates the golden file of test/nets/deepseek.test.ts: a tiny net with the configuration and tensor names of
# DeepSeekMoE-16B, computed by transformers' own parts (Llama's attention and norms, DeepSeek-V2's mixture). Weights follow a
# formula that the test has too.
# usage: python bench/deepseek_reference.py > test/nets/fixtures/deepseek-16b-tiny.json
import json
import math
import sys

import torch
import transformers
from transformers import DeepseekV2Config, LlamaConfig, LlamaForCausalLM
from transformers.models.deepseek_v2.modeling_deepseek_v2 import DeepseekV2Moe

config = {
    "model_type": "deepseek", "hidden_act": "silu", "hidden_size": 24, "intermediate_size": 40,
    "moe_intermediate_size": 10, "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 4,
    "n_routed_experts": 8, "n_shared_experts": 2, "num_experts_per_tok": 3, "first_k_dense_replace": 1,
    "moe_layer_freq": 1, "norm_topk_prob": False, "scoring_func": "softmax", "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0, "rope_scaling": None, "vocab_size": 50, "max_position_embeddings": 32,
    "tie_word_embeddings": False, "attention_bias": False,
}


def drawn(name, shape):
    """Values in [-1, 1] by name and index, times 1 / sqrt(inputs); gains near 1."""
    seed = sum((i + 1) * ord(c) for i, c in enumerate(name)) % 1000
    size = math.prod(shape)
    values = torch.tensor([math.sin(seed + 1.618 * i + 0.001 * (i % 97) ** 2) for i in range(size)], dtype=torch.float64)
    values = 1 + 0.1 * values if len(shape) == 1 else values * (1.7 / math.sqrt(shape[-1]))
    return values.float().reshape(shape)


llama = LlamaForCausalLM(LlamaConfig(
    hidden_size=24, intermediate_size=40, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=4,
    vocab_size=50, rms_norm_eps=1e-6, max_position_embeddings=32, tie_word_embeddings=False,
))
mixture = DeepseekV2Config(
    hidden_size=24, num_attention_heads=4, num_key_value_heads=4, moe_intermediate_size=10, n_routed_experts=8, n_shared_experts=2, num_experts_per_tok=3,
    norm_topk_prob=False, topk_method="greedy", routed_scaling_factor=1.0, n_group=1, topk_group=1,
)
for layer in llama.model.layers[1:]:
    layer.mlp = DeepseekV2Moe(mixture)
with torch.no_grad():
    for name, parameter in llama.named_parameters():
        if name.endswith("mlp.experts.gate_up_proj"):
            for e in range(8):
                base = name.replace("gate_up_proj", str(e))
                parameter[e, :10] = drawn(f"{base}.gate_proj.weight", (10, 24))
                parameter[e, 10:] = drawn(f"{base}.up_proj.weight", (10, 24))
        elif name.endswith("mlp.experts.down_proj"):
            for e in range(8):
                parameter[e] = drawn(f"{name.replace('down_proj', str(e))}.down_proj.weight", (24, 10))
        else:
            parameter.copy_(drawn(name, tuple(parameter.shape)))
    tokens = [(7 * i + 3) % 50 for i in range(12)]
    logits = llama.eval()(torch.tensor([tokens])).logits[0]
json.dump({
    "made": f"transformers {transformers.__version__}, torch {torch.__version__}", "config": config, "tokens": tokens,
    "logits": [[round(x, 5) for x in row] for row in logits.tolist()],
}, sys.stdout)
