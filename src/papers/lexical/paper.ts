// Massively Multilingual Lexical Specialization: the word vectors of a multilingual language model before and after training
// on synonyms, and the references that they must beat.

import { above, below, type Draft, inUnit } from "../claim.js";
import { crossedDifference, type Measured, type Row } from "../figures.js";
import { definePaper } from "../paper.js";
import type { FinishedStudy } from "../plans.js";
import { lexicalFigures, lexicalMore, lexicalTables } from "./figures.js";
import {
  cellName,
  generalist,
  layerName,
  lexicalPlans,
  ngrams,
  specialist,
  type TaskKey,
  taskName,
  vectors,
  withGlosses,
} from "./plans.js";
import { readLexical } from "./read.js";
import { presets } from "./settings.js";

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
  figures: lexicalFigures,
  claims({ study, rows, inEnglish, bits }, { settings }) {
    const difference = (a: readonly Row[], b: readonly Row[]) =>
      crossedDifference(a, b, null, { range: [0, 1] });
    // Bits have no upper bound; texts are weighted by their bytes.
    const bitsLost = crossedDifference(bits(specialist), bits(generalist), "bytes");
    const beats = (id: string, words: string, other: string, task: TaskKey, note = none): Draft =>
      above(id, words, null, note, difference(rows(specialist, task), rows(other, task)));
    const [less, more] = settings.constraints as [number?, number?];
    const cell = (count: number | undefined, languages: "few" | "many") =>
      rows(cellName(count ?? 0, languages), "seen");
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
        difference(rows(specialist, "areas"), rows(generalist, "areas")),
      ),
      ...(settings.modelling
        ? [
            inUnit(
              "bits per byte",
              above(
                "modelling",
                "Specialization costs language modelling (facts of court cases)",
                null,
                ours,
                bitsLost,
              ),
            ),
          ]
        : []),
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
  tables: lexicalTables,
  deviations({ settings, models, data }) {
    const { training, queries, vocabulary, sentences } = settings;
    return [
      `The model is ${models[0]}, and a word is the mean of its tokens' states; the layer was fixed before anything was measured. The paper has mBERT and XLM-R, whose weights many machines cannot reach.`,
      `Constraints are ${data.constraints.length} pairs of OMW's core synsets (${data.before} before words of dev and test were taken out); the paper has BabelNet 5.0 in 50 languages.`,
      `${training.steps} steps of ${training.batch} pairs, ${training.method === "full" ? "all weights" : `LoRA of rank ${training.rank}`} at ${training.learningRate}; the paper trains adapters or all weights for two epochs at 5e-6${training.schedule === "constant" ? "" : ", constant where ours rises and falls"}. No checkpoint is chosen.`,
      `${queries} queries of each pair of languages among ${vocabulary} words (answers and the most frequent; French from the dictionaries alone), where the paper has 2,000 among 100,000; ${sentences} sentences of each of ${settings.retrieval.length} languages.`,
      `Similarity is Spearman's over ${settings.similarity} drawn pairs of each of 66 files together, the paper's a mean over files.`,
      settings.seeds.length === 1
        ? "One training seed: intervals are over queries, for this training."
        : `${settings.seeds.length} training seeds: intervals are over queries and seeds.`,
      `Word vectors were trained on ${data.corpora.length} sentences: ${sentencesBy(data.corpora)}. ${weak}`,
      settings.modelling
        ? `The cost to language modelling is of ${settings.modelling.texts} English texts, ${settings.modelling.bytes} bytes each; the layers above the one that is read are the generalist's own.`
        : "The cost to language modelling is not measured: the model is no decoder.",
      settings.english
        ? "The English encoder is asked for words of definitions of held-out synsets. There is no monolingual Multi-SimLex among the data: the cross-lingual files do not say which pairs are translations of each other."
        : undefined,
    ];
  },
  more: lexicalMore,
});

const weak =
  "Their corpora are small, for all but English a thousand sentences at most, so that they are a weak reference; fastText's have billions of words.";

function sentencesBy(corpora: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const line of corpora) {
    const language = line.slice(0, line.indexOf("\t"));
    counts.set(language, (counts.get(language) ?? 0) + 1);
  }
  return [...counts].map(([language, count]) => `${language} ${count}`).join(", ");
}

/** The specialist against the generalist on a task whose figure is not a mean, as the study compared them. */
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
