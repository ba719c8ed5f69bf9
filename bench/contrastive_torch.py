# The PyTorch counterpart of bench/contrastive.js. usage: contrastive_torch.py train FOLDER BATCHES.json | encode FOLDER
# TEXTS.json
import json
import sys
import time

import torch

mode, folder, path = sys.argv[1:]
with open(path, encoding="utf8") as file:
    given = json.load(file)

if mode == "encode":
    from sentence_transformers import SentenceTransformer

    vectors = SentenceTransformer(folder, device="cpu").encode(given, batch_size=8)
    print(json.dumps({"vectors": vectors.tolist()}))
    sys.exit()

from transformers import AutoModel, AutoTokenizer

torch.manual_seed(1)
torch.set_num_threads(given["threads"])
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModel.from_pretrained(folder, add_pooling_layer=False)
# Without dropout, as in Hone.
model.eval()
optimizer = torch.optim.AdamW(model.parameters(), lr=given["learningRate"], weight_decay=0)
seconds, losses = [], []
for batch in given["batches"]:
    start = time.perf_counter()
    read = tokenizer(batch["texts"], padding=True, return_tensors="pt")
    mask = read["attention_mask"].unsqueeze(-1).float()
    states = model(**read).last_hidden_state
    vectors = torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1))
    scores = vectors @ vectors.T / given["temperature"]
    labels = torch.tensor(batch["labels"])
    same = labels[:, None] == labels[None]
    positive = same & ~torch.eye(len(labels), dtype=torch.bool)
    others = scores.masked_fill(same, float("-inf")).logsumexp(1, keepdim=True)
    loss = (torch.logaddexp(scores, others.expand_as(scores)) - scores)[positive].mean()
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    losses.append(loss.item())
    seconds.append(time.perf_counter() - start)
print(json.dumps({"seconds": seconds, "losses": losses}))
