// Two-handed limit poker as one set of rules: Kuhn, Leduc and Limit Texas Hold'em differ in deck, rounds, stakes and how hands
// are compared. Bets have one size per round, and raises are capped.

import type { Random } from "../core/random.js";
import type { Belief, Game, View } from "./game.js";

/** Cards of both seats and the board, all drawn before the first move. */
export interface PokerDeal {
  readonly hands: readonly (readonly number[])[];
  readonly board: readonly number[];
}

export interface PokerState {
  readonly deal: PokerDeal;
  /** Chips put in, by seat. */
  readonly chips: readonly [number, number];
  readonly round: number;
  readonly turn: number;
  /** Raises in this round. */
  readonly raises: number;
  /** Moves since the last raise, the raise included; a round is over at two. */
  readonly quiet: number;
  /** The seat that folded; -1 if none has. */
  readonly folded: number;
  /** f, k (check), c, r; rounds are separated by "/". */
  readonly history: string;
}

/** A seat's view of a hand of poker. */
export interface PokerView extends View {
  readonly hand: readonly number[];
  /** The open board cards. */
  readonly board: readonly number[];
  readonly chips: readonly number[];
  readonly round: number;
  readonly raises: number;
  readonly history: string;
}

/** The parameters of one kind of poker. */
export interface PokerRules {
  name: string;
  title: string;
  rules: string;
  unit: string;
  /** Chips per unit of payoff. */
  unitChips: number;
  /** Chips put in before the first move, by seat. */
  blinds: readonly [number, number];
  rounds: readonly { name: string; open: number; bet: number }[];
  maxRaises: number;
  /** RLCard's rule: folding is always legal, and the seat after the last to move begins the next round. Otherwise seat 0 begins. */
  asRlcard: boolean;
  deal: (random: Random) => PokerDeal;
  strength: (hand: readonly number[], board: readonly number[]) => number;
  cardWords: (card: number) => string;
  cardShort: (card: number) => string;
  handWords: (hand: readonly number[], board: readonly number[]) => string;
  beliefs: (state: PokerState, seat: number) => readonly Belief[];
  mostChips: number;
}

const letters: Readonly<Record<string, string>> = { fold: "f", check: "k", call: "c", raise: "r" };
const moveNames = Object.fromEntries(Object.entries(letters).map(([move, letter]) => [letter, move]));

