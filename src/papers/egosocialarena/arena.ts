// EgoSocialArena's interactive scenarios: a model at the table in Number Guessing, Limit Hold'em and Blackjack, beside scripted
// players on the same deals. What it wins, what it believes of the other one, and whether a LoRA on solved positions wins.

import { formatBare } from "../../report/format.js";
import { above, below, type Draft, inUnit } from "../claim.js";
import { difference, noScores, type Row, type Scores, scoresOf } from "../figures.js";
import { type PaperTable, paperTable } from "../paper.js";
import type { FinishedStudy, Plan } from "../plans.js";

/** Rules of Number Guessing's opponents, with numbers of their own on every deal; trained opponents of Limit Hold'em. */
export const rules = ["constant", "steps", "factor"] as const;
export const opponents = ["aggressive", "conservative"] as const;

/** How much is played. */
export interface ArenaSettings {
  /** Kinds of rules that Number Guessing is played against, and opponents of Limit Hold'em. */
  rules: readonly (typeof rules)[number][];
  opponents: readonly (typeof opponents)[number][];
  /** Deals of Number Guessing against each kind of rule, with numbers of their own. */
  guessing: number;
  /** Deals of Limit Hold'em against each opponent, played in both seats. */
  holdem: number;
  /** Deals of Blackjack; `train` positions that the optimal policy labels, and the specializer that learns from them. */
  blackjack: { deals: number; train: number; dev: number; tune: unknown };
}

export type ArenaPart =
  | `guessing-${(typeof rules)[number]}`
  | `holdem-${(typeof opponents)[number]}`
  | "blackjack";

export interface ArenaPlan extends Plan {
  experiment: ArenaPart;
}

/** One study for each game and opponent, all of the one model. */
export function arenaPlans(model: string, settings: ArenaSettings): ArenaPlan[] {
  const { guessing, holdem, blackjack } = settings;
  const plan = (
    part: ArenaPart,
    description: string,
    task: object,
    data: object,
    arms: Readonly<Record<string, unknown>>,
  ): ArenaPlan => ({
    experiment: part,
    part,
    model,
    description,
    study: { task: { name: part, kind: "arena", ...task, data }, handOver: 1 },
    files: {},
    arms: { "zero-shot": "zeroShot", random: { scripted: { player: "random" } }, ...arms },
  });
  const best = (player: string) => ({ best: { scripted: { player } } });
  return [
    ...settings.rules.map((rule) =>
      plan(
        `guessing-${rule}`,
        `Number Guessing against a player of the rule ${rule}`,
        { game: "guessing", opponent: rule, maxTokens: 8 },
        { train: 0, dev: 1, test: guessing },
        best("optimal"),
      ),
    ),
    ...settings.opponents.map((opponent) =>
      plan(
        `holdem-${opponent}`,
        `Limit Hold'em against the ${opponent} player, moves written`,
        { game: "holdem", opponent, answerBy: "text", scoring: "parse" },
        { train: 0, dev: 1, test: holdem },
        best("equilibrium"),
      ),
    ),
    plan(
      "blackjack",
      "Blackjack, and a LoRA on positions that the optimal policy labels",
      { game: "blackjack", answerBy: "text", scoring: "sum" },
      { train: blackjack.train, dev: blackjack.dev, test: blackjack.deals },
      { lora: blackjack.tune, ...best("optimal") },
    ),
  ];
}

export type ArenaArm = "zero-shot" | "random" | "best" | "lora";

/** A study of any of the paper's experiments, read back where it is finished. */
export interface Experiment {
  plan: { experiment: string };
  study: FinishedStudy | undefined;
}

export interface ArenaScores {
  /** Scores by deal over the parts whose names begin so, each a task of its own. */
  played: (parts: string, arm: ArenaArm) => Scores;
  /** The same of a detail: beliefs, illegal, replaced. */
  detail: (parts: string, arm: ArenaArm, name: string) => Scores;
}

