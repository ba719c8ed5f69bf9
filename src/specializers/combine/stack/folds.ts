// Divides train into parts for out-of-fold predictions, and restricts the study's `given` to some samples.

import type { Kind } from "../../../core/kinds.js";
import type { Query } from "../../../core/language.js";
import type { Sample } from "../../../core/sample.js";
import type { Given } from "../../../core/specializer.js";
import { foldsOf, groupsOf } from "../../../learn/folds.js";

/** Train's queries and right answers by sample, and the part that each sample is in. */
export interface Divided {
  queries: readonly Query[];
  answers: readonly string[];
  foldOf: Int32Array;
}

/** Parts with similar answer distributions; groups, and samples with the same text, stay together. */
export function divideTrain({ task, train }: Given, folds: number): Divided {
  const queries = train.map((sample) => task.query(sample));
  const answers = train.map((sample) => task.demonstration(sample).answer);
  const known = [...new Set(answers)];
  const targets = answers.map((answer) => known.indexOf(answer));
  return { queries, answers, foldOf: foldsOf(targets, groupsOf(task, train), folds) };
}

/**
 * The study's `given` with only some train samples and its own place for unfinished work: code that fits more than one
 * specializer gives each such a part, so that none finds what another left.
 */
export function partOf<K extends Kind>(
  given: Given<K>,
  place: string,
  train: readonly Sample[],
  note: string,
): Given<K> {
  const { artifacts } = given;
  return {
    ...given,
    train,
    artifacts: { ...artifacts, scratch: (key) => artifacts.scratch(`${place}/${key}`) },
    progress: (done, total, more) => given.progress(done, total, more ? `${note}: ${more}` : note),
  };
}
