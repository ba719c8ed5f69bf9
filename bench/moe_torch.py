# The nets of bench/moe.js in PyTorch on the same cores, with a grouped loop over experts: a worker of bench/moe.js.
# Called as `moe_torch.py eager|compile NET BATCH`.

import sys

import torch
from torch import nn
from torch.nn import functional as F
from torch_worker import serve

way, name, batch = sys.argv[1], sys.argv[2], int(sys.argv[3])
length, width, layers, heads, hidden, vocab = 128, 256, 4, 4, 512, 512
torch.manual_seed(1)


class Dense(nn.Module):
    def __init__(self, neurons):
        super().__init__()
        self.gate, self.up = (nn.Linear(width, neurons, bias=False) for _ in range(2))
        self.down = nn.Linear(neurons, width, bias=False)

    def forward(self, x):
        return self.down(F.silu(self.gate(x)) * self.up(x))


class Mixture(nn.Module):
    def __init__(self, routed, chosen, neurons, shared):
        super().__init__()
        self.chosen, self.router = chosen, nn.Linear(width, routed, bias=False)
        self.experts = nn.ModuleList(Dense(neurons) for _ in range(routed))
        self.shared = Dense(shared * neurons) if shared else None

    def forward(self, x):
        flat = x.reshape(-1, width)
        gates, ids = self.router(flat).softmax(-1).topk(self.chosen, -1)
        order = ids.reshape(-1).argsort(stable=True)
        counts = torch.bincount(ids.reshape(-1), minlength=len(self.experts)).tolist()
        rows = flat[order // self.chosen]
        parts = [expert(part) for expert, part in zip(self.experts, rows.split(counts)) if len(part)]
        weighted = torch.cat(parts) * gates.reshape(-1)[order, None]
        y = torch.zeros_like(flat).index_add(0, order // self.chosen, weighted).reshape(x.shape)
        return y + self.shared(x) if self.shared else y


class Layer(nn.Module):
    def __init__(self, feed):
        super().__init__()
        self.n1, self.n2 = nn.RMSNorm(width), nn.RMSNorm(width)
        self.qkv, self.out, self.feed = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False), feed

    def forward(self, x):
        b, t, _ = x.shape
        q, k, v = (y.reshape(b, t, heads, -1).transpose(1, 2) for y in self.qkv(self.n1(x)).chunk(3, -1))
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(seen.transpose(1, 2).reshape(b, t, width))
        return x + self.feed(self.n2(x))


kinds = {
    "dense x2": lambda: Dense(2 * hidden),
    "16 experts top 2": lambda: Mixture(16, 2, hidden, 0),
    "32 experts top 2": lambda: Mixture(32, 2, hidden, 0),
    "64 experts top 2": lambda: Mixture(64, 2, hidden, 0),
    "deepseekmoe 1+63 top 7": lambda: Mixture(63, 7, hidden // 4, 1),
}
net = nn.Sequential(
    nn.Embedding(vocab, width),
    *(Layer(kinds[name]()) for _ in range(layers)),
    nn.RMSNorm(width),
    nn.Linear(width, vocab, bias=False),
)
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.1, fused=True)
ids = torch.tensor([(i * 7919 + (i >> 3)) % 509 for i in range(batch * length)]).reshape(batch, length)
targets = (ids * 31 + 7) % 509


def loss_of(ids, targets):
    return F.cross_entropy(net(ids).reshape(-1, vocab), targets.reshape(-1))


if way == "compile":
    loss_of = torch.compile(loss_of)


def step():
    optimizer.zero_grad(set_to_none=True)
    loss = loss_of(ids, targets)
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    return loss.item()


serve(step)