/** A kind of poker as a game. */
export function poker(rules: PokerRules): Game<PokerState, PokerDeal> {
  const { rounds, blinds, maxRaises, asRlcard } = rules;
  const legal = (state: PokerState): string[] => {
    const { chips, turn, raises } = state;
    const owes = chips[turn as 0 | 1] < chips[(1 - turn) as 0 | 1];
    return [
      ...(owes || asRlcard ? ["fold"] : []),
      owes ? "call" : "check",
      ...(raises < maxRaises ? ["raise"] : []),
    ];
  };
  const over = ({ folded, round }: PokerState) => folded >= 0 || round >= rounds.length;
  const openBoard = ({ deal, round }: PokerState) =>
    deal.board.slice(0, rounds[Math.min(round, rounds.length - 1)]?.open ?? 0);
  const describeHistory = (history: string, seat: number): string => {
    const lines: string[] = [];
    let turn = 0;
    for (const [i, played] of history.split("/").entries()) {
      const said = [...played].map((letter) => {
        const who = turn === seat ? "you" : "the opponent";
        const said = turn === seat ? moveNames[letter] : `${moveNames[letter]}s`;
        turn = 1 - turn;
        return `${who} ${said}`;
      });
      if (!asRlcard) turn = 0;
      if (said.length > 0) lines.push(`${capital(rounds[i]?.name ?? "")}: ${said.join(", ")}.`);
    }
    return lines.join(" ");
  };
  const capital = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1);
  return {
    name: rules.name,
    title: rules.title,
    seats: 2,
    unit: rules.unit,
    range: [-rules.mostChips / rules.unitChips, rules.mostChips / rules.unitChips],
    moves: ["fold", "check", "call", "raise"],
    rules: rules.rules,
    deal: rules.deal,
    start: (deal) => ({
      deal,
      chips: blinds,
      round: 0,
      turn: 0,
      raises: 0,
      quiet: 0,
      folded: -1,
      history: "",
    }),
    turn: (state) => (over(state) ? -1 : state.turn),
    legal,
    act(state, move) {
      const { turn, chips, round } = state;
      const own = chips[turn as 0 | 1];
      const other = chips[(1 - turn) as 0 | 1];
      const paid = move === "call" ? other : move === "raise" ? other + (rounds[round]?.bet ?? 0) : own;
      const after: readonly [number, number] = turn === 0 ? [paid, chips[1]] : [chips[0], paid];
      const history = state.history + letters[move];
      const next = { ...state, chips: after, history, turn: 1 - turn };
      if (move === "fold") return { ...next, folded: turn };
      if (move === "raise") return { ...next, raises: state.raises + 1, quiet: 1 };
      const quiet = state.quiet + 1;
      if (quiet < 2) return { ...next, quiet };
      return {
        ...next,
        round: round + 1,
        turn: asRlcard ? 1 - turn : 0,
        raises: 0,
        quiet: 0,
        history: round + 1 < rounds.length ? `${history}/` : history,
      };
    },
    payoffs({ chips, folded, deal }) {
      const win = (seat: number) => {
        const lost = chips[(1 - seat) as 0 | 1] / rules.unitChips;
        return seat === 0 ? [lost, -lost] : [-lost, lost];
      };
      if (folded >= 0) return win(1 - folded);
      const [a, b] = deal.hands.map((hand) => rules.strength(hand, deal.board)) as [number, number];
      return a === b ? [0, 0] : win(a > b ? 0 : 1);
    },
    view(state, seat): PokerView {
      return {
        game: rules.name,
        seat,
        legal: state.turn === seat && !over(state) ? legal(state) : [],
        hand: state.deal.hands[seat] as readonly number[],
        board: openBoard(state),
        chips: state.chips,
        round: state.round,
        raises: state.raises,
        history: state.history,
      };
    },
    beliefs: rules.beliefs,
    safest: ({ legal }) => (legal.includes("check") ? "check" : "fold"),
    describe(view) {
      const { hand, board, chips, round, history, seat } = view as PokerView;
      const own = chips[seat] as number;
      const other = chips[1 - seat] as number;
      const cards = (list: readonly number[]) => list.map(rules.cardWords).join(", ");
      return [
        `You are player ${seat}. Round: ${rounds[Math.min(round, rounds.length - 1)]?.name}.`,
        `Your hand: ${cards(hand)}.`,
        rounds.some(({ open }) => open > 0)
          ? board.length > 0
            ? `Board: ${cards(board)}. You have ${rules.handWords(hand, board)}.`
            : "Board: no cards yet."
          : "",
        describeHistory(history, seat),
        `Chips in the pot: you ${own}, opponent ${other}.${other > own ? ` To call costs ${other - own}.` : ""}`,
      ]
        .filter(Boolean)
        .join("\n");
    },
    tell({ deal, chips, round }) {
      const short = (cards: readonly number[]) => cards.map(rules.cardShort).join(" ");
      const board = deal.board.slice(0, rounds[Math.min(round, rounds.length - 1)]?.open ?? 0);
      const open = board.length > 0 ? `; board ${short(board)}` : "";
      return `${deal.hands.map(short).join(" against ")}${open}; chips ${chips.join(" and ")}`;
    },
    outcome(state, seat) {
      const { deal, folded, chips } = state;
      const won = this.payoffs(state)[0] as number;
      const handOf = (one: number) => (deal.hands[one] as readonly number[]).map(rules.cardWords).join(", ");
      const shown =
        seat === undefined
          ? `${handOf(0)} against ${handOf(1)}`
          : `your ${handOf(seat)} against ${handOf(1 - seat)}`;
      const end =
        folded < 0 ? `Showdown: ${shown}` : folded === seat ? "You folded" : `Player ${folded} folded`;
      const board = openBoard(state).map(rules.cardWords).join(", ");
      const winner = won > 0 ? 0 : 1;
      const wins = winner === seat ? "you win" : `player ${winner} wins`;
      const least = Math.min(...chips);
      const last = won === 0 ? "the pot is split" : `${wins} ${least} ${least === 1 ? "chip" : "chips"}`;
      return `${end}${board ? `; board ${board}` : ""}; ${last}.`;
    },
  };
}
