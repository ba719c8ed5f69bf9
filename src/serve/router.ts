// Routes a request to one of several specialists: the one for the task that it names, else the one whose training data share
// most of the request's words, with rare words weighted more.

import { seenBy, wordsOf } from "../study/saved.js";
import { Problem } from "./problem.js";
import type { Served } from "./served.js";

/** Requests for the model of this name are routed. */
export const routerName = "auto";

export interface Router {
  /** @throws Problem where no specialist has the task, or none knows any of the words */
  choose: (input: string, task: string | undefined) => Served;
}

/** A router over specialists; undefined if there are fewer than two. */
export function makeRouter(all: readonly Served[]): Router | undefined {
  const specialists = all.flatMap((served) => {
    const { predictor } = served;
    if (!predictor) return [];
    const { profile, task } = predictor.saved;
    return [{ served, task: task.name, seen: profile && seenBy(profile) }];
  });
  if (specialists.length < 2) return undefined;
  return {
    choose(input, task) {
      if (task !== undefined) {
        const found = specialists.find((one) => one.task === task || one.served.id === task);
        if (found) return found.served;
        const known = specialists.map((one) => one.task).join(", ");
        throw new Problem(400, `No specialist has the task ${task}; the tasks are ${known}.`.slice(0, 400), {
          param: "task",
        });
      }
      const words = [...new Set(wordsOf(input))].slice(0, 5_000);
      const scores = specialists.map(() => 0);
      for (const word of words) {
        const knowing = specialists.map(({ seen }) => (seen?.(word) ? 1 : 0));
        const n = knowing.reduce((sum: number, one) => sum + one, 0);
        if (n === 0) continue;
        // A word that all of them know carries no information.
        const weight = Math.log(1 + specialists.length / n) - Math.log(2);
        for (const [i, knows] of knowing.entries()) scores[i] = (scores[i] as number) + knows * weight;
      }
      const best = Math.max(...scores);
      const winners = specialists.filter((_, i) => scores[i] === best);
      if (winners.length === 1) return (winners[0] as (typeof winners)[number]).served;
      throw new Problem(
        400,
        "The input does not tell which specialist it is for: name the task or the model.",
        {
          param: "task",
          code: "ambiguous",
        },
      );
    },
  };
}
