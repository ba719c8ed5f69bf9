// hone play GAME: a person (or moves from a pipe) against a scripted player, a model or a saved specialist.

import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { HoneError } from "../core/errors.js";
import type { Subject } from "../core/kinds.js";
import { randomFor } from "../core/random.js";
import { type Decision, dealOf, episode, gameEntry, type Player, playerOf } from "../games/index.js";
import { openModel } from "../models/registry.js";
import { oneLine, plainText } from "../report/escape.js";
import { begin } from "../study/kinds.js";
import { loadSpecialist } from "../study/specialist.js";
import { type ArenaOptions, arenaTask, askingFor } from "../tasks/arena/index.js";
import { type Seated, type SeatedSubject, seatSubject, Unplayable } from "../tasks/arena/playing.js";
import { makeOutput } from "./output.js";

interface Flags {
  against?: string;
  hands: number;
  seed?: number;
  json?: boolean;
}

/** The opponent, seated again in every hand. */
interface Opposite {
  name: string;
  sit: (stream: readonly number[]) => Seated & Partial<Pick<SeatedSubject, "illegal">>;
  close: () => Promise<void>;
}

export async function play(name: string, flags: Flags): Promise<void> {
  const output = makeOutput(flags);
  const { game, seats, opponent: usual } = gameEntry(name);
  const opposite = await opponentFor(name, flags.against ?? usual);
  const seed = flags.seed ?? Math.floor(Math.random() * 2 ** 31);
  const lines = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
  const typed = lines[Symbol.asyncIterator]();
  /** The next line; undefined if there is none, or the person wants to leave. */
  const next = async (prompt: string): Promise<string | undefined> => {
    if (process.stdin.isTTY) process.stderr.write(prompt);
    const line = await typed.next();
    const text = line.done ? undefined : line.value.trim();
    return text === undefined || /^(q|quit|exit)$/i.test(text) ? undefined : text;
  };
  output.prose(`${game.rules}\n`);
  output.prose(`${opposite ? `You play against ${plainText(opposite.name)}. ` : ""}Type q to leave.`);
  let won = 0;
  let hands = 0;
  try {
    for (; hands < flags.hands; hands++) {
      const seat = seats[hands % seats.length] as number;
      output.say(`\n== Hand ${hands + 1} of ${flags.hands}, you are player ${seat} ==`);
      const other = opposite?.sit([seed, hands, 1 - seat]);
      const going = episode(game, dealOf(game, seed, hands));
      let step = going.next();
      let at = 0;
      while (!step.done) {
        const decision = step.value;
        const move: string | undefined =
          decision.seat === seat
            ? await personMove(name, decision, next, output.say)
            : await (other as Seated).decide(decision, at);
        if (move === undefined) return;
        if (decision.seat !== seat) {
          const mended = other?.illegal?.find((one) => one.at === at);
          if (mended) output.say(toldMended(decision.seat, move, mended));
          if (name !== "guessing") output.say(`Player ${decision.seat}: ${move}`);
        }
        at++;
        step = going.next(move);
      }
      const payoff = step.value.payoffs[seat] as number;
      won += payoff;
      output.say(step.value.told(seat));
      output.say(`You: ${signed(payoff)} ${game.unit}; so far ${signed(won)} in ${hands + 1}.`);
      output.record({
        type: "hand",
        hand: hands + 1,
        seat,
        moves: step.value.moves,
        payoff,
        outcome: step.value.outcome,
      });
    }
  } catch (error) {
    if (!(error instanceof Unplayable)) throw error;
    throw new HoneError({
      what: `${opposite?.name} gave no answer`,
      where: `hand ${hands + 1}`,
      why: error.why,
      next: "Choose another opponent with --against.",
    });
  } finally {
    lines.close();
    await opposite?.close();
    output.say(`\n${hands} of ${flags.hands} hands played with seed ${seed}: ${signed(won)} ${game.unit}.`);
    output.record({
      type: "done",
      game: name,
      against: opposite?.name ?? null,
      hands,
      seed,
      won,
      unit: game.unit,
    });
  }
}

