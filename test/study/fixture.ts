// Small studies over the mock, for tests that run the whole path.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomFor } from "../../src/core/random.js";
import { parseStudy, type StudySpec } from "../../src/study/spec.js";

export const tones = { p: "polite", r: "rude", n: "neutral" } as const;

const subjects = [
  "letter",
  "reply",
  "notice",
  "review",
  "sermon",
  "memo",
  "poem",
  "speech",
  "ticket",
  "complaint",
];
const places = ["Lisbon", "Oslo", "Quito", "Perth", "Cairo", "Delhi", "Turin", "Leeds", "Accra", "Osaka"];

/** Rows `{id, text, tone}` that are all different, written as JSON lines. */
export function writeTones(path: string, rows: number, seed = 1): void {
  const random = randomFor(seed, "tones");
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const lines = Array.from({ length: rows }, (_, i) => {
    const tone = pick(Object.keys(tones)) as keyof typeof tones;
    const noise = Array.from({ length: 8 }, () => `${pick(subjects)}${Math.floor(random() * 1e6)}`).join(" ");
    const text = `A ${tones[tone]} ${pick(subjects)} number ${i} from ${pick(places)} ${noise}`;
    return JSON.stringify({ id: `row-${i}`, text, tone });
  });
  writeFileSync(path, `${lines.join("\n")}\n`);
}

export interface ToneStudy {
  name?: string;
  model: string;
  specialists?: unknown[];
  dev?: number;
  test?: number;
  seeds?: number[];
  scoring?: string;
  extra?: Record<string, unknown>;
}

/** A study of the tones in `FOLDER/tones.jsonl`, as a value. */
export function toneStudy(study: ToneStudy): Record<string, unknown> {
  return {
    study: study.name ?? "tones",
    model: study.model,
    task: {
      name: "tone",
      kind: "choice",
      instruction: "What is the tone?",
      answerBy: "label",
      scoring: study.scoring ?? "sum",
      data: {
        source: "file:tones.jsonl",
        input: "text",
        label: "tone",
        options: tones,
        split: { by: "hash", stratify: true, seed: 3 },
        limit: { dev: study.dev ?? 20, test: study.test ?? 60 },
        leakage: "off",
      },
    },
    specialists: study.specialists ?? [{ fewShot: { k: 3 } }, "majority"],
    seeds: study.seeds ?? [1],
    ...study.extra,
  };
}

export function toneSpec(study: ToneStudy): StudySpec {
  return parseStudy(toneStudy(study), "test");
}

/** Writes data and study file into a folder and returns the file's path. */
export function writeToneStudy(folder: string, study: ToneStudy, rows = 400): string {
  writeTones(join(folder, "tones.jsonl"), rows);
  const path = join(folder, "tones.study.yaml");
  writeFileSync(path, JSON.stringify(toneStudy(study)));
  return path;
}
