// Games against an opponent, scored by what the subject wins. Every subject plays the same deals, in both seats if there are
// two, against an opponent with the same random draws; its beliefs about hidden information are queried during play and
// compared with the truth.

import { z } from "zod";
import { HoneError } from "../../core/errors.js";
import { fingerprint } from "../../core/json.js";
import type { LanguageSubject } from "../../core/kinds.js";
import type { EpisodeTrail } from "../../core/language.js";
import { type Metric, share } from "../../core/metric.js";
import type { Grant } from "../../core/model.js";
import { randomFor } from "../../core/random.js";
import type { Grade, LanguageTask, TaskContext } from "../../core/task.js";
import { dealOf, episode, gameEntry, gameNames, playerOf } from "../../games/index.js";
import { waysToChoose } from "../choice.js";
import { taskEntry } from "../table.js";
import { type Asking, isWritten, moveQuery, moveText, said } from "./asking.js";
import { arenaDataSchema, dealSampleOf, drawDeals } from "./deals.js";
import { type Seated, type SeatedSubject, seatSubject, Unplayable } from "./playing.js";

const arenaSchema = z.strictObject({
  kind: z.literal("arena").describe("A game against an opponent, scored by winnings on the same deals"),
  game: z.enum(gameNames as [string, ...string[]]).describe("The game"),
  opponent: z
    .string()
    .min(1)
    .optional()
    .describe(
      "A scripted player of the game by name, or a model's reference; the game's usual one if omitted",
    ),
  instruction: z.string().optional().describe("The rules as the subject reads them; Hone's own if omitted"),
  beliefs: z.boolean().default(true).describe("Ask during play for beliefs about hidden information"),
  answerBy: z
    .enum(["label", "text"])
    .optional()
    .describe("Score a move's label (A, B, …) or its whole text; the better one on dev if omitted"),
  scoring: z
    .enum(["sum", "mean", "prior", "parse"])
    .optional()
    .describe(
      "How a move is read: log-probability summed, per token, less its prior, or parsed from written text; the best one on dev if omitted. Only a written answer can be an illegal move",
    ),
  maxTokens: z.int().min(1).max(4096).default(16).describe("Most tokens to write where moves are written"),
});

export type ArenaOptions = z.input<typeof arenaSchema>;

export interface ArenaTask extends LanguageTask {
  /** The game's name, by which scripted players are looked up. */
  readonly game: string;
}

/** The metric of an episode's score, by the game's unit of payoff. */
function metricOf(game: string): Metric {
  const { unit, range } = gameEntry(game).game;
  if (unit === "hits") return share("hits");
  const [least, most] = range;
  return { name: "winRate", better: "higher", unit: `${unit}/hand`, least, most, display: "number" };
}

/**
 * An arena. A sample's score is the subject's mean payoff over the seats that it plays on that deal, in big blinds, antes, bets or
 * the share of right guesses. After an illegal answer the subject is queried once more; then the safest legal move (check, fold,
 * stand) is made for it. `illegal` is the share of a deal's decisions with such an answer, `replaced` the share in which the safest
 * move was made; a study reports their means over deals. Where numbers are written, an answer whose first line is not just a number
 * names no move.
 *
 * @example
 * import { arena } from "@honelab/hone";
 * const task = arena("holdem", { kind: "arena", game: "holdem", opponent: "aggressive" });
 * task.metric.unit; // "bb/hand"
 */
