# Reference values for src/learn/{tfidf,logistic}.ts, from scikit-learn. Not part of the product; run by hand:
#   python3 -m venv VENV && VENV/bin/pip install scikit-learn && VENV/bin/python bench/linear_reference.py
# Writes test/specializers/fixtures/linear.json. The texts are generated here by a fixed recipe and are nobody's data.

import json
from pathlib import Path

import numpy as np
import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

TOPICS = {
    "sea": "ship harbour tide sail anchor storm captain wave island rope".split(),
    "field": "plough wheat barley harvest furrow ox rain seed barn scythe".split(),
    "forge": "iron hammer anvil furnace spark blade steel coal smith bellows".split(),
}
COMMON = "the a of and in to was by with on old new morning night man woman work day 7 42 x".split()


def numbers(seed):
    """A linear congruential generator (Knuth's MMIX), so that the texts do not depend on a library's version."""
    state = seed
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        yield state >> 33


def make_texts(count, labels, seed):
    draw = numbers(seed)
    texts, gold = [], []
    for i in range(count):
        label = labels[i % len(labels)]
        tokens = []
        for _ in range(6 + next(draw) % 12):
            roll = next(draw) % 10
            # One word in ten is from another topic: the classes overlap, so that weights stay finite without a penalty.
            pool = COMMON if roll < 6 else TOPICS[label] if roll < 9 else TOPICS[labels[next(draw) % len(labels)]]
            tokens.append(pool[next(draw) % len(pool)])
        texts.append(" ".join(tokens).capitalize() + ".")
        gold.append(label)
    return texts, gold


SETTINGS = {
    "words": {"ngram_range": (1, 2)},
    "characters": {"analyzer": "char_wb", "ngram_range": (2, 5)},
}


def case(name, labels, c, by="words"):
    texts, gold = make_texts(90, labels, seed=len(labels))
    probes, _ = make_texts(10, labels, seed=99)
    probes += ["", "zzz unseen qqq", "STORM, storm; storm! Ship's wave"]
    vectorizer = TfidfVectorizer(**SETTINGS[by], min_df=2, sublinear_tf=True)
    rows = vectorizer.fit_transform(texts)
    model = LogisticRegression(C=c, tol=1e-10, max_iter=10_000).fit(rows, gold)
    probe_rows = vectorizer.transform(probes)
    return {
        "name": name,
        "by": by,
        "c": c,
        "texts": texts,
        "gold": gold,
        "classes": list(model.classes_),
        "terms": len(vectorizer.vocabulary_),
        "probes": probes,
        "rowSums": np.asarray(probe_rows.sum(axis=1)).ravel().round(8).tolist(),
        "probabilities": model.predict_proba(probe_rows).round(8).tolist(),
    }


fixture = {
    "madeBy": "bench/linear_reference.py",
    "versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__},
    "cases": [
        case("three classes, weak penalty", ["field", "forge", "sea"], 10.0),
        case("three classes, strong penalty", ["field", "forge", "sea"], 0.5),
        case("two classes", ["forge", "sea"], 1.0),
        case("characters", ["field", "forge", "sea"], 3.0, by="characters"),
    ],
}
path = Path(__file__).parent.parent / "test" / "specializers" / "fixtures" / "linear.json"
path.parent.mkdir(parents=True, exist_ok=True)
path.write_text(json.dumps(fixture, indent=1) + "\n")
print(path, sklearn.__version__)
