// A small valid study over the mock, and its data: the starting point of the attacks on studies, endpoints and
// processes.

import { writeFileSync } from "node:fs";
import { randomFor } from "../../../dist/core/random.js";

const options = { p: "polite", r: "rude", n: "neutral" };

/** Writes distinct rows `{id, text, tone}` as JSON lines. */
export function writeTones(path, rows) {
  const random = randomFor(1, "tones");
  const lines = Array.from({ length: rows }, (_, i) => {
    const tone = Object.keys(options)[Math.floor(random() * 3)];
    const noise = Array.from({ length: 8 }, () => `word${Math.floor(random() * 1e6)}`).join(" ");
    return JSON.stringify({ id: `row-${i}`, text: `A ${options[tone]} letter ${i}: ${noise}`, tone });
  });
  writeFileSync(path, `${lines.join("\n")}\n`);
}

/** The study as a value; `task` and `data` are merged into its parts, everything else into the study itself. */
export function study({ task = {}, data = {}, dev = 6, test = 20, scoring = "sum", ...more } = {}) {
  return {
    study: "tones",
    model: "mock:?skill=0.8",
    task: {
      name: "tone",
      kind: "choice",
      instruction: "What is the tone?",
      answerBy: "label",
      scoring,
      data: {
        source: "file:tones.jsonl",
        id: "id",
        input: "text",
        label: "tone",
        options,
        split: { by: "hash", stratify: true, seed: 3 },
        limit: { dev, test },
        leakage: "off",
        ...data,
      },
      ...task,
    },
    specialists: [{ fewShot: { k: 2 } }, "majority"],
    seeds: [1],
    handOver: 0,
    ...more,
  };
}
