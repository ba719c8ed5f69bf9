"""Prepares lm-evaluation-harness on a server's weights, and compares its results there with transformers. Run by bench/lm-eval.js.

  lm_eval_task.py prepare SOURCE.gguf FOLDER DATA.jsonl COUNT   the same weights as F32 GGUF and for transformers; the task's files
  lm_eval_task.py compare LOGS_A LOGS_B                         accuracies and log-probabilities of two runs, as one JSON line
"""

import glob
import json
import os
import sys


def prepare(source, folder, data, count):
    import gguf
    import numpy as np
    import torch
    from gguf.quants import dequantize
    from transformers import AutoModelForCausalLM, AutoTokenizer

    os.makedirs(folder, exist_ok=True)
    f32 = os.path.join(folder, "f32.gguf")
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(f32, str(reader.fields["general.architecture"].contents()))
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type", "general.quantization_version"):
            continue
        kind = field.types[0]
        sub = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), kind, sub_type=sub)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    for tensor in reader.tensors:
        data_f32 = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        writer.add_tensor(tensor.name, data_f32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    # transformers reads the same file, so the weights are bit-identical.
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file="f32.gguf", dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file="f32.gguf")
    # A model loaded from GGUF counts as quantized and is not saved; its weights are moved to a plain model.
    config = model.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    plain = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    plain.load_state_dict(model.state_dict())
    plain.save_pretrained(folder)
    tokenizer.save_pretrained(folder)

    rows = []
    with open(data, encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            options = row.get("options") or [row.get(key) for key in ("opa", "opb", "opc", "opd")]
            if isinstance(options, dict):
                keys = sorted(options)
                gold = row.get("answer_idx", row.get("answer"))
                gold = keys.index(gold) if gold in keys else list(options.values()).index(gold)
                options = [options[key] for key in keys]
            else:
                gold = row.get("cop", row.get("answer"))
                gold = gold if isinstance(gold, int) else "ABCD".index(gold)
            rows.append({"question": row["question"], "choices": options, "gold": gold})
    # The shortest questions: engines are compared here, and long questions take longer.
    rows = sorted(rows, key=lambda row: len(row["question"]) + sum(map(len, row["choices"])))[:count]
    with open(os.path.join(folder, "task.jsonl"), "w", encoding="utf-8") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)
    with open(os.path.join(folder, "hone_mc.yaml"), "w", encoding="utf-8") as out:
        out.write(
            f"""task: hone_mc
dataset_path: json
dataset_kwargs:
  data_files:
    test: {os.path.join(folder, "task.jsonl")}
output_type: multiple_choice
test_split: test
doc_to_text: "Question: {{{{question}}}}\\nAnswer:"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: gold
metric_list:
  - metric: acc
  - metric: acc_norm
"""
        )


def samples_of(folder):
    [path] = glob.glob(os.path.join(folder, "**", "samples_hone_mc_*.jsonl"), recursive=True)
    with open(path, encoding="utf-8") as lines:
        return {row["doc_id"]: row for row in map(json.loads, lines)}


def compare(a, b):
    one, other = samples_of(a), samples_of(b)
    # If one run was limited, only the samples that both have.
    shared = one.keys() & other.keys()
    one = {key: row for key, row in one.items() if key in shared}
    other = {key: row for key, row in other.items() if key in shared}
    differences, same_choice = [], 0
    for key, row in one.items():
        left = [float(r[0][0]) for r in row["resps"]]
        right = [float(r[0][0]) for r in other[key]["resps"]]
        differences += [abs(x - y) for x, y in zip(left, right, strict=True)]
        same_choice += left.index(max(left)) == right.index(max(right))
    differences.sort()
    mean = lambda rows, name: sum(row[name] for row in rows.values()) / len(rows)  # noqa: E731
    print(
        json.dumps(
            {
                "n": len(one),
                "options": len(differences),
                "accuracy": {"server": mean(one, "acc"), "transformers": mean(other, "acc")},
                "accuracyNorm": {"server": mean(one, "acc_norm"), "transformers": mean(other, "acc_norm")},
                "sameChoice": same_choice,
                "logprobDifference": {
                    "median": differences[len(differences) // 2],
                    "p99": differences[int(0.99 * len(differences))],
                    "max": differences[-1],
                },
            }
        )
    )


if sys.argv[1] == "prepare":
    prepare(sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5]))
else:
    compare(sys.argv[2], sys.argv[3])
