// DeepSeekMoE: dense nets and mixtures of experts trained from nothing on the same texts with the same tokens, compared by
// documents and seeds, and looked into.

import type { ExpertNotes, TrainingNotes } from "../../core/training.js";
import { type BySeed, crossedDifference, meanOverSeeds, seedDifference } from "../figures.js";
import { definePaper, paperTable } from "../paper.js";
import { fileSplits, splitFiles } from "../plans.js";
import { claimsOf, type MoeFigures } from "./claims.js";
import { readTexts } from "./read.js";
import { type ArmName, lookedInto, margin, nets, presets } from "./settings.js";

export const deepseekmoe = definePaper({
  name: "deepseekmoe",
  summary: "Do many small experts, some of them shared, beat few large ones at equal cost?",
  paper: "Dai et al. 2024, DeepSeekMoE (arXiv 2401.06066)",
  unit: "bits per byte",
  mostModels: 1,
  presets,
  data: {
    folders: ["law", "med", "social", "lexical"],
    holding: "texts in at least five domains",
    read: (folder, { settings }, { signal }) => readTexts(folder, settings, signal),
  },
  plans: ({ settings, models, data }) => {
    const { experts, training, domains } = settings;
    return [
      {
        part: "texts",
        model: models[0] as string,
        description: "Dense nets and mixtures of experts, trained on the same tokens",
        files: splitFiles({ train: data.train, dev: data.dev, test: data.test }),
        study: {
          task: {
            name: "texts",
            kind: "corpus",
            data: {
              splits: fileSplits,
              input: "text",
              label: "domain",
              options: [...domains],
              group: "group",
              leakage: "drop",
            },
          },
          seeds: settings.seeds,
        },
        arms: Object.fromEntries(
          settings.arms.map((name) => [
            name,
            {
              pretrain: {
                net: nets[name](experts),
                ...training,
                ...(lookedInto.includes(name) ? { analyse: true } : {}),
              },
            },
          ]),
        ),
      },
    ];
  },
  figures([found], { settings }) {
    const study = found?.study;
    const rows = (arm: ArmName) => (settings.arms.includes(arm) ? (study?.rows(arm) ?? []) : []);
    const trainings = (arm: ArmName): Map<number, TrainingNotes> => {
      if (!settings.arms.includes(arm)) return new Map();
      const card = study?.record.subjects.find(({ name }) => name === study.result(arm)?.subject);
      return new Map((card?.training ?? []).map((notes, i) => [card?.seeds[i] as number, notes]));
    };
    const of = (arm: ArmName, value: (notes: ExpertNotes) => number | undefined): BySeed =>
      new Map(
        [...trainings(arm)].flatMap(([seed, { experts }]) => {
          const one = experts && value(experts);
          return one === undefined ? [] : [[seed, one] as const];
        }),
      );
    const overLayers = ({ layers }: ExpertNotes, value: (layer: ExpertNotes["layers"][number]) => number) =>
      layers.reduce((sum, layer) => sum + value(layer), 0) / layers.length;
    const figures: MoeFigures = {
      difference: (a, b, against = 0) => crossedDifference(rows(a), rows(b), "bytes", against),
      probe: (arm, which) => of(arm, ({ probes }) => probes.find(which)?.value),
      bySeed: (a, b, against = 0) => seedDifference(a, b, against),
      violation: (arm) => of(arm, (notes) => overLayers(notes, ({ maxViolation }) => maxViolation)),
      information: (arm) => ({
        found: of(arm, (notes) => overLayers(notes, ({ information }) => information)),
        shuffled: of(arm, (notes) => overLayers(notes, ({ shuffled }) => shuffled.high)),
      }),
      routedOf: (arm) => [...trainings(arm).values()][0]?.experts?.layers[0]?.load.length ?? null,
    };
    return { ...figures, rows, trainings, result: (arm: ArmName) => study?.result(arm) };
  },
  claims: (figures) => claimsOf(figures),
  tables: ({ result, trainings, difference, probe, violation, information }, { settings, data }) => {
    const number = (value: number | undefined, digits = 3) =>
      value === undefined ? "" : value.toFixed(digits);
    const range = (one: { mean: number; low: number; high: number } | null | undefined, digits = 3) =>
      one ? `${number(one.mean, digits)} (${number(one.low, digits)} to ${number(one.high, digits)})` : "";
    const arms = settings.arms.filter((arm) => result(arm));
    return [
      paperTable(
        "Bits per byte on test (95 % over documents and seeds), and what each net costs",
        [
          "net",
          "bits per byte",
          "less than dense",
          "parameters, M",
          "activated, M",
          "MFLOPs per token",
          "seeds",
        ],
        arms.map((arm) => {
          const [notes] = trainings(arm).values();
          const facts = notes?.facts ?? {};
          const million = (name: string) => number((facts[name] ?? Number.NaN) / 1e6, 2);
          return [
            arm,
            range(result(arm)),
            arm === "dense" ? "" : range(difference(arm, "dense")),
            million("parameters"),
            million("activated parameters"),
            million("training FLOPs per token"),
            String(trainings(arm).size),
          ];
        }),
      ),
      paperTable(
        "Experts at test time: bits per byte on dev, mean over seeds",
        ["net", "changed", "bits per byte"],
        arms.flatMap((arm) => {
          const [first] = trainings(arm).values();
          return (first?.experts?.probes ?? []).map(({ what }) => [
            arm,
            what,
            range(meanOverSeeds(probe(arm, (one) => one.what === what))),
          ]);
        }),
        2,
      ),
      paperTable(
        "Routing on dev, means over layers and seeds",
        ["net", "MaxVio", "information of domains", "shuffled, 95th percentile"],
        arms
          .filter((arm) => violation(arm).size > 0)
          .map((arm) => [
            arm,
            range(meanOverSeeds(violation(arm)), 2),
            range(meanOverSeeds(information(arm).found)),
            range(meanOverSeeds(information(arm).shuffled)),
          ]),
      ),
      paperTable(
        "Texts",
        ["domain", "bytes of train"],
        Object.entries(data.bytes).map(([domain, bytes]) => [domain, String(bytes)]),
      ),
    ];
  },
  deviations({ settings, models, data }) {
    const { training, experts, seeds } = settings;
    const bytes = Object.values(data.bytes).reduce((sum, one) => sum + one, 0);
    return [
      `${models[0]}; N = ${experts} experts where the paper has 16; ${training.tokens} tokens of a vocabulary of ${training.vocab} learnt on train, batches of ${training.batch} rows; ${seeds.length} seeds. The paper: 2B parameters, 100B tokens.`,
      `Texts: ${(bytes / 1e6).toFixed(1)} MB in ${settings.domains.length} domains. Code is that of packages which Hone was installed with.`,
      "Bits per byte of documents, each from its own beginning in rows of the net's context; intervals over documents and seeds, crossed. Figures of experts changed at test time are of dev, with seeds as the units.",
      `"As good as" means worse by less than ${margin} bits per byte, fixed before measuring.`,
      "The balance loss counts over the batch; initial weights have a deviation of 0.02 (paper: 0.006). No benchmark of the paper is asked: nets of this size cannot answer them.",
      "The step of the least dev loss is kept, the same way for every net.",
    ];
  },
  more: ({ trainings }, { settings }) => ({
    curves: Object.fromEntries(
      settings.arms.map((arm) => [
        arm,
        [...trainings(arm)].map(([seed, { heldOut }]) => ({ seed, heldOut })),
      ]),
    ),
  }),
});
