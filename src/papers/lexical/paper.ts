// Massively Multilingual Lexical Specialization: what word vectors a multilingual language model has before and after it was
// trained on synonyms, and what they must beat.

import { constraintStatistics } from "../../data/constraints.js";
import { above, type Draft } from "../claim.js";
import { difference, type Measured, meanOverTasks, type Scores, scoresOf } from "../figures.js";
import { definePaper, paperTable } from "../paper.js";
import type { FinishedStudy } from "../plans.js";
import { cellName, generalist, layerName, lexicalPlans, specialist, taskName, taskNames } from "./plans.js";
import { readLexical } from "./read.js";
import { type LexicalSettings, presets } from "./settings.js";

type TaskKey = keyof typeof taskNames;
const keys = Object.keys(taskNames) as TaskKey[];

export const lexical = definePaper({
  name: "lexical",
  summary: "Do synonyms turn a multilingual language model's words into word vectors?",
  paper: "Green et al. 2023, Massively Multilingual Lexical Specialization (arXiv 2208.01018)",
  mostModels: 1,
  presets,
  data: {
    folders: ["lexical"],
    holding: "OMW's core, BLI dictionaries, cross-lingual Multi-SimLex, Tatoeba",
    read: (folder, { settings }) => readLexical(folder, settings),
  },
  plans: lexicalPlans,
  figures(studies) {
    const study = studies[0]?.study;
    const scores = (arm: string, task: TaskKey): Scores =>
      scoresOf((study?.rows(arm) ?? []).filter((row) => row.task === taskName(task)));
    return { study, scores };
  },
  claims({ study, scores }, { settings }) {
    const none = "No figure of the paper is known to us, only the direction.";
    const beats = (id: string, words: string, other: string, task: TaskKey): Draft =>
      above(id, words, null, none, difference(scores(specialist, task), scores(other, task)));
    const [less, more] = settings.constraints as [number?, number?];
    const cell = (count: number | undefined, languages: "few" | "many") =>
      scores(cellName(count ?? 0, languages), "seen");
    return [
      beats(
        "bli.seen",
        "Specialised words translate better (MRR, languages with constraints)",
        generalist,
        "seen",
      ),
      beats("bli.unseen", "So do words of languages without constraints", generalist, "unseen"),
      above(
        "similarity",
        "Their likeness is nearer to people's (Spearman, cross-lingual Multi-SimLex)",
        null,
        none,
        aggregated(study, taskName("similarity")),
      ),
      beats("retrieval", "Sentences find their translations more often (Tatoeba)", generalist, "retrieval"),
      beats("ngrams.seen", "They beat overlap of spelling (languages with constraints)", "ngrams", "seen"),
      beats("ngrams.unseen", "They beat overlap of spelling (languages without)", "ngrams", "unseen"),
      beats("input.seen", "They beat the model's own input embeddings", layerName(0), "seen"),
      above(
        "controlled",
        `${more} constraints of few languages are worth more than ${less} of many`,
        null,
        "The paper: the number of constraints matters much more than the set of languages.",
        difference(cell(more, "few"), cell(less, "many")),
      ),
    ];
  },
  tables({ study, scores }, { settings, data }) {
    if (!study) return [];
    const arms = armsOf(settings);
    const { languages } = constraintStatistics(data.constraints);
    return [
      paperTable(
        "Figures by subject (95 %)",
        ["subject", ...keys.map((task) => taskNames[task])],
        arms.map((arm) => [
          arm,
          ...keys.map((task) => {
            const name = study.result(arm)?.subject;
            const found =
              task === "similarity"
                ? study.record.results.find((one) => one.subject === name && one.task === taskName(task))
                : meanOverTasks(scores(arm, task));
            if (!found || found.mean === null) return "";
            const { mean, low, high } = found;
            return `${shown(mean)} (${shown(low)} to ${shown(high)})`;
          }),
        ]),
      ),
      paperTable(
        "Constraints by language",
        ["language", "synsets", "words", "pairs"],
        Object.entries(languages).map(([language, one]) => [
          language,
          String(one.synsets),
          String(one.words),
          String(one.pairs),
        ]),
      ),
    ];
  },
  deviations({ settings, models, data }) {
    const { training, queries, vocabulary, sentences } = settings;
    return [
      `The model is ${models[0]}, and a word is the mean of its tokens' states; the layer was fixed before anything was measured. The paper has mBERT and XLM-R, whose weights many machines cannot reach.`,
      `Constraints are ${data.constraints.length} pairs of OMW's core synsets (${data.before} before words of dev and test were taken out); the paper has BabelNet 5.0 in 50 languages.`,
      `${training.steps} steps of ${training.batch} pairs, LoRA of rank ${training.rank} at ${training.learningRate}; the paper trains adapters or all weights for two epochs at 5e-6. No checkpoint is chosen.`,
      `${queries} queries of each pair of languages among ${vocabulary} words (answers and the most frequent; French from the dictionaries alone), where the paper has 2,000 among 100,000; ${sentences} sentences of each of ${settings.retrieval.length} languages.`,
      `Similarity is Spearman's over ${settings.similarity} drawn pairs of each of 66 files together, the paper's a mean over files.`,
      "One training seed where one is given: intervals are over queries, for this training.",
      "Not among the references: skip-gram vectors mapped by Procrustes. What specialization costs in language modelling is not measured.",
    ];
  },
  more: ({ study, scores }, { settings, data }) => ({
    figures: study
      ? Object.fromEntries(
          armsOf(settings).map((arm) => [
            arm,
            Object.fromEntries(keys.map((task) => [taskNames[task], meanOverTasks(scores(arm, task))])),
          ]),
        )
      : {},
    constraints: constraintStatistics(data.constraints),
  }),
});

function armsOf(settings: LexicalSettings): string[] {
  return [
    "ngrams",
    ...settings.layers.map(layerName),
    generalist,
    specialist,
    ...settings.constraints.flatMap((count) => [cellName(count, "few"), cellName(count, "many")]),
  ];
}

/** The specialist against the generalist on a task whose figure is no mean: as the study compared them. */
function aggregated(study: FinishedStudy | undefined, task: string): Measured | null {
  const a = study?.result(specialist)?.subject;
  const b = study?.result(generalist)?.subject;
  const found = study?.record.comparisons.find(
    (one) => one.task === task && [one.a, one.b].includes(a ?? "") && [one.a, one.b].includes(b ?? ""),
  );
  if (!found) return null;
  const { n, delta, low, high, p } = found;
  return found.a === a
    ? { n, mean: delta, low, high, p, against: 0 }
    : { n, mean: -delta, low: -high, high: -low, p, against: 0 };
}

function shown(value: number): string {
  return value.toFixed(3);
}
