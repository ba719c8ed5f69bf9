// npx vitest run test/study/library.test.ts
//
// The library instead of the command line: a study as a value, a custom specializer among Hone's, and the figures as
// data. The model is the mock, so it runs in a second; any reference from `hone models list` works.

import { parseStudy, runStudy, type StudyRecord } from "@honelab/hone";
import keywords from "./extend/keywords.js";

/** @param source a JSONL file with the fields `text` and `tone`; @param store a folder for the journal */
export async function compareTones(source: string, store: string): Promise<StudyRecord> {
  const study = parseStudy(
    {
      study: "tones",
      model: "mock:?skill=0.8&bias=A:0.3&seed=1",
      task: {
        name: "tone",
        instruction: "What is the tone?",
        data: {
          source,
          input: "text",
          label: "tone",
          options: { p: "polite", r: "rude", n: "neutral" },
          split: { by: "hash", stratify: true },
          limit: { dev: 30, test: 90 },
        },
      },
      specialists: [{ keywords: { count: 3 } }, "calibrate", "linear", "majority"],
    },
    "examples/library.ts",
  );
  return runStudy(study, { store, use: keywords });
}