export function arenaScores(studies: readonly Experiment[]): ArenaScores {
  const gathered = (parts: string, arm: ArenaArm, scoreOf: (row: Row) => number | undefined): Scores => {
    const scored = studies.flatMap(({ plan, study }) => {
      if (!study || !plan.experiment.startsWith(parts)) return [];
      const rows = study.rows(arm).flatMap((row) => {
        const score = scoreOf(row);
        return score === undefined ? [] : [{ ...row, score }];
      });
      return [...scoresOf(rows, plan.experiment)];
    });
    return scored.length === 0 ? noScores : new Map(scored);
  };
  return {
    played: (parts, arm) => gathered(parts, arm, ({ score }) => score),
    detail: (parts, arm, name) => gathered(parts, arm, ({ details }) => details[name]),
  };
}

// biome-ignore format: one claim a line
/** Ids go on from the claims on static scenarios. */
export function arenaClaims({ played, detail }: ArenaScores): Draft[] {
  const less = (parts: string, a: ArenaArm, b: ArenaArm) => difference(played(parts, a), played(parts, b));
  const believes = (parts: string) =>
    difference(detail(parts, "zero-shot", "beliefs"), detail(parts, "random", "beliefs"));
  return [
    above("g1", "The model guesses its opponent's numbers more often than a player who guesses at random", null, "in the paper all models but the two Llama 3 8B hit at levels 1 to 3; here each deal has numbers of its own", less("guessing", "zero-shot", "random")),
    below("g2", "It guesses them less often than a player who infers the rule", null, "o1-preview has 0.9 at every published level", less("guessing", "zero-shot", "best")),
    inUnit("big blinds a hand", above("h1", "The model wins more at Limit Hold'em than a player who moves at random", null, "the opponents are trained here, the paper's DQN agents are not public", less("holdem", "zero-shot", "random"))),
    inUnit("big blinds a hand", below("h2", "It wins less than a near-equilibrium player on the same deals", null, "as h1", less("holdem", "zero-shot", "best"))),
    above("h3", "It knows who is ahead more often than a player who answers at random", null, "belief questions in play, against the truth; a review says that the paper has the opponents classified", believes("holdem")),
    inUnit("bets a hand", above("i1", "A LoRA on solved positions wins more at Blackjack than its generalist", null, "no claim of the paper", less("blackjack", "lora", "zero-shot"))),
    inUnit("bets a hand", below("i2", "It wins less than the optimal policy", null, "as i1", less("blackjack", "lora", "best"))),
    above("i3", "The model says its own total, and whether the dealer goes over, more often right than a player who answers at random", null, "belief questions in play; the paper has GPT-4o judge what is stated", believes("blackjack")),
  ];
}

const titles: Readonly<Record<string, string>> = {
  guessing: "Number Guessing, share of right guesses",
  holdem: "Limit Hold'em, big blinds a hand",
  blackjack: "Blackjack, bets a hand",
};

/** What every arm won, believed and did against the rules, for people. */
export function arenaTable(studies: readonly Experiment[]): PaperTable {
  const rows = studies.flatMap(({ plan, study }) => {
    const [game = "", opponent = "the dealer"] = plan.experiment.split("-");
    const title = titles[game];
    if (!study || title === undefined) return [];
    return (["zero-shot", "lora", "random", "best"] as const).flatMap((arm) => {
      const result = study.result(arm);
      if (!result) return [];
      const { mean, low, high, n, details } = result;
      const shown = (value: number) => formatBare(value, n, game === "guessing" ? "percent" : "number");
      const shares = ["beliefs", "illegal", "replaced"].map((name) =>
        details[name] === undefined ? "–" : formatBare(details[name], n),
      );
      const won = `${shown(mean)} (${shown(low)} to ${shown(high)})`;
      return [[`${title}, against ${opponent}`, arm, String(n), won, ...shares]];
    });
  });
  return paperTable(
    "At the table: the same deals for everyone; shares in %",
    ["game", "player", "deals", "won", "beliefs right", "illegal", "replaced"],
    rows,
    2,
  );
}
