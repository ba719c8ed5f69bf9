# The training benchmark's problems in idiomatic PyTorch: a worker of bench/train.js (see there).
#   python3 -m venv VENV && VENV/bin/pip install torch
#   HONE_TORCH_PYTHON=VENV/bin/python npm run bench:train
# Called as `train_torch.py eager|compile PROBLEM FOLDER`.

import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch_worker import serve

torch.set_num_threads(2)
way, kind, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
problem = json.loads((folder / f"{kind}.json").read_text())


def read(file, shapes):
    return {
        name: torch.from_numpy(np.fromfile(file, dtype="<f4", count=math.prod(shape)).reshape(shape))
        for name, shape in shapes
    }


with open(folder / f"{kind}.bin", "rb") as file:
    frozen = read(file, problem["frozen"])
    params = {name: torch.nn.Parameter(tensor) for name, tensor in read(file, problem["params"]).items()}
batch, length, heads = problem["batch"], problem["length"], problem["heads"]
tokens = torch.tensor(problem["data"]["tokens"]).view(batch, length)
targets = torch.tensor(problem["data"]["targets"])


def small_loss(w):
    width = problem["width"]
    x = (F.embedding(tokens, w["tokens"]) + w["places"]).view(-1, width)
    for i in range(problem["layers"]):
        u = F.rms_norm(x, (width,), w[f"{i}.norm1"], 1e-5)
        q, k, v = (u @ w[f"{i}.qkv"]).view(batch, length, 3, heads, -1).permute(2, 0, 3, 1, 4)
        read = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + read.transpose(1, 2).reshape(-1, width) @ w[f"{i}.proj"]
        u = F.rms_norm(x, (width,), w[f"{i}.norm2"], 1e-5)
        x = x + F.silu(u @ w[f"{i}.up"]) @ w[f"{i}.down"]
    return F.cross_entropy(F.rms_norm(x, (width,), w["out_norm"], 1e-5) @ w["out"], targets)


def rotary():
    """Rotary angles in llama.cpp's order, pairs side by side: cos and sin [T, headWidth / 2]."""
    n = problem["headWidth"]
    rates = problem["rope"]["base"] ** (-torch.arange(0, n, 2, dtype=torch.float64) / n)
    angles = torch.outer(torch.arange(length, dtype=torch.float64), rates)
    return angles.cos().float(), angles.sin().float()


def turn(x, cos, sin):
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)


def lora_loss(trained, cos, sin):
    width, kv, n, eps = problem["width"], problem["kvHeads"], problem["headWidth"], problem["normEps"]
    scale = problem["alpha"] / problem["rank"]

    def linear(x, name):
        a, b = trained[f"{name}.lora_a"], trained[f"{name}.lora_b"]
        return F.linear(x, frozen[name]) + F.linear(F.linear(x, a) * scale, b)

    def split(y, count):
        return y.view(batch, length, count, n).transpose(1, 2)

    x = F.embedding(tokens, frozen["token_embd.weight"]).view(-1, width)
    for i in range(problem["layers"]):
        blk = f"blk.{i}."
        u = F.rms_norm(x, (width,), frozen[blk + "attn_norm.weight"], eps)
        q = turn(split(linear(u, blk + "attn_q.weight"), heads), cos, sin)
        k = turn(split(linear(u, blk + "attn_k.weight"), kv), cos, sin)
        v = split(linear(u, blk + "attn_v.weight"), kv)
        read = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        x = x + linear(read.transpose(1, 2).reshape(-1, heads * n), blk + "attn_output.weight")
        u = F.rms_norm(x, (width,), frozen[blk + "ffn_norm.weight"], eps)
        gate = F.silu(linear(u, blk + "ffn_gate.weight")) * linear(u, blk + "ffn_up.weight")
        x = x + linear(gate, blk + "ffn_down.weight")
    last = x.view(batch, length, width)[:, -1]
    states = F.rms_norm(last, (width,), frozen["output_norm.weight"], eps)
    return F.cross_entropy(F.linear(states, frozen["token_embd.weight"]), targets)


rope = rotary() if kind == "lora" else ()
loss_of = small_loss if kind == "small" else lora_loss
if way == "compile":
    loss_of = torch.compile(loss_of)
options = problem["optimizer"]
adamw = torch.optim.AdamW(
    params.values(), lr=problem["learningRate"], weight_decay=options["weightDecay"], fused=True
)


def step():
    adamw.zero_grad(set_to_none=True)
    loss = loss_of(params, *rope)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(params.values(), options["clipNorm"])
    adamw.step()
    return loss.item()


serve(step)
