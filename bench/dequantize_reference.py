# Reference values for src/tensor/{half,dequantize}.ts, from llama.cpp's own Python package. Not part of the product; run
# by hand:
#   python3 -m venv VENV && VENV/bin/pip install gguf && VENV/bin/python bench/dequantize_reference.py [MODEL.gguf ...]
# Without arguments it writes test/tensor/fixtures/dequantize.json: random blocks of every type and their weights, and
# float32 bit patterns with their 16-bit forms. With model files it prints a SHA-256 of each tensor's float32 weights,
# to be compared with `node bench/dequantize.js --hash MODEL.gguf`.

import base64
import hashlib
import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader
from gguf.constants import GGML_QUANT_SIZES
from gguf.quants import dequantize, quantize

TYPES = ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"]


def weights(data, kind):
    with np.errstate(all="ignore"):
        return np.ascontiguousarray(dequantize(data, kind).astype(np.float32))


def hashes(path):
    for tensor in GGUFReader(path).tensors:
        values = weights(tensor.data, tensor.tensor_type)
        print(hashlib.sha256(values.tobytes()).hexdigest(), tensor.name, tensor.tensor_type.name, list(values.shape))


def text(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def fixture():
    draw = np.random.default_rng(20261123)
    blocks = {}
    for name in TYPES:
        kind = GGMLQuantizationType[name]
        count, size = GGML_QUANT_SIZES[kind]
        # Random bytes: scales are of any size and sign, some infinite or NaN.
        data = draw.integers(0, 256, (max(6, 64 // count), size), dtype=np.uint8)
        values = weights(data.reshape(1, -1) if count == 1 else data, kind)
        blocks[name] = {"bytes": text(data), "weights": text(values)}
    # Bit patterns of all sizes, values halfway between two halves, and the edge cases.
    bits = draw.integers(0, 2**32, 512, dtype=np.uint32)
    halves = draw.integers(0, 0x7C00, 512, dtype=np.uint16)
    between = (halves.view(np.float16).astype(np.float64) + (halves + 1).astype(np.uint16).view(np.float16)) / 2
    edges = np.array([0.0, -0.0, 65504, 65519.996, 65520, -65520, 2.0**-24, 2.0**-25, 2.0**-25 * 1.0001, 1e-40, 3.4e38])
    values = np.concatenate([bits.view(np.float32), between.astype(np.float32), edges.astype(np.float32)])
    with np.errstate(all="ignore"):
        as_half = values.astype(np.float16)
    as_bfloat = quantize(values.reshape(1, -1), GGMLQuantizationType.BF16)
    return {
        "made_by": f"gguf {version('gguf')}, numpy {np.__version__}",
        "blocks": blocks,
        "floats": {"float32": text(values), "half": text(as_half), "bfloat": text(as_bfloat)},
    }


if len(sys.argv) > 1:
    for path in sys.argv[1:]:
        hashes(path)
else:
    target = Path(__file__).parent.parent / "test/tensor/fixtures/dequantize.json"
    target.write_text(json.dumps(fixture(), indent=1) + "\n")
