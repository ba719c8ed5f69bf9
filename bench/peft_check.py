# Scores options with a LoRA that Hone wrote, in transformers with peft, over the GGUF file's own weights: a worker of
# bench/peft.js (see there).
#   VENV/bin/python bench/peft_check.py MODEL.gguf ADAPTER_FOLDER < REQUESTS.jsonl
# A request is {"prompt": [token, ...], "options": [[token, ...], ...]}; the answer is {"logprobs": [...]}, one per
# option.
# The first line of the output states the versions and how many weights the adapter changed.

import json
import sys

from parity_reference import load_base  # first: it sets how torch's threads wait

import peft
import torch
import transformers

torch.set_num_threads(2)
path, folder = sys.argv[1:]
base = load_base(path)
model = peft.PeftModel.from_pretrained(base, folder).eval()
config = model.peft_config["default"]
pairs = sum("lora_A" in name for name, _ in model.named_parameters())
print(
    json.dumps(
        {
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "peft": peft.__version__,
            "rank": config.r,
            "alpha": config.lora_alpha,
            "matrices": pairs,
        }
    ),
    flush=True,
)


@torch.inference_mode()
def logprobs(prompt, options):
    found = []
    single = None
    for option in options:
        if len(option) == 1:
            if single is None:
                logits = model(input_ids=torch.tensor([prompt]), logits_to_keep=1).logits[0, -1]
                single = torch.log_softmax(logits, -1)
            found.append(single[option[0]].item())
            continue
        tokens = torch.tensor([prompt + option[:-1]])
        logits = model(input_ids=tokens, logits_to_keep=len(option)).logits[0]
        each = torch.log_softmax(logits, -1)[range(len(option)), option]
        found.append(each.sum().item())
    return found


for line in sys.stdin:
    if line.strip():
        request = json.loads(line)
        print(json.dumps({"logprobs": logprobs(request["prompt"], request["options"])}), flush=True)
