// DeepSeekMoE: dense nets and mixtures of experts trained from scratch on the same tokens of the same texts, compared by
// documents and seeds, and probed.

import type { ExpertNotes, TrainingNotes } from "../../core/training.js";
import {
  type BySeed,
  columnsDifference,
  crossedDifference,
  meanOverSeeds,
  seedDifference,
} from "../figures.js";
import { definePaper, paperTable } from "../paper.js";
import { splitFiles } from "../plans.js";
import { claimsOf, type MoeFigures } from "./claims.js";
import { readTexts } from "./read.js";
import { type ArmName, lookedInto, margin, nets, presets, textsTask } from "./settings.js";

export const deepseekmoe = definePaper({
  name: "deepseekmoe",
  summary: "Do many small experts, some of them shared, beat few large ones at equal cost?",
  paper: "Dai et al. 2024, DeepSeekMoE (arXiv 2401.06066)",
  unit: "0.01 bits per byte",
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
          task: textsTask(domains),
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
  figures([only], { settings }) {
    const study = only?.study;
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
    const notesOf = (arm: ArmName) => [...trainings(arm).values()].flatMap(({ experts }) => experts ?? []);
    const bytesOf = () => settings.arms.flatMap(notesOf)[0]?.bytes ?? [];
    const found = (arm: ArmName) => of(arm, ({ information }) => information.mean);
    const shuffledHigh = (arm: ArmName) =>
      of(arm, (notes) => overLayers(notes, ({ shuffled }) => shuffled.high));
    const violation = (arm: ArmName) =>
      of(arm, (notes) => overLayers(notes, ({ maxViolation }) => maxViolation));
    const probed = (arm: ArmName, what: string) =>
      of(arm, ({ probes }) => probes.find((one) => one.what === what)?.value);
    const figures: MoeFigures = {
      difference: (a, b, against = 0) => crossedDifference(rows(a), rows(b), "bytes", { against }),
      probe: (arm, which) =>
        notesOf(arm).flatMap(({ probes }) => {
          const found = probes.find(which);
          return found ? [found.texts] : [];
        }),
      violations: (arm) => notesOf(arm).map(({ violations }) => violations),
      onTexts: (x, y, crossing) => columnsDifference(x, y, bytesOf(), crossing),
      onViolations: (x, y) =>
        columnsDifference(
          x,
          y,
          bytesOf().map(() => 1),
        ),
      information: (arm) => {
        const measured = seedDifference(found(arm), shuffledHigh(arm));
        return (
          measured && { ...measured, p: Math.max(...notesOf(arm).map(({ information }) => information.p)) }
        );
      },
      routedOf: (arm) => [...trainings(arm).values()][0]?.experts?.layers[0]?.load.length ?? null,
    };
    const result = (arm: ArmName) => study?.result(arm);
    return { ...figures, trainings, result, violation, found, shuffledHigh, probed };
  },
  claims: (figures) => claimsOf(figures),
  tables: ({ result, trainings, difference, violation, found, shuffledHigh, probed }, { settings, data }) => {
    const number = (value: number | undefined, digits = 3) =>
      value === undefined ? "" : value.toFixed(digits).replace("-", "−");
    const range = (one: { mean: number; low: number; high: number } | null | undefined, digits = 3) =>
      one ? `${number(one.mean, digits)} (${number(one.low, digits)} to ${number(one.high, digits)})` : "";
    const arms = settings.arms.filter((arm) => result(arm));
    const readOf = () => {
      const { "tokens read": read = Number.NaN, "train tokens": all = Number.NaN } =
        arms.flatMap((arm) => [...trainings(arm).values()])[0]?.facts ?? {};
      return read >= all ? "all, some more than" : `${((100 * read) / all).toFixed(0)} %,`;
    };
    return [
      paperTable(
        "Bits per byte on test (95 % over documents and seeds), and what each net costs",
        [
          "net",
          "bits per byte",
          "difference from dense",
          "parameters, M",
          "activated, M",
          "training MFLOPs per token",
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
            range(meanOverSeeds(probed(arm, what))),
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
            range(meanOverSeeds(found(arm))),
            range(meanOverSeeds(shuffledHigh(arm))),
          ]),
      ),
      paperTable(
        `Texts; of their tokens a training reads ${readOf()} once`,
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
      "Bits per byte of documents, each from its own beginning in rows of the net's context; intervals over documents and seeds, crossed. Figures of experts changed at test time are of dev texts, with texts and seeds as the units.",
      `"As good as" means worse by less than ${margin} bits per byte, fixed before measuring.`,
      "The paper's figures beside the claims are nats a token of the Pile, ours bits per byte of these texts: their signs compare, not their sizes.",
      "The balance loss counts over the batch; initial weights have a deviation of 0.02 (paper: 0.006). No benchmark of the paper is asked: nets of this size cannot answer them.",
      "Loss-free balancing moves each bias by a fixed step against its expert's surplus (Wang et al. 2024, algorithm 1), under softmax gates.",
      "The step of the least dev loss is kept, the same way for every net. One learning rate for all nets, not chosen for any (the paper has 1.08e-3).",
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
