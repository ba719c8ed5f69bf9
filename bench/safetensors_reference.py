# Reference files for src/tensor/safetensors.ts, from the format's own Python package. Not part of the product; run by hand:
#   python3 -m venv VENV && VENV/bin/pip install safetensors numpy && VENV/bin/python bench/safetensors_reference.py
# Writes test/tensor/fixtures/safetensors.json: files as base64 with the numbers in them. A file that Hone writes from the
# same tensors must have the same bytes. With file names it prints what the package reads from them.

import base64
import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save


def read(path):
    with safe_open(path, framework="numpy") as file:
        print(path, file.metadata())
        for name in sorted(file.keys()):
            tensor = file.get_tensor(name)
            print(f"  {name} {tensor.dtype} {list(tensor.shape)} sum {tensor.astype(np.float64).sum():.9g}")


def entry(tensors, metadata):
    return {
        "file": base64.b64encode(save(tensors, metadata)).decode(),
        "metadata": metadata or {},
        "tensors": {
            name: {"shape": list(t.shape), "numbers": [str(n) for n in t.reshape(-1).astype(t.dtype).tolist()]}
            for name, t in tensors.items()
        },
    }


def fixture():
    draw = np.random.default_rng(20261123)
    floats = {
        "b.weight": draw.standard_normal((3, 5)),
        "a.weight": draw.standard_normal((2, 2, 2)),
        "é \"quoted\"": draw.standard_normal(1),
        "empty": np.zeros((0, 4)),
        "scalar": np.array(2.5),
    }
    mixed = {
        "f32": draw.standard_normal(3).astype(np.float32),
        "f16": draw.standard_normal((2, 3)).astype(np.float16),
        "i32": draw.integers(-(2**31), 2**31, 4, dtype=np.int32),
        "i64": draw.integers(-(2**63), 2**63 - 1, 2, dtype=np.int64),
        "u8": draw.integers(0, 256, 5, dtype=np.uint8),
    }
    return {
        "made_by": f"safetensors {version('safetensors')}",
        "F32": entry({k: v.astype(np.float32) for k, v in floats.items()}, {"format": "pt"}),
        "F16": entry({k: v.astype(np.float16) for k, v in floats.items()}, None),
        "mixed": entry(mixed, {"a": "1"}),
    }


if len(sys.argv) > 1:
    for path in sys.argv[1:]:
        read(path)
else:
    target = Path(__file__).parent.parent / "test/tensor/fixtures/safetensors.json"
    target.write_text(json.dumps(fixture(), indent=1, ensure_ascii=False) + "\n")
