// Turns a position into the query for a language subject, and its answer into a move.

import type { Json } from "../../core/json.js";
import { type Answer, cameBackUnusable, type Query, type Scoring } from "../../core/language.js";
import type { Message } from "../../core/model.js";
import type { Belief, Game, View } from "../../games/index.js";

/** How moves are prompted for. */
export interface Asking {
  instruction: string;
  answerBy: "label" | "text";
  scoring: Scoring;
  maxTokens: number;
}

/** Games with more moves than there are labels have their moves written. */
const mostListed = 26;

/** The text of a position for a person or a model, without the question. */
function positionText(game: Game, view: View): string {
  return game.describe(view);
}

/** The text of a move as an option. */
export function moveText(game: Game, view: View, move: string): string {
  return game.moveText?.(view, move) ?? move;
}

/** Whether a game's moves are written rather than chosen from a list. */
export function isWritten(game: Pick<Game, "moves">): boolean {
  return game.moves.length > mostListed;
}

/** The query for a move, for the seat whose turn it is. @param turns the earlier conversation in this episode */
export function moveQuery(
  game: Game,
  view: View,
  turns: readonly Message[],
  asking: Asking,
  stream: readonly (string | number)[],
): Query {
  return {
    instruction: asking.instruction,
    input: positionText(game, view),
    question: isWritten(game) ? "Which number? Answer with the number alone." : "What is your move?",
    demonstrations: [],
    maxTokens: asking.maxTokens,
    position: { view: view as Json, stream },
    ...(turns.length > 0 ? { turns } : {}),
    ...(isWritten(game)
      ? {}
      : {
          options: view.legal.map((move) => ({ key: move, text: moveText(game, view, move) })),
          ownOptions: true,
          answerBy: asking.answerBy,
          scoring: asking.scoring,
        }),
  };
}

/** The query for a belief about the same position. */
export function beliefQuery(
  game: Game,
  view: View,
  belief: Belief,
  turns: readonly Message[],
  asking: Asking,
  stream: readonly (string | number)[],
): Query {
  return {
    instruction: asking.instruction,
    input: positionText(game, view),
    question: belief.question,
    demonstrations: [],
    maxTokens: asking.maxTokens,
    position: { view: view as Json, belief: belief.name, stream },
    ...(turns.length > 0 ? { turns } : {}),
    options: belief.options.map((option) => ({ key: option, text: option })),
    ownOptions: true,
    answerBy: asking.answerBy,
    scoring: asking.scoring,
  };
}

/** The query after an illegal answer: the same once more, with the earlier answer in the conversation. */
export function askedAgain(query: Query, wrote: string, legal: readonly string[]): Query {
  const moves = legal.length > mostListed ? `${legal[0]} to ${legal.at(-1)}` : legal.join(", ");
  return {
    ...query,
    input: `That is not a legal move. The legal moves are: ${moves}.`,
    turns: [...(query.turns ?? []), ...said(query, wrote)],
  };
}

/** A query and its answer as turns of the conversation. */
export function said({ input, question }: Query, answer: string): Message[] {
  return [
    { role: "user", content: [input, question].filter(Boolean).join("\n") },
    { role: "assistant", content: answer },
  ];
}

/** How an answer is read: as a move; as text that is not a legal move; or as no answer at all, with the cause. */
export type ReadMove = { move: string } | { wrote: string } | { unscored: string };

export function readMove(answer: Answer, legal: readonly string[]): ReadMove {
  const { choice, text, unscored } = answer;
  if (choice !== undefined) return legal.includes(choice) ? { move: choice } : { wrote: choice };
  if (unscored !== undefined && !cameBackUnusable.includes(unscored)) return { unscored };
  if (text === undefined) return unscored === undefined ? { unscored: "no-answer" } : { wrote: "" };
  if (unscored !== undefined) return { wrote: text };
  // Written moves: the first line must be just a number, as requested. A number within a sentence is not surely the move: "Round
  // 4: 45".
  const number = /^\s*["'*`]*(\d+)["'*`.]*[^\S\n]*(?:\n|$)/.exec(text)?.[1];
  return number !== undefined && legal.includes(number) ? { move: number } : { wrote: text };
}
