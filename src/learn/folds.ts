// Divides a training set into parts for cross-validation: groups stay together, and every part has about its share of each
// class.

import { randomFor, shuffled } from "../core/random.js";
import type { Sample } from "../core/sample.js";
import type { LanguageTask } from "../core/task.js";
import { sameTextKey } from "./text.js";

/** What each sample is held out with: its group, else the samples with the same text. */
export function groupsOf(task: Pick<LanguageTask, "query">, samples: readonly Sample[]): string[] {
  return samples.map((sample) => sample.group ?? sameTextKey(task.query(sample)));
}

/**
 * The part that each sample belongs to, 0 to `count` - 1. The draw is fixed by `seed`. Groups are dealt out largest first,
 * each to the part that has the fewest of its classes, then the fewest samples.
 * @param groups one name per sample; undefined for a sample without a group
 */
export function foldsOf(
  targets: ArrayLike<number>,
  groups: readonly (string | undefined)[],
  count: number,
  seed = 1,
): Int32Array {
  const members = new Map<string, number[]>();
  for (let i = 0; i < targets.length; i++) {
    const key = groups[i] === undefined ? `sample ${i}` : `group ${groups[i]}`;
    const list = members.get(key);
    if (list) list.push(i);
    else members.set(key, [i]);
  }
  const folds = new Int32Array(targets.length);
  const sizes = new Array<number>(count).fill(0);
  const ofClass = Array.from({ length: count }, () => new Map<number, number>());
  const dealt = shuffled([...members.values()], randomFor(seed, "folds")).sort((a, b) => b.length - a.length);
  for (const group of dealt) {
    const crowd = ofClass.map((counts) =>
      group.reduce((sum, i) => sum + (counts.get(targets[i] as number) ?? 0), 0),
    );
    let best = 0;
    for (let fold = 1; fold < count; fold++) {
      const less = (crowd[fold] as number) - (crowd[best] as number);
      if (less < 0 || (less === 0 && (sizes[fold] as number) < (sizes[best] as number))) best = fold;
    }
    for (const i of group) {
      folds[i] = best;
      const counts = ofClass[best] as Map<number, number>;
      counts.set(targets[i] as number, (counts.get(targets[i] as number) ?? 0) + 1);
    }
    sizes[best] = (sizes[best] as number) + group.length;
  }
  return folds;
}
