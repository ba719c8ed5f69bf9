// Massively Multilingual Lexical Specialization: what word vectors a multilingual language model has before and after it was
// trained on synonyms, and what they must beat.

import type { Estimate } from "../../core/record.js";
import { constraintStatistics } from "../../data/constraints.js";
import { above, below, type Draft } from "../claim.js";
import { difference, type Measured, meanOverTasks, type Scores, scoresOf } from "../figures.js";
import { definePaper, paperTable } from "../paper.js";
import type { FinishedStudy } from "../plans.js";
import {
  cellName,
  englishTasks,
  generalist,
  layerName,
  lexicalPlans,
  ngrams,
  specialist,
  type TaskKey,
  taskName,
  taskNames,
  vectors,
  withGlosses,
} from "./plans.js";
import { readLexical } from "./read.js";
import { type LexicalSettings, presets } from "./settings.js";

const keys = Object.keys(taskNames) as TaskKey[];
const none = "No figure of the paper is known to us, only the direction.";
const ours = "The paper has no such claim.";

export const lexical = definePaper({
  name: "lexical",
  summary: "Do synonyms turn a multilingual language model's words into word vectors?",
  paper: "Green et al. 2023, Massively Multilingual Lexical Specialization (arXiv 2208.01018)",
  mostModels: 1,
  presets,
  data: {
    folders: ["lexical", "law"],
    holding: "OMW's core, BLI dictionaries, cross-lingual Multi-SimLex, Tatoeba; law/scdb_oyez/",
    read: (folder, { settings }) => readLexical(folder, settings),
  },
  plans: lexicalPlans,
  figures(studies) {
    const found = (part: string) => studies.find(({ plan }) => plan.part === part)?.study;
    const [study, english] = [found("words"), found("english")];
    const of = (from: FinishedStudy | undefined, arm: string, task: string): Scores =>
      scoresOf((from?.rows(arm) ?? []).filter((row) => row.task === task));
    return {
      study,
      english,
      scores: (arm: string, task: TaskKey) => of(study, arm, taskName(task)),
      inEnglish: (arm: string, task: keyof typeof englishTasks) => of(english, arm, englishTasks[task]),
    };
  },
  claims({ study, scores, inEnglish }, { settings }) {
    const beats = (id: string, words: string, other: string, task: TaskKey, note = none): Draft =>
      above(id, words, null, note, difference(scores(specialist, task), scores(other, task)));
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
      beats("ngrams.seen", "They beat overlap of spelling (languages with constraints)", ngrams, "seen"),
      beats("ngrams.unseen", "They beat overlap of spelling (languages without)", ngrams, "unseen"),
      beats(
        "vectors.seen",
        "They beat mapped skip-gram vectors, both with CSLS (languages with constraints)",
        vectors,
        "seenCsls",
        weak,
      ),
      beats(
        "vectors.unseen",
        "They beat mapped skip-gram vectors, both with CSLS (languages without)",
        vectors,
        "unseenCsls",
        weak,
      ),
      beats("input.seen", "They beat the model's own input embeddings", layerName(0), "seen"),
      above(
        "controlled",
        `${more} constraints of few languages are worth more than ${less} of many`,
        null,
        "The paper: the number of constraints matters much more than the set of languages.",
        difference(cell(more, "few"), cell(less, "many")),
      ),
      below(
        "cost",
        "Specialization costs accuracy elsewhere (areas of law, logistic regression on the vectors)",
        null,
        ours,
        difference(scores(specialist, "areas"), scores(generalist, "areas")),
      ),
      ...(settings.english
        ? [
            above(
              "english",
              "An English encoder finds more words of their definitions (MRR)",
              null,
              ours,
              difference(inEnglish(specialist, "definitions"), inEnglish(generalist, "definitions")),
            ),
            above(
              "english.glosses",
              "With glosses among the constraints it finds still more",
              null,
              "The paper has gloss variants; none of its figures is known to us.",
              difference(inEnglish(withGlosses, "definitions"), inEnglish(specialist, "definitions")),
            ),
            below(
              "english.cost",
              "It loses accuracy elsewhere (areas of law)",
              null,
              ours,
              difference(inEnglish(specialist, "areas"), inEnglish(generalist, "areas")),
            ),
          ]
        : []),
    ];
  },
  tables({ study, english, scores, inEnglish }, { settings, models, data }) {
    const spoken = (found: { mean: number | null; low: number; high: number } | null | undefined) =>
      found && found.mean !== null
        ? `${shown(found.mean)} (${shown(found.low)} to ${shown(found.high)})`
        : "";
    const own = layerOf(models);
    const layers = [...settings.layers, ...(own === undefined ? [] : [own])].sort((a, b) => a - b);
    const nameOf = (layer: number) => (layer === own ? generalist : layerName(layer));
    const figure = (arm: string, task: TaskKey) =>
      task === "similarity" && study ? correlation(study, arm) : meanOverTasks(scores(arm, task));
    const { languages } = constraintStatistics(data.constraints);
    return [
      paperTable(
        "Figures by subject (95 %)",
        ["subject", ...keys.map((task) => taskNames[task])],
        study ? armsOf(settings).map((arm) => [arm, ...keys.map((task) => spoken(figure(arm, task)))]) : [],
      ),
      paperTable(
        "The generalist by layer",
        ["layer", ...keys.map((task) => taskNames[task])],
        study
          ? layers.map((layer) => [
              String(layer),
              ...keys.map((task) => {
                const mean = figure(nameOf(layer), task)?.mean ?? null;
                return mean === null ? "" : shown(mean);
              }),
            ])
          : [],
        0,
      ),
      paperTable(
        "An English encoder (95 %)",
        ["subject", ...Object.values(englishTasks)],
        english
          ? englishArms.map((arm) => [
              arm,
              ...(Object.keys(englishTasks) as (keyof typeof englishTasks)[]).map((task) =>
                spoken(meanOverTasks(inEnglish(arm, task))),
              ),
            ])
          : [],
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
      `Word vectors were trained on ${data.corpora.length} sentences: ${sentencesBy(data.corpora)}. ${weak}`,
      "What specialization costs elsewhere is measured on a classification. Language modelling is not measured: an encoder's subject ends at the layer that is read, and gives no probabilities of tokens.",
      settings.english
        ? "The English encoder is asked for words of definitions of held-out synsets. There is no monolingual Multi-SimLex among the data: the cross-lingual files do not say which pairs are translations of each other."
        : undefined,
    ];
  },
  more: ({ study, english, scores, inEnglish }, { settings, data }) => {
    const { byLanguages: _, ...constraints } = constraintStatistics(data.constraints);
    return {
      figures: study
        ? Object.fromEntries(
            armsOf(settings).map((arm) => [
              arm,
              Object.fromEntries(
                keys.map((task) => [
                  taskNames[task],
                  task === "similarity" ? correlation(study, arm) : meanOverTasks(scores(arm, task)),
                ]),
              ),
            ]),
          )
        : {},
      english: english
        ? Object.fromEntries(
            englishArms.map((arm) => [
              arm,
              Object.fromEntries(
                (Object.keys(englishTasks) as (keyof typeof englishTasks)[]).map((task) => [
                  englishTasks[task],
                  meanOverTasks(inEnglish(arm, task)),
                ]),
              ),
            ]),
          )
        : {},
      constraints,
    };
  },
});

