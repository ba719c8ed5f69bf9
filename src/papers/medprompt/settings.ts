// Every size of the Medprompt reproduction, and the arms of the ladder as a study would write them. It runs nothing.

import { coalitions, ladder, type MedpromptSpec, type Rung, rungs } from "../../specializers/index.js";
import type { Preset } from "../index.js";

export interface MedpromptSettings {
  /** Tasks of the ladder; those that the data lack are left out and named. */
  tasks: readonly string[];
  /** Worked examples, ensemble members, samples reasoned about, orders of each, tokens of a chain of thought. */
  ladder: { k: number; members: number; pool: number; shuffles: number; maxTokens: number };
  /** Most characters of a question and of a context. */
  chars: { question: number; context: number };
  limit: { train: number; dev: number; test: number };
  /** The task on which every coalition of rungs is measured; null for none. */
  shapley: string | null;
  models: readonly string[];
}

const small = "llama:smollm2-135m-instruct?format=plain";
const large = "llama:gemma3-270m?format=plain";

export const presets: Record<Preset, MedpromptSettings> = {
  // A reasoned answer writes up to 40 tokens: at 100 tokens a second 0.4 s, five of them 2 s, beside reading about 1,500
  // tokens (2 s). 60 samples, 2 tasks and 6 rungs come to about a quarter of an hour for the smaller model.
  full: {
    tasks: ["medqa", "pubmedqa"],
    ladder: { k: 5, members: 5, pool: 60, shuffles: 1, maxTokens: 40 },
    chars: { question: 500, context: 400 },
    limit: { train: 60, dev: 10, test: 40 },
    shapley: "medqa",
    models: [small, large],
  },
  smoke: {
    tasks: ["medqa"],
    ladder: { k: 2, members: 2, pool: 6, shuffles: 1, maxTokens: 12 },
    chars: { question: 200, context: 150 },
    limit: { train: 6, dev: 4, test: 8 },
    shapley: null,
    models: [small],
  },
  // The paper's big variant is k = 20 with 11 members (90.6 on MedQA).
  original: {
    tasks: ["medqa", "pubmedqa", "medmcqa"],
    ladder: { k: 5, members: 5, pool: 1_000_000, shuffles: 5, maxTokens: 500 },
    chars: { question: 1_000_000, context: 1_000_000 },
    limit: { train: 1_000_000, dev: 100, test: 1_000_000 },
    shapley: "medqa",
    models: [small, large],
  },
};

/** Without any rung it is the generalist, which every study has anyway. */
const armOf = (spec: MedpromptSpec): unknown =>
  spec.medprompt.without?.length === rungs.length ? "zeroShot" : spec;

const names = ["zero-shot", "few-shot", "chain of thought", "neighbours", "ensemble"];

/** The published ladder from zero-shot to all of it; the big variant (k = 20, 11 members) is left to `original` runs by hand. */
export function rungArms(sizes: MedpromptSettings["ladder"]): { name: string; arm: unknown }[] {
  const climbed = ladder(sizes);
  return names.map((name, i) => ({ name, arm: armOf(climbed[i] as MedpromptSpec) }));
}

/** All sixteen coalitions of rungs by their members; twelve of them differ. */
export function coalitionArms(sizes: MedpromptSettings["ladder"]): { members: Rung[]; arm: unknown }[] {
  return coalitions(sizes).map(({ rungs: members, spec }) => ({ members, arm: armOf(spec) }));
}