/** How a model's answer that named no legal move was resolved, for its opponent: who chose the move. */
function toldMended(seat: number, move: string, { wrote, by }: SeatedSubject["illegal"][number]): string {
  const what = `Player ${seat} wrote "${oneLine(wrote, 60)}", which is not a legal move`;
  return by === "asked again"
    ? `${what}, and was asked again.`
    : `${what}, nor was the second answer; ${move} is played instead.`;
}

/** Asks until the answer is a legal move: its name, an unambiguous prefix (k is check), or its number in the list. */
async function personMove(
  name: string,
  { view }: Decision,
  next: (prompt: string) => Promise<string | undefined>,
  say: (text: string) => void,
): Promise<string | undefined> {
  const { game } = gameEntry(name);
  const { legal } = view;
  const few = legal.length <= 10;
  const offered = few
    ? legal.map((move, i) => `${i + 1} ${move}`).join(", ")
    : `a number from ${legal[0]} to ${legal.at(-1)}`;
  say(`${game.describe(view)}\nYour move: ${offered}`);
  for (;;) {
    const text = await next("> ");
    if (text === undefined) return undefined;
    if (legal.includes(text)) return text;
    const numbered = few && /^\d+$/.test(text) ? legal[Number(text) - 1] : undefined;
    // In poker notation k is check, since c is call.
    const typed = text.toLowerCase() === "k" ? "check" : text.toLowerCase();
    const begun = text === "" ? [] : legal.filter((move) => move.startsWith(typed));
    const move = numbered ?? (few && begun.length === 1 ? begun[0] : undefined);
    if (move !== undefined) return move;
    say(plainText(`"${text.slice(0, 60)}" is not a legal move: type ${offered}.`));
  }
}

async function opponentFor(game: string, name: string | undefined): Promise<Opposite | undefined> {
  const entry = gameEntry(game);
  if (entry.game.seats === 1) {
    if (name === undefined) return undefined;
    throw new HoneError({
      what: `${entry.game.title} has no opponent`,
      where: "--against",
      next: "Leave it out: the dealer plays by the rules.",
      kind: "usage",
    });
  }
  const ref = name as string;
  const { signal } = new AbortController();
  if (!ref.includes(":") && !existsSync(ref)) {
    const player: Player = playerOf(game, ref);
    return {
      name: ref,
      sit: (stream) => {
        const random = randomFor(0, "opponent", ...stream);
        return { decide: async ({ view }) => player.act(view, random) };
      },
      close: async () => {},
    };
  }
  const { subject, close, task = {} } = await openSubject(ref, signal);
  if (subject.kind !== "language") {
    await close();
    throw new HoneError({
      what: `${subject.name} cannot play ${entry.game.title}`,
      where: "--against",
      why: `games are for language subjects, and this one is of kind ${subject.kind}`,
      next: "Name a language model, or a saved specialist of one.",
      kind: "usage",
    });
  }
  // A specialist of this game is asked as in its study.
  const asking = askingFor(game, task.game === game ? task : {}, subject.model?.grants);
  return {
    name: subject.name,
    sit: (stream) => seatSubject(entry.game, subject, { signal }, asking, { beliefs: false, stream }),
    close,
  };
}

async function openSubject(
  ref: string,
  signal: AbortSignal,
): Promise<{ subject: Subject; close: () => Promise<void>; task?: Partial<ArenaOptions> }> {
  if (existsSync(ref)) {
    const { saved, ...loaded } = await loadSpecialist(ref, { signal });
    return { ...loaded, task: arenaTask.options.safeParse(saved.task.options).data ?? {} };
  }
  const model = await openModel(ref, { signal });
  return { subject: begin(model), close: () => model.close() };
}

function signed(value: number): string {
  return `${value > 0 ? "+" : ""}${Number(value.toFixed(2))}`;
}