const weak =
  "Their corpora are small, for all but English a thousand sentences at most, so that they are a weak reference; fastText's have billions of words.";

const englishArms = [ngrams, vectors, layerName(0), generalist, specialist, withGlosses];

function armsOf(settings: LexicalSettings): string[] {
  return [
    ngrams,
    vectors,
    ...settings.layers.map(layerName),
    generalist,
    specialist,
    ...settings.constraints.flatMap((count) => [cellName(count, "few"), cellName(count, "many")]),
  ];
}

/** The layer at which the generalist is read, where its reference says so. */
function layerOf(models: readonly string[]): number | undefined {
  const found = /[?&]layer=(\d+)/.exec(models[0] ?? "")?.[1];
  return found === undefined ? undefined : Number(found);
}

function sentencesBy(corpora: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const line of corpora) {
    const language = line.slice(0, line.indexOf("\t"));
    counts.set(language, (counts.get(language) ?? 0) + 1);
  }
  return [...counts].map(([language, count]) => `${language} ${count}`).join(", ");
}

/** An arm's correlation with people's scores, which is no mean of its rows. */
function correlation(study: FinishedStudy, arm: string): Estimate | null {
  const name = study.result(arm)?.subject;
  const found = study.record.results.find(
    (one) => one.subject === name && one.task === taskName("similarity"),
  );
  if (!found || found.mean === null) return null;
  const { n, mean, low, high } = found;
  return { n, mean, low, high };
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
