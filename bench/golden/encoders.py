"""Generates the golden files of test/models/net.test.ts: python bench/golden/encoders.py MINILM_FOLDER. Needs transformers and
tokenizers."""
import json, sys
from pathlib import Path
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, BertModel, PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaModel

out = Path(__file__).parents[2] / "test/nets/fixtures"
texts = ["court", "the court of appeal", "Gerichtshof", "mahkeme", "naïve café, 東京!", "a" * 40, "суд", "I can't stop; won't."]
long = " ".join(["The Supreme Court of the United States held that the evidence"] * 12)

def states(model, tokenizer, given):
    made = []
    for text in given:
        ids = tokenizer(text)["input_ids"]
        with torch.no_grad():
            layers = model(torch.tensor([ids]), output_hidden_states=True).hidden_states
        own = [layer[0, 1:-1].mean(0).tolist() if len(ids) > 2 else None for layer in layers]
        whole = layers[-1][0].mean(0)
        made.append({"text": text, "ids": ids, "layers": [[round(v, 7) for v in one[:16]] for one in own], "all": [round(v, 7) for v in (whole / whole.norm()).tolist()]})
    return made

torch.manual_seed(1)
t = Tokenizer(models.Unigram())
t.normalizer = normalizers.NFKC()
t.pre_tokenizer = pre_tokenizers.Metaspace()
words = (Path(__file__).parents[2] / "README.md").read_text().splitlines()
t.train_from_iterator(words + texts, trainers.UnigramTrainer(vocab_size=400, special_tokens=["<s>", "<pad>", "</s>", "<unk>"], unk_token="<unk>"))
t.post_processor = processors.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
fast = PreTrainedTokenizerFast(tokenizer_object=t, bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<pad>", cls_token="<s>", sep_token="</s>")
config = XLMRobertaConfig(vocab_size=t.get_vocab_size(), hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40, max_position_embeddings=66, type_vocab_size=1, pad_token_id=1, hidden_act="gelu")
model = XLMRobertaModel(config, add_pooling_layer=False).eval()
for p in model.parameters():
    p.data += 0.2 * torch.randn_like(p)
folder = out / "xlmr"
model.save_pretrained(folder); fast.save_pretrained(folder)
golden = {"xlmr": states(model, fast, texts)}
mini = sys.argv[1]
tok = AutoTokenizer.from_pretrained(mini)
golden["minilm"] = states(BertModel.from_pretrained(mini).eval(), tok, texts + [long])
(out / "encoders.json").write_text(json.dumps(golden, ensure_ascii=False))
