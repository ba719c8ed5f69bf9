# The arm and its controllers in idiomatic PyTorch: a worker of bench/motor.js (see there).
#   HONE_TORCH_PYTHON=VENV/bin/python npm run bench:motor
# Called as `motor_torch.py THREADS FOLDER NAME`, with NAME.json (what to train) and NAME.bin (parameters, then trials); a line with
# a number on stdin requests that many updates, and a line of JSON answers with their times.

import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch

torch.set_num_threads(int(sys.argv[1]))
folder, name = Path(sys.argv[2]), sys.argv[3]
problem = json.loads((folder / f"{name}.json").read_text())
S, B, H, U = problem["seeds"], problem["trials"], problem["hemispheres"], problem["units"]
DT = 0.01

with open(folder / f"{name}.bin", "rb") as file:
    def read(shapes):
        return {
            key: torch.from_numpy(np.fromfile(file, dtype="<f4", count=math.prod(dims)).reshape(dims))
            for key, dims in shapes
        }
    params = {key: torch.nn.Parameter(x) for key, x in read(problem["params"]).items()}
    given = read(problem["inputs"])
# [rows, S * B] to [S, B, rows]
joints, target = (given[key].view(2, S, B).permute(1, 2, 0).contiguous() for key in ("joints", "target"))

col = lambda *x: torch.tensor(x)
FMAX = col(838.0, 1207.0, 1422.0, 1549.0, 414.0, 603.0)
TENDON = col(0.039, 0.066, 0.172, 0.187, 0.204, 0.217)
L0 = col(0.134, 0.140, 0.092, 0.093, 0.137, 0.127)
A0 = col(0.151, 0.2322, 0.2859, 0.2355, 0.3329, 0.2989)
A1 = torch.tensor([[-0.03, 0.03, 0, 0, -0.03, 0.03], [0, 0, -0.014, 0.025, -0.016, 0.03]])
A2 = torch.tensor([[0.0] * 6, [0, 0, -4e-3, -2.2e-3, -5.7e-3, -3.2e-3]])
A3 = col(math.pi / 2, 0.0)
LOW, HIGH = col(0.0, 0.0), col(math.radians(135), math.radians(155))
M1, M2, G1, G2, I1, I2, L1, L2 = 1.82, 1.43, 0.135, 0.165, 0.051, 0.057, 0.309, 0.333


def geometry(q, v):
    p = (q - A3).unsqueeze(-1)
    length = A0 + ((A1 + A2 * p) * p).sum(-2)
    moment = A1 + 2 * A2 * p
    return length, (v.unsqueeze(-1) * moment).sum(-2), moment


def hill(q, v, a):
    length, velocity, _ = geometry(q, v)
    l = torch.clamp(length - TENDON, min=0) / L0
    v = velocity / (10 * L0)
    flpe = torch.clamp(l - 1, min=0) ** 2 / 0.66**2
    flce = torch.clamp(1 + (-(l**2) + 2 * l - 1) / 0.66**2, min=0.01)
    a_rel = torch.where(l > 1, 0.41 * flce, 0.41)
    b_rel = torch.where(a < 0.3, 5.2 * (1 - 0.9 * (a - 0.3) / (0.005 - 0.3)) ** 2, 5.2)
    f = flce * a
    h = 0.001 - 2 * a * (flce + a_rel) / b_rel
    p1, p2, p3 = -0.5 * f / h, (0.5 * f) ** 2 / h, -1.5 * f
    slow = v < 0
    num = torch.where(slow, v * a * a_rel + f * b_rel, -p1 * p3 + p1 * 0.001 * v + p2 - p3 * v + 0.001 * v * v)
    den = torch.where(slow, b_rel - v, p1 + v)
    active = torch.clamp(num / den, min=0)
    return torch.cat((l, v), -1), (active + flpe) * FMAX


def hand_of(q):
    a, b = q[..., 0], q[..., 0] + q[..., 1]
    return torch.stack((L1 * a.cos() + L2 * b.cos(), L1 * a.sin() + L2 * b.sin()), -1)


