// scripted: a player that follows a program (random, a rule, the optimal policy, a trained strategy) in place of the subject. A
// reference for arenas, without a model: it plays from the position that a query carries as data.

import { z } from "zod";
import { HoneError } from "../../core/errors.js";
import type { Answer, Query } from "../../core/language.js";
import { randomFor } from "../../core/random.js";
import type { LanguageSpecializer } from "../../core/specializer.js";
import { type Player, playerOf, type View } from "../../games/index.js";
import { defineSpecializer } from "../parts/define.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";

const scriptedOptions = z.strictObject({
  player: z
    .string()
    .min(1)
    .default("random")
    .describe("A scripted player of the arena's game, by name: optimal, equilibrium, rule, random, safest"),
});
/** Options of `scripted`. */
export type ScriptedOptions = z.input<typeof scriptedOptions>;

type State = { game: string };

/**
 * A scripted player as a subject. It has no answer to queries that are not positions of its game.
 *
 * @example
 * import { scripted } from "@honelab/hone";
 * scripted({ player: "optimal" }).label; // "scripted(optimal)"
 */
export function scripted(options: ScriptedOptions = {}): LanguageSpecializer {
  const { player: name } = readOptions(scriptedOptions, "scripted", options);
  return defineSpecializer<State>({
    name: "scripted",
    label: `scripted(${name})`,
    options: { player: name },
    reference: true,
    fit(_subject, { task }) {
      if (!("game" in task) || typeof task.game !== "string")
        throw new HoneError({
          what: `scripted(${name}) cannot play ${task.name}`,
          where: `task ${task.name}`,
          why: "it plays games, and this task is not one",
          next: "Leave it out, or make the domain task an arena.",
          kind: "usage",
        });
      playerOf(task.game, name);
      return { game: task.game };
    },
    behave: ({ game }) => {
      const player = playerOf(game, name);
      return { respond: async (query) => answerOf(player, game, query) };
    },
  });
}

function answerOf(player: Player, game: string, { position, options }: Query): Answer {
  const view = position?.view as View | undefined;
  if (!position || view?.game !== game) return { unscored: "no-game" };
  const random = randomFor(0, "scripted", ...position.stream);
  const { belief } = position;
  if (belief !== undefined) {
    const answer = player.believe?.(
      view,
      { name: belief, options: (options ?? []).map(({ key }) => key) },
      random,
    );
    return answer === undefined ? { unscored: "no-belief" } : { choice: answer };
  }
  const move = player.act(view, random);
  return options ? { choice: move } : { text: move };
}

/** Its entry in the table of specializers. */
export const scriptedEntry = {
  make: (options: ScriptedOptions) => scripted(options),
  options: scriptedOptions,
  summary: "A scripted player of an arena's game: random, by rule, optimal; needs no model",
  paper: "A reference: Hou et al. 2024, EgoSocialArena (arXiv 2410.06195), whose opponents are scripted",
  leaf: null,
} satisfies SpecializerEntry;