export function arena(name: string, options: ArenaOptions): ArenaTask {
  const spec = arenaSchema.parse(options);
  const { game, seats, opponent: usual } = gameEntry(spec.game);
  const opponent = opponentOf(name, spec.game, spec.opponent ?? usual);
  const asking = askingFor(spec.game, spec);

  /** The query in a sample's position, as if the subject had moved like the teacher so far. */
  const positionOf = (sample: { input: string }) => {
    const { seed, number, moves } = dealSampleOf(sample);
    const going = episode(game, dealOf(game, seed, number));
    const seen: { seat: number; query: ReturnType<typeof moveQuery>; text: string }[] = [];
    for (let i = 0, step = going.next(); !step.done; i++) {
      const { view, seat } = step.value;
      const turns = seen.filter((one) => one.seat === seat).flatMap(({ query, text }) => said(query, text));
      const query = moveQuery(game, view, turns, asking, [seed, number, seat, seen.length]);
      const move = moves[i];
      if (move === undefined) return { query, view };
      seen.push({ seat, query, text: moveText(game, view, move) });
      step = going.next(move);
    }
    throw new Error(`${name}: the moves of a sample end the episode`);
  };

  return {
    name,
    kind: "arena",
    game: spec.game,
    subjects: "language",
    metric: metricOf(spec.game),
    details: [share("beliefs"), share("illegal"), share("replaced")],
    binary: false,
    id: fingerprint(["arena", asking.scoring === "parse" ? 4 : 3, name, spec]),
    query: (sample) => positionOf(sample).query,
    demonstration(sample) {
      const { query } = positionOf(sample);
      const { input, question, options: offered } = query;
      return {
        input,
        answer: sample.gold as string,
        ...(question === undefined ? {} : { question }),
        ...(offered ? { options: offered } : {}),
      };
    },
    async evaluate(subject: LanguageSubject, sample, context): Promise<Grade> {
      const { seed, number } = dealSampleOf(sample);
      const trail: ({ kind: "episode" } & EpisodeTrail)[] = [];
      let decisions = 0;
      for (const seat of seats) {
        const own = seatSubject(game, subject, context, asking, {
          beliefs: spec.beliefs,
          stream: [seed, number, seat],
        });
        try {
          const against = await opponent?.sit(context, asking, [seed, number, 1 - seat]);
          const seated = Array.from({ length: game.seats }, (_, i) =>
            i === seat ? own : (against as Seated),
          );
          trail.push({
            kind: "episode",
            ...(await playOut(spec.game, seed, number, seated, own, seat)),
            ...(opponent ? { opponent: opponent.name } : {}),
          });
        } catch (error) {
          if (error instanceof Unplayable) return { status: "unscored", cause: error.why };
          throw error;
        }
        decisions += own.decisions;
      }
      const score = trail.reduce((sum, { payoff }) => sum + payoff, 0) / trail.length;
      const illegal = trail.flatMap((one) => one.illegal);
      const beliefs = trail.flatMap((one) => one.beliefs);
      return {
        status: "scored",
        score,
        prediction: `${score > 0 ? "+" : ""}${Number(score.toFixed(3))} ${game.unit}`,
        details: {
          illegal: illegal.length / Math.max(1, decisions),
          replaced: illegal.filter(({ by }) => by === "safest move").length / Math.max(1, decisions),
          ...(beliefs.length > 0
            ? { beliefs: beliefs.filter(({ answer, truth }) => answer === truth).length / beliefs.length }
            : {}),
        },
        trail,
      };
    },
  };
}

/**
 * How a task's options prompt for moves; by default by label, with the game's rules.
 * @param grants what the model allows; a model without log-probabilities writes its move by default
 */
export function askingFor(
  game: string,
  { instruction, answerBy, scoring, maxTokens }: Partial<ArenaOptions>,
  grants?: ReadonlySet<Grant>,
): Asking {
  return {
    instruction: instruction ?? gameEntry(game).game.rules,
    answerBy: answerBy ?? "label",
    scoring: scoring ?? (grants && !grants.has("logprobs") ? "parse" : "sum"),
    maxTokens: maxTokens ?? 16,
  };
}

async function playOut(
  name: string,
  seed: number,
  number: number,
  seats: readonly Seated[],
  own: SeatedSubject,
  seat: number,
): Promise<EpisodeTrail> {
  const { game } = gameEntry(name);
  const going = episode(game, dealOf(game, seed, number));
  const moves: string[] = [];
  let step = going.next();
  while (!step.done) {
    const move = await (seats[step.value.seat] as Seated).decide(step.value, moves.length);
    moves.push(move);
    step = going.next(move);
  }
  const payoff = step.value.payoffs[seat] as number;
  return { game: name, seed, number, seat, moves, payoff, illegal: own.illegal, beliefs: own.beliefs };
}

/** The player in the other seat. */
interface Opponent {
  readonly name: string;
  sit(context: TaskContext, asking: Asking, stream: readonly number[]): Promise<Seated>;
}

/** @throws HoneError if the game has no such player, or needs none */
function opponentOf(task: string, game: string, name: string | undefined): Opponent | undefined {
  const entry = gameEntry(game);
  if (entry.game.seats === 1) {
    if (name === undefined) return undefined;
    throw new HoneError({
      what: `${entry.game.title} has no opponent`,
      where: `task ${task}, field opponent`,
      next: "Leave it out: the dealer plays by the rules.",
      kind: "usage",
    });
  }
  const ref = name as string;
  if (!ref.includes(":")) {
    const player = playerOf(game, ref);
    return {
      name: ref,
      async sit(_context, _asking, stream) {
        const random = randomFor(0, "opponent", ...stream);
        return { decide: async ({ view }) => player.act(view, random) };
      },
    };
  }
  return {
    name: ref,
    async sit(context, asking, stream) {
      const { subject, context: apart } = await context.open(ref);
      if (subject.kind !== "language")
        throw new HoneError({
          what: `${ref} cannot play ${entry.game.title}`,
          where: `task ${task}, field opponent`,
          why: `games are for language subjects, and this one is of kind ${subject.kind}`,
          next: "Name a language model.",
          kind: "usage",
        });
      const writes = subject.model !== undefined && !subject.model.grants.has("logprobs");
      const how: Asking = writes ? { ...asking, scoring: "parse" } : asking;
      return seatSubject(entry.game, subject, apart, how, { beliefs: false, stream });
    },
  };
}

export const arenaTask = taskEntry({
  options: arenaSchema,
  data: arenaDataSchema.prefault({}).describe("How many deals are drawn"),
  make: arena,
  draw: drawDeals,
  ways: (options, grants) => {
    // Numbers are always written, so there is only one way.
    if (isWritten(gameEntry(options.game).game)) return [{ label: "written", options }];
    return waysToChoose(options, grants);
  },
});
