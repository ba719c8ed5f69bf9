// The table of all specializers in README: name, what it does, needs and paper as the code has
// them, cost from here.

import { makeSpecializer, specializers } from "../../dist/specializers/index.js";

/** What building and answering cost beyond zero-shot's one call. A specializer without a line here is an error. */
const costs = {
  zeroShot: "1 call",
  fewShot: "1 longer call",
  knn: "1 longer call, 1 embedding",
  calibrate: "1 call; 3 to build",
  cot: "2 calls, reasoning and choice; 2 a pool sample to build",
  medprompt: "10 calls, 1 embedding; 2 a pool sample to build",
  portfolio: "those of Medprompt and 10 direct ones",
  optimize: "1 call, or 1 longer; a search of about 4,000 calls to build",
  knnLm: "1 call, 1 embedding; 1 embedding a train sample to build",
  ensemble: "5 calls",
  lora: "1 call; training",
  head: "1 reading of the prompt; training",
  full: "1 call; training, most memory",
  adapter: "1 call; training",
  bitfit: "1 call; training",
  softPrompt: "1 call; training",
  selfSpecialize: "1 call; about 3 calls a pair and training to build",
  selfTrain: "1 call; 1 a train sample and row, and training, to build",
  probe: "1 reading of the prompt; seconds to minutes to build",
  retrieve: "1 longer call; an index to build",
  tools: "2 calls and more",
  majority: "none",
  scripted: "none",
  linear: "none; seconds to build",
  perStratum: "that of what it applies",
  subset: "that of what it applies",
  bestOf: "that of the one kept; all on dev to build",
  search: "that of what it returns; its own budget to build",
  average: "that of what it applies, once a seed",
  stack: "that of its members; each as often to build as there are parts, and once more",
  bilateral: "training",
  lesion: "none beyond what it cuts",
  setfit: "none; training of the encoder",
  lexical: "none beyond the encoder's; training",
  layer: "none",
  ngrams: "none",
  wordVectors: "none; minutes to build",
  pretrain: "training",
  upcycle: "training",
};

/** Options for those that cannot be made without. */
const example = {
  retrieve: { documents: "file:documents.jsonl" },
  selfTrain: { source: "file:unlabelled.jsonl" },
  perStratum: { use: "zeroShot" },
  subset: { n: 1, use: "zeroShot" },
  bestOf: { of: ["zeroShot"] },
  average: { use: "lora" },
  stack: { of: ["zeroShot"] },
  lesion: { cut: ["callosum"] },
  lexical: { source: "file:pairs.tsv" },
  layer: { at: 1 },
  wordVectors: { corpora: "file:corpora.tsv", dictionaries: "file:dictionaries.tsv" },
};

export function catalogue() {
  const rows = Object.entries(specializers).map(([name, { summary, paper, leaf }]) => {
    if (!costs[name]) throw new Error(`docs/tables/catalogue.js does not say what ${name} costs.`);
    const written = example[name] ? { [name]: example[name] } : name;
    const {
      reference,
      subjects = ["language"],
      needs,
    } = makeSpecializer(written, "docs/tables/catalogue.js");
    const kind = subjects.includes("language") ? [] : [`${subjects.join(", ")} subject`];
    // A combinator needs what stands in its example, and says nothing by it.
    const own = "of" in (example[name] ?? {}) || "use" in (example[name] ?? {}) ? [] : needs;
    const asked = own.length > 0 || !leaf ? own : ["text"];
    const needed = reference ? "no model" : [...kind, ...asked].join(", ") || "as what it applies";
    return `| \`${name}\` | ${summary} | ${needed} | ${costs[name]} | ${paper} |`;
  });
  return [
    "| specializer | what it does | needs | cost of an answer | paper |",
    "|---|---|---|---|---|",
    ...rows,
  ];
}
