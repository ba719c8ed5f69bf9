# Generates reference decisions of GEPA and MIPROv2 (DSPy): what the Python packages accept and reject with a scripted model.
# test/specializers/optimizers.test.ts replays their draws and decisions. Writes test/specializers/fixtures/optimizers.json.
#   python3 -m venv VENV && VENV/bin/pip install gepa dspy optuna && VENV/bin/python bench/optimize_reference.py

import importlib.metadata
import json
import random
from collections import Counter
from pathlib import Path

import dspy
import gepa
from dspy.teleprompt import MIPROv2
from gepa.core.adapter import EvaluationBatch


def scripted(a, b, sample):
    """Right or wrong by fixed arithmetic: prompts differ in how often they are right, and on which samples."""
    return 1.0 if (a * 7919 + b * 3571 + sample * 104729 + a * sample * 31 + b * sample * 17) % 97 < 40 + a * 13 % 30 + b * 7 % 20 else 0.0


class Scripted:
    """A GEPA adapter whose candidates are numbers."""

    def __init__(self):
        self.written = 0

    def evaluate(self, batch, candidate, capture_traces=False):
        number = int(candidate["instruction"])
        scores = [scripted(number, 0, sample) for sample in batch]
        return EvaluationBatch(outputs=batch, scores=scores, trajectories=batch if capture_traces else None)

    def make_reflective_dataset(self, candidate, eval_batch, components_to_update):
        return {"instruction": [{"sample": sample} for sample in eval_batch.trajectories]}

    def propose_new_texts(self, candidate, reflective_dataset, components_to_update):
        self.written += 1
        return {"instruction": str(self.written)}


def run_gepa(seed):
    train, search, calls = list(range(20)), list(range(100, 130)), 400
    mutations, drawn = [], []

    class Drawing(random.Random):
        """Keeps what parents are drawn from: how many instances each candidate leads."""

        def choice(self, seq):
            drawn.append(Counter(seq))
            return super().choice(seq)

    class Watch:
        def on_candidate_selected(self, event):
            mutations.append({"parent": event["candidate_idx"], "from": drawn[-1], "after": None, "accepted": False})

        def on_minibatch_sampled(self, event):
            mutations[-1]["samples"] = list(event["minibatch_ids"])

        def on_evaluation_end(self, event):
            mutations[-1]["before" if event["candidate_idx"] is not None else "after"] = sum(event["scores"])

        def on_candidate_accepted(self, event):
            mutations[-1]["accepted"] = True

    original, random.Random = random.Random, Drawing
    found = gepa.optimize(
        seed_candidate={"instruction": "0"},
        trainset=train,
        valset=search,
        adapter=Scripted(),
        max_metric_calls=calls,
        seed=seed,
        callbacks=[Watch()],
    )
    random.Random = original
    pool = [
        {"candidate": int(one["instruction"]), "mean": mean}
        for one, mean in zip(found.candidates, found.val_aggregate_scores)
    ]
    return {
        "seed": seed,
        "maxCalls": calls,
        "feedback": train,
        "search": search,
        "mutations": mutations,
        "pool": pool,
        "best": found.best_idx,
    }


def run_mipro(seed, count, sizes):
    search = [dspy.Example(sample=i).with_inputs("sample") for i in range(60)]
    program = dspy.Predict("sample -> answer")
    trials, last = [], []
    instructions = [f"instruction {i}" for i in range(sizes[0])]
    demos = [[dspy.Example(number=i)] for i in range(sizes[1])]
    program.signature = program.signature.with_instructions(instructions[0])
    program.demos = demos[0]

    def evaluate(candidate, devset, callback_metadata=None):
        a = int(candidate.signature.instructions.split()[-1])
        b = candidate.demos[0]["number"]
        samples = [one["sample"] for one in devset]
        score = round(100 * sum(scripted(a, b, sample) for sample in samples) / len(samples), 2)
        full = callback_metadata["metric_key"] == "eval_full"
        trials.append({"pair": [a, b], "full": full, "score": score, "samples": None if full else samples})
        return dspy.Prediction(score=score, results=[])

    class Watched(MIPROv2):
        pass

    optimizer = Watched(metric=lambda *_: 0, auto=None, num_candidates=4, prompt_model=dspy.LM("none/none"), task_model=dspy.LM("none/none"), verbose=False)
    optimizer._set_random_seeds(seed)
    run = {"seed": seed, "trials": count, "sizes": sizes, "search": len(search), "fullEvery": 5, "log": trials}
    try:
        best = optimizer._optimize_prompt_parameters(
            program, {0: instructions}, {0: demos}, evaluate, search, count, True, 20, 5, seed
        )
    except ValueError as error:
        # DSPy fails where every pair has been scored on all samples and one more is due.
        return {**run, "error": str(error)}
    return {
        **run,
        "best": [int(best.signature.instructions.split()[-1]), best.demos[0]["number"]],
        "score": best.score,
    }


record = {
    "bench": "optimizers",
    "command": "python bench/optimize_reference.py",
    "versions": {name: importlib.metadata.version(name) for name in ["gepa", "dspy", "optuna"]},
    "gepa": [run_gepa(seed) for seed in range(5)],
    "miprov2": [run_mipro(seed, count, sizes) for seed, count, sizes in [(0, 25, [5, 4]), (1, 12, [3, 6]), (2, 30, [8, 8]), (3, 30, [2, 2])]],
}
path = Path(__file__).parent.parent / "test/specializers/fixtures/optimizers.json"
path.write_text(json.dumps(record) + "\n")
print(path.name, [len(one["mutations"]) for one in record["gepa"]], [len(one["log"]) for one in record["miprov2"]])
