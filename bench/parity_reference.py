# The models that Hone serves, in transformers, with the weights of their GGUF files dequantized to float32: the reference for
# src/nets and for adapters that Hone writes. Not part of the product; bench/parity_torch.js and bench/peft.js run it.
#   python3 -m venv VENV && VENV/bin/pip install torch transformers peft gguf
#   VENV/bin/python bench/parity_reference.py next MODEL.gguf < PROMPTS.jsonl         next-token log-probabilities
#   VENV/bin/python bench/parity_reference.py hidden MODEL.gguf OUT.npz < PROMPTS.jsonl   every layer's states
# PROMPTS.jsonl has a line {"prompt": [token, ...]} each; `next` answers a line {"top": [...], "logprobs": [...]} each.

import argparse
import json
import os
import sys

# Threads that busy-wait make everything many times slower when other work occupies a core.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import gguf
import numpy as np
import torch
from transformers import Gemma3ForCausalLM, Gemma3TextConfig, LlamaConfig, LlamaForCausalLM

LAYER = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
}
LLAMA = {**LAYER, "ffn_norm": "post_attention_layernorm"}
GEMMA = {
    **LAYER,
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
}
TOP = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}


def rotary_halves(weight: np.ndarray, heads: int) -> np.ndarray:
    """Converts llama.cpp's order of query and key rows (pairs side by side) to that of transformers (first halves, then
    second)."""
    rows = weight.reshape(heads, -1, 2, *weight.shape[1:])
    return np.ascontiguousarray(rows.swapaxes(1, 2)).reshape(weight.shape)


def load_base(path: str):
    """The model of a GGUF file (architectures `llama` and `gemma3`) in float32, for inference. Every tensor must be used."""
    reader = gguf.GGUFReader(path)
    kind = reader.fields["general.architecture"].contents()
    has = lambda key: f"{kind}.{key}" in reader.fields
    value = lambda key: reader.fields[f"{kind}.{key}"].contents()
    tensors = {t.name: gguf.dequantize(t.data, t.tensor_type) for t in reader.tensors}
    heads, kv_heads = value("attention.head_count"), value("attention.head_count_kv")
    shape = {
        "vocab_size": tensors["token_embd.weight"].shape[0],
        "hidden_size": value("embedding_length"),
        "intermediate_size": value("feed_forward_length"),
        "num_hidden_layers": value("block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "max_position_embeddings": value("context_length"),
        "rms_norm_eps": value("attention.layer_norm_rms_epsilon"),
        "tie_word_embeddings": "output.weight" not in tensors,
    }
    full = {"rope_type": "default", "rope_theta": value("rope.freq_base")}
    if kind == "llama":
        config = LlamaConfig(**shape, rope_parameters=full, pad_token_id=None)
        names, build = LLAMA, LlamaForCausalLM
    elif kind == "gemma3":
        local = value("rope.freq_base_swa") if has("rope.freq_base_swa") else 10000.0
        config = Gemma3TextConfig(
            **shape,
            head_dim=value("attention.key_length"),
            query_pre_attn_scalar=value("attention.key_length"),
            sliding_window=value("attention.sliding_window"),
            rope_parameters={
                "full_attention": full,
                "sliding_attention": {"rope_type": "default", "rope_theta": local},
            },
        )
        names, build = GEMMA, Gemma3ForCausalLM
    else:
        raise SystemExit(f"{path}: architecture {kind} has no reference here")
    state = {}
    for name, array in tensors.items():
        stem = name.removesuffix(".weight")
        if stem in TOP:
            target = TOP[stem]
        else:
            _, layer, part = stem.split(".")
            target = f"model.layers.{layer}.{names[part]}"
            if kind == "llama" and part in ("attn_q", "attn_k"):
                array = rotary_halves(array, heads if part == "attn_q" else kv_heads)
        # llama.cpp's files store Gemma's norms with 1 added; transformers adds it in the model.
        if kind == "gemma3" and "norm" in stem:
            array = array - np.float32(1)
        state[f"{target}.weight"] = torch.from_numpy(np.array(array, dtype=np.float32))
    if config.tie_word_embeddings:
        state["lm_head.weight"] = state["model.embed_tokens.weight"]
    model = build._from_config(config, dtype=torch.float32, attn_implementation="eager")
    model.load_state_dict(state, strict=True)
    return model.eval()


def prompts():
    return [json.loads(line)["prompt"] for line in sys.stdin if line.strip()]


@torch.inference_mode()
def next_tokens(model, top: int):
    for tokens in prompts():
        logits = model(torch.tensor([tokens]), logits_to_keep=1).logits[0, -1]
        best = torch.log_softmax(logits, -1).topk(top)
        answer = {"top": best.indices.tolist(), "logprobs": best.values.tolist()}
        print(json.dumps(answer), flush=True)


@torch.inference_mode()
def hidden_states(model, out: str):
    arrays = {}
    for i, tokens in enumerate(prompts()):
        found = {}
        hooks = [
            layer.register_forward_hook(
                lambda _, __, output, n=n: found.__setitem__(n, output[0] if isinstance(output, tuple) else output)
            )
            for n, layer in enumerate(model.model.layers)
        ]
        result = model(torch.tensor([tokens]), output_hidden_states=True)
        for hook in hooks:
            hook.remove()
        arrays[f"p{i}_tokens"] = np.array(tokens, dtype=np.int32)
        arrays[f"p{i}_embeddings"] = result.hidden_states[0][0].numpy()
        for n in range(len(model.model.layers)):
            arrays[f"p{i}_layer{n}"] = found[n].reshape(len(tokens), -1).numpy()
        arrays[f"p{i}_final"] = model.model.norm(found[len(model.model.layers) - 1]).reshape(len(tokens), -1).numpy()
        arrays[f"p{i}_logits_last"] = result.logits[0, -1].numpy()
        arrays[f"p{i}_logprobs_last"] = torch.log_softmax(result.logits[0, -1], -1).numpy()
    np.savez(out, **arrays)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["next", "hidden"])
    parser.add_argument("model")
    parser.add_argument("out", nargs="?")
    parser.add_argument("--top", type=int, default=20)
    args = parser.parse_args()
    torch.set_num_threads(2)
    base = load_base(args.model)
    if args.what == "next":
        next_tokens(base, args.top)
    else:
        hidden_states(base, args.out)
