// The map of Ling et al. (arXiv 2305.18703): every route from a generalist to a specialist, down to its leaves, with what
// each needs from the model and which specializers belong to it. It is data; `hone advise` reads it.
//
// The three families and their first division are the survey's; names of leaves and their examples are from memory of it
// and may differ in wording. The survey orders families by three colours of access (black, grey, white box); what a route
// really needs is finer than that and is written at each leaf.

import type { Grant } from "../core/model.js";

export type Family = "external augmentation" | "prompt crafting" | "fine-tuning";
export type Access = "black-box" | "grey-box" | "white-box";

/** The survey's families in its order, with the access that it gives to each. */
export const families: Readonly<Record<Family, Access>> = {
  "external augmentation": "black-box",
  "prompt crafting": "grey-box",
  "fine-tuning": "white-box",
};

interface LeafEntry {
  family: Family;
  /** The division between family and leaf. */
  branch: string;
  /** One line: what a route on this leaf does. */
  summary: string;
  /** What the least demanding route on it needs of the model. */
  needs: readonly Grant[];
  /** Published examples. */
  examples: readonly string[];
  /** If no specializer is on this leaf: why, and the leaf to use instead. */
  absent?: { why: string; nearest: Leaf };
}

/** Every leaf of the map. */
export type Leaf =
  | "explicit knowledge"
  | "implicit knowledge"
  | "tools called by the model"
  | "the model in the tools"
  | "zero-shot prompt"
  | "few-shot prompt"
  | "task-dependent soft prompt"
  | "instance-dependent soft prompt"
  | "neural adapter"
  | "low-rank adapter"
  | "adapter framework"
  | "instruction-based update"
  | "partial update";

export const leaves: Readonly<Record<Leaf, LeafEntry>> = {
  "explicit knowledge": {
    family: "external augmentation",
    branch: "domain knowledge",
    summary: "Documents are searched for each query and put into its context",
    needs: ["text"],
    examples: ["REALM", "RAG", "Atlas", "RETRO"],
  },
  "implicit knowledge": {
    family: "external augmentation",
    branch: "domain knowledge",
    summary: "A memory of domain examples gives an answer, which is mixed with the model's",
    needs: ["logprobs"],
    examples: ["kNN-LM", "Memorizing Transformers", "TRIME"],
  },
  "tools called by the model": {
    family: "external augmentation",
    branch: "domain tools",
    summary: "The model writes a call, and its result is put into the context",
    needs: ["text"],
    examples: ["Toolformer", "PAL", "ReAct", "Gorilla", "GeneGPT"],
  },
  "the model in the tools": {
    family: "external augmentation",
    branch: "domain tools",
    summary: "A robot, an agent or a program asks the model for its plan",
    needs: ["text"],
    examples: ["SayCan", "HuggingGPT", "Visual ChatGPT", "ChemCrow"],
    absent: {
      why: "the subject that is measured would be the robot or the agent, not the model",
      nearest: "tools called by the model",
    },
  },
  "zero-shot prompt": {
    family: "prompt crafting",
    branch: "discrete prompt",
    summary: "The task is described in words",
    needs: ["text"],
    examples: ["instructions", "zero-shot chain of thought"],
  },
  "few-shot prompt": {
    family: "prompt crafting",
    branch: "discrete prompt",
    summary: "Worked examples stand before the query",
    needs: ["text"],
    examples: ["in-context learning", "chain of thought", "kNN examples", "Medprompt"],
  },
  "task-dependent soft prompt": {
    family: "prompt crafting",
    branch: "continuous prompt",
    summary: "Learnt vectors stand before every prompt of a task",
    needs: ["gradients", "weights"],
    examples: ["prompt tuning", "prefix-tuning", "P-tuning v2"],
  },
  "instance-dependent soft prompt": {
    family: "prompt crafting",
    branch: "continuous prompt",
    summary: "Learnt vectors that depend on the query",
    needs: ["gradients", "weights"],
    examples: ["IDPG", "L2P"],
    absent: {
      why: "the served files have no place for vectors computed from each query",
      nearest: "task-dependent soft prompt",
    },
  },
  "neural adapter": {
    family: "fine-tuning",
    branch: "adapter-based fine-tuning",
    summary: "Small layers beside the frozen ones are trained",
    needs: ["gradients", "weights"],
    examples: ["Houlsby adapters", "parallel adapters", "AdapterFusion", "MAD-X"],
  },
  "low-rank adapter": {
    family: "fine-tuning",
    branch: "adapter-based fine-tuning",
    summary: "Low-rank matrices beside the frozen ones are trained",
    needs: ["gradients", "weights"],
    examples: ["LoRA", "QLoRA", "AdaLoRA", "DyLoRA"],
  },
  "adapter framework": {
    family: "fine-tuning",
    branch: "adapter-based fine-tuning",
    summary: "Several kinds of adapter under one roof, or mixed in one model",
    needs: ["gradients", "weights"],
    examples: ["AdapterHub", "UniPELT", "LLM-Adapters", "MAM"],
    absent: {
      why: "a study compares the kinds of adapter side by side; no specializer mixes them in one model",
      nearest: "low-rank adapter",
    },
  },
  "instruction-based update": {
    family: "fine-tuning",
    branch: "task-oriented fine-tuning",
    summary: "All weights are trained on the task's instructions and answers",
    needs: ["gradients", "weights"],
    examples: ["FLAN", "Alpaca", "InstructGPT", "Self-Specialization", "Lawma"],
  },
  "partial update": {
    family: "fine-tuning",
    branch: "task-oriented fine-tuning",
    summary: "Some weights are changed and the others stay",
    needs: ["weights"],
    examples: ["BitFit", "Child-Tuning", "ROME", "MEMIT", "distillation"],
  },
};

/**
 * The map as lines to print: family, branch, leaf, and the specializers on each leaf.
 * @param placed the leaf of each specializer by name, as in the table; those with null are not printed.
 * @returns one string per line, indented by two spaces per level.
 */
export function mapTree(placed: Readonly<Record<string, { leaf: Leaf | null }>>): string[] {
  const lines: string[] = [];
  for (const [family, access] of Object.entries(families)) {
    lines.push(`${family} (${access})`);
    let branch = "";
    for (const [name, leaf] of Object.entries<LeafEntry>(leaves)) {
      if (leaf.family !== family) continue;
      if (leaf.branch !== branch) lines.push(`  ${leaf.branch}`);
      branch = leaf.branch;
      const here = Object.keys(placed).filter((key) => placed[key]?.leaf === name);
      const stands = leaf.absent ? `none: ${leaf.absent.why}; see ${leaf.absent.nearest}` : here.join(", ");
      lines.push(`    ${name} [${leaf.needs.join(", ")}]: ${stands || "none yet"}`);
    }
  }
  return lines;
}
