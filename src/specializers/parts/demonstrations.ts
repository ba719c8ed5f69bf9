// Puts stored train examples into a prompt: what must be left out and what must be added for a query.

import type { Demonstration, Option, Query } from "../../core/language.js";
import { type Random, shuffled } from "../../core/random.js";
import type { LanguageTask } from "../../core/task.js";
import { sameTextKey } from "../../learn/text.js";
import type { JsonOf } from "./define.js";

/** Examples as a state keeps them. */
export type KeptDemonstrations = {
  shots: JsonOf<Demonstration>[];
  /** The options that the examples share and therefore do not repeat; null where there are none or each has its own. */
  labels: JsonOf<Option>[] | null;
};

export function keepDemonstrations(shots: readonly Demonstration[], task: LanguageTask): KeptDemonstrations {
  return {
    shots: [...shots] as JsonOf<Demonstration>[],
    labels: task.labels?.map((label) => ({ ...label })) ?? null,
  };
}

/**
 * Puts examples before a query's own. The query itself is never among them: that would show the model its answer. Before
 * a query of another task (the study's `elsewhere`), or one that lists options in an order of its own, each example
 * lists its options, too; otherwise its answer would be read as one of the query's.
 */
export function prepend(
  shots: readonly Demonstration[],
  labels: readonly Option[] | null,
  query: Query,
): Query {
  const own = sameTextKey(query);
  const others = shots.filter((shot) => sameTextKey(shot) !== own);
  const atHome = labels === null || (!query.ownOptions && sameOptions(labels, query.options ?? []));
  const shown = atHome ? others : others.map((shot) => (shot.options ? shot : { ...shot, options: labels }));
  return { ...query, demonstrations: [...shown, ...query.demonstrations] };
}

function sameOptions(a: readonly Option[], b: readonly Option[]): boolean {
  return (
    a.length === b.length && a.every((option, i) => option.key === b[i]?.key && option.text === b[i]?.text)
  );
}

/**
 * One example of each answer in turn, in shuffled order of answers, until there are k. The result is shuffled once
 * more, because a model would continue a repeating pattern of answers.
 */
export function inTurn(mixed: readonly Demonstration[], k: number, random: Random): Demonstration[] {
  const queues = new Map<string, Demonstration[]>();
  for (const shot of mixed) {
    const queue = queues.get(shot.answer);
    if (queue) queue.push(shot);
    else queues.set(shot.answer, [shot]);
  }
  const order = shuffled([...queues.values()], random);
  const chosen: Demonstration[] = [];
  const wanted = Math.min(k, mixed.length);
  for (let turn = 0; chosen.length < wanted; turn++) {
    for (const queue of order) {
      const shot = queue[turn];
      if (shot && chosen.length < wanted) chosen.push(shot);
    }
  }
  return shuffled(chosen, random);
}
