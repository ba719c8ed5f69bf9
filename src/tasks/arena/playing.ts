// A language subject in an episode: it is queried at its turns, with the conversation so far; after an illegal answer it is queried
// once more, then the safest legal move is made for it. Belief queries are made outside the conversation and leave no trace in it.

import type { CallContext } from "../../core/call.js";
import type { LanguageSubject } from "../../core/kinds.js";
import { cameBackUnusable, type EpisodeTrail } from "../../core/language.js";
import type { Message } from "../../core/model.js";
import type { Decision, Game } from "../../games/index.js";
import { type Asking, askedAgain, beliefQuery, moveQuery, moveText, readMove, said } from "./asking.js";

/** A seat's player within one episode. */
export interface Seated {
  /** @throws Unplayable if there is no answer */
  decide(decision: Decision, at: number): Promise<string>;
}

/** A seated language subject; its record is updated during play. */
export interface SeatedSubject extends Seated {
  readonly decisions: number;
  readonly illegal: EpisodeTrail["illegal"];
  readonly beliefs: EpisodeTrail["beliefs"];
}

/** A failed answer: the sample is left unscored with this cause. */
export class Unplayable extends Error {
  constructor(readonly why: string) {
    super(why);
    this.name = "Unplayable";
  }
}

/** @param stream identifies deal and seat; together with the decision's number it seeds a scripted subject's random draws */
export function seatSubject(
  game: Game,
  subject: LanguageSubject,
  context: CallContext,
  asking: Asking,
  { beliefs: askBeliefs, stream }: { beliefs: boolean; stream: readonly (string | number)[] },
): SeatedSubject {
  const turns: Message[] = [];
  const illegal: EpisodeTrail["illegal"][number][] = [];
  const beliefs: EpisodeTrail["beliefs"][number][] = [];
  let decisions = 0;
  return {
    get decisions() {
      return decisions;
    },
    illegal,
    beliefs,
    async decide({ view, beliefs: known }, at) {
      const before = turns.slice();
      const drawn = [...stream, decisions++];
      for (const belief of askBeliefs ? known() : []) {
        const asked = beliefQuery(game, view, belief, before, asking, [...drawn, belief.name]);
        const { choice, unscored } = await subject.respond(asked, context);
        if (choice === undefined && !cameBackUnusable.includes(unscored ?? "")) {
          // A scripted player may have no beliefs; a model's failure leaves the sample unscored.
          if (unscored === "no-belief") continue;
          throw new Unplayable(unscored ?? "no-answer");
        }
        beliefs.push({ at, name: belief.name, answer: choice ?? "", truth: belief.truth });
      }
      const query = moveQuery(game, view, before, asking, drawn);
      const first = readMove(await subject.respond(query, context), view.legal);
      if ("unscored" in first) throw new Unplayable(first.unscored);
      let move: string;
      if ("move" in first) move = first.move;
      else {
        const again = askedAgain(query, first.wrote, view.legal);
        const second = readMove(await subject.respond(again, context), view.legal);
        if ("unscored" in second) throw new Unplayable(second.unscored);
        move = "move" in second ? second.move : game.safest(view);
        const wrote = first.wrote.slice(0, 200);
        illegal.push(
          "move" in second
            ? { at, wrote, by: "asked again" }
            : { at, wrote, again: second.wrote.slice(0, 200), by: "safest move" },
        );
      }
      turns.push(...said(query, moveText(game, view, move)));
      return move;
    },
  };
}