def step(q, v, a, force, u):
    u = torch.clamp(u, 0.001, 1)
    pace = 0.5 + 1.5 * a
    tau = torch.where(u > a, 0.015 * pace, 0.05 / pace)
    a = torch.clamp(a + (u - a) / tau * DT, 0.001, 1)
    _, _, moment = geometry(q, v)
    torque = -(force.unsqueeze(-2) * moment).sum(-1)
    c, s = q[..., 1].cos(), q[..., 1].sin()
    k = M2 * L1 * G2
    b = M2 * G2**2 + I2
    m11 = M1 * G1**2 + I1 + M2 * L1**2 + b + 2 * k * c
    m12 = b + k * c
    r1 = torque[..., 0] + k * s * (2 * v[..., 0] + v[..., 1]) * v[..., 1]
    r2 = torque[..., 1] - k * s * v[..., 0] ** 2
    det = m11 * b - m12 * m12
    acc = torch.stack(((b * r1 - m12 * r2) / det, (m11 * r2 - m12 * r1) / det), -1)
    senses, force = hill(q, v, a)
    q2, v2 = q + v * DT, torch.clamp(v + acc * DT, -1000, 1000)
    v2 = torch.where((q2 <= LOW) & (v2 < 0) | (q2 >= HIGH) & (v2 > 0), 0.0, v2)
    return torch.clamp(q2, min=LOW, max=HIGH), v2, a, force, senses


def control(x):
    """[S, B, 16] to excitations and the hidden states [S, H, B, U]."""
    w0, w1 = params["hidden0.kernel"], params["hidden1.kernel"]
    h0 = torch.tanh(torch.matmul(x.unsqueeze(1), w0.transpose(-1, -2)) + params["hidden0.bias"].unsqueeze(2))
    y = h0
    if problem["callosum"] == "pooled":
        pooled = torch.max(h0[..., 0::2], h0[..., 1::2]).flip(1)
        y = h0 + torch.nn.functional.pad(pooled, (U - U // 2, 0))
    h1 = torch.tanh(torch.matmul(y, w1.transpose(-1, -2)) + params["hidden1.bias"].unsqueeze(2))
    z = (h1 * params["mix"].view(S, H, 1, 1)).sum(1) if H == 2 else h1[:, 0]
    out = torch.matmul(z, params["output.kernel"].transpose(-1, -2)) + params["output.bias"].unsqueeze(1)
    return torch.sigmoid(out), (h0, h1)


def losses():
    """Both losses of each seed, [S]."""
    q, v = joints, torch.zeros_like(joints)
    a = torch.full((S, B, 6), 0.001)
    senses, force = hill(q, v, a)
    hands, drives, hidden = [], [], ([], [])
    for _ in range(problem["steps"]):
        u, layers = control(torch.cat((senses, hand_of(q), target), -1))
        q, v, a, force, senses = step(q, v, a, force, u)
        hands.append(hand_of(q))
        drives.append(u)
        for kept, layer in zip(hidden, layers):
            kept.append(layer)
    error = torch.stack(hands) - target
    drive = torch.stack(drives)
    terms = {
        "position": error.abs().mean((0, 2, 3)),
        "square": 10 * (error**2).mean((0, 2, 3)),
        "excitation": (drive**2).mean((0, 2, 3)),
        "activity": 0,
    }
    for layer in hidden:
        x = torch.stack(layer)
        terms["activity"] = terms["activity"] + H * (
            (x**2).mean((0, 2, 3, 4)) + 0.05 * ((x[1:] - x[:-1]) ** 2).mean((0, 2, 3, 4)) / DT**2
        )
    return [sum(weights[key] * terms[key] for key in terms) for weights in problem["losses"]]


def clip():
    for key, p in params.items():
        axes = tuple(range(1 if key.startswith("output.") else 2, p.dim()))
        norm = (p.grad**2).sum(axes, keepdim=True).sqrt() if axes else p.grad.abs()
        p.grad.mul_(torch.clamp(1 / (norm + 1e-10), max=1))


adam = torch.optim.Adam(params.values(), lr=problem["learningRate"], eps=1e-7)


def update():
    found = losses()
    if len(found) == 1:
        adam.zero_grad(set_to_none=True)
        found[0].sum().backward()
    else:
        both = [torch.autograd.grad(loss.sum(), list(params.values()), retain_graph=i == 0) for i, loss in enumerate(found)]
        for (key, p), g0, g1 in zip(params.items(), *both):
            if key == "mix" or key.startswith("output."):
                p.grad = (g0 + g1) / 2
            else:
                p.grad = torch.cat((g0[:, :1], g1[:, 1:]), 1)
    clip()
    adam.step()
    with torch.no_grad():
        if "mix" in params:
            params["mix"].clamp_(min=0)
    return sum(loss.sum().item() for loss in found)


for line in sys.stdin:
    made = []
    for _ in range(int(line)):
        start = time.perf_counter()
        loss = update()
        made.append({"ms": (time.perf_counter() - start) * 1000, "loss": loss})
    print(json.dumps({"updates": made, "version": torch.__version__}), flush=True)
