// EgoSocialArena's interactive scenarios: a model at the table in Number Guessing, Limit Hold'em and Blackjack, beside scripted
// players on the same deals. Covers its winnings, its beliefs about the opponent, and whether a LoRA on solved positions wins.

import { gameEntry } from "../../games/index.js";
import { formatBare } from "../../report/format.js";
import { above, below, type Draft, inUnit } from "../claim.js";
import {
  average,
  crossedDifference,
  difference,
  type Measured,
  type Row,
  type Scores,
  scoresOf,
} from "../figures.js";
import { type PaperTable, paperTable } from "../paper.js";
import type { FinishedStudy, Plan } from "../plans.js";

/** Rules of Number Guessing's opponents, with other numbers on every deal; trained opponents of Limit Hold'em. */
export const rules = ["constant", "steps", "factor"] as const;
export const opponents = ["aggressive", "conservative"] as const;

/** How much is played. */
export interface ArenaSettings {
  /** Kinds of rules of Number Guessing's opponents, and opponents of Limit Hold'em. */
  rules: readonly (typeof rules)[number][];
  opponents: readonly (typeof opponents)[number][];
  /**
   * Deals for each model: of Number Guessing against each kind of rule, each with other numbers; of Limit Hold'em against each
   * opponent, played in both seats; of Blackjack. Fewer deals are a prefix of more.
   */
  deals: readonly { guessing: number; holdem: number; blackjack: number }[];
  /** Positions of Blackjack labelled by the optimal policy, and the smaller model's specializer that learns from them. */
  solved: { train: number; dev: number; tune: unknown };
}

export type ArenaPart =
  | `guessing-${(typeof rules)[number]}`
  | `holdem-${(typeof opponents)[number]}`
  | "blackjack";

export interface ArenaPlan extends Plan {
  experiment: ArenaPart;
}

/**
 * One study for each model, game and opponent.
 * @param models the smaller first, which alone is trained
 * @param seeds of the training on solved positions
 */
export function arenaPlans(
  models: readonly string[],
  settings: ArenaSettings,
  seeds: readonly number[],
): ArenaPlan[] {
  return models.flatMap((model, at) => {
    const deals = settings.deals[at];
    return deals === undefined ? [] : plansOf(model, deals, settings, at === 0, seeds);
  });
}

function plansOf(
  model: string,
  { guessing, holdem, blackjack }: ArenaSettings["deals"][number],
  { rules, opponents, solved }: ArenaSettings,
  trained: boolean,
  seeds: readonly number[],
): ArenaPlan[] {
  const scripted = (player: string, arm = player) => ({ [arm]: { scripted: { player } } });
  const best = (player: string) => scripted(player, "best");
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
    study: { task: { name: part, kind: "arena", ...task, data }, seeds, handOver: 1 },
    files: {},
    arms: { "zero-shot": "zeroShot", ...scripted("random"), ...scripted("safest"), ...arms },
  });
  return [
    ...rules.map((rule) =>
      plan(
        `guessing-${rule}`,
        `Number Guessing against a player of the rule ${rule}`,
        { game: "guessing", opponent: rule, maxTokens: 8 },
        { train: 0, dev: 1, test: guessing },
        best("optimal"),
      ),
    ),
    ...opponents.map((opponent) =>
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
      trained ? "Blackjack, and a LoRA on positions that the optimal policy labels" : "Blackjack",
      { game: "blackjack", answerBy: "text", scoring: "sum" },
      { train: trained ? solved.train : 0, dev: solved.dev, test: blackjack },
      { ...(trained ? { lora: solved.tune } : {}), ...best("optimal") },
    ),
  ];
}

export type ArenaArm = "zero-shot" | "random" | "safest" | "best" | "lora";

/** A study of any of the paper's experiments, read back if it is finished. */
export interface Experiment {
  plan: { experiment: string; model?: string };
  study: FinishedStudy | undefined;
}

/**
 * An arm's rows over the parts whose names begin with `parts`. Each part is a separate task; a deal is one unit against whichever
 * opponent, since the cards are the same.
 */
export type ArenaRows = (parts: string, arm: ArenaArm) => readonly Row[];

export function arenaRows(studies: readonly Experiment[]): ArenaRows {
  return (parts, arm) =>
    studies.flatMap(({ plan: { experiment }, study }) => {
      if (!study || !experiment.startsWith(parts)) return [];
      const [game] = experiment.split("-");
      return study.rows(arm).map((row) => ({
        ...row,
        sample: `${experiment}/${row.sample}`,
        group: `${game}/${row.sample}`,
      }));
    });
}

/**
 * Accuracy on belief questions minus that of the best constant answer to each question, on the same questions, since these depend
 * on the course of play.
 */
export function believes(rows: readonly Row[]): Measured | null {
  const asked = rows.flatMap((row) => {
    const beliefs = (row.episodes ?? []).flatMap((episode) => episode.beliefs);
    return beliefs.length > 0 ? [{ row, beliefs }] : [];
  });
  const truths = new Map<string, Map<string, number>>();
  for (const { name, truth } of asked.flatMap(({ beliefs }) => beliefs)) {
    const counts = truths.get(name) ?? new Map<string, number>();
    truths.set(name, counts.set(truth, (counts.get(truth) ?? 0) + 1));
  }
  const most = new Map([...truths].map(([name, of]) => [name, [...of].sort((a, b) => b[1] - a[1])[0]?.[0]]));
  type Asked = (typeof asked)[number]["beliefs"][number];
  const scored = (answerOf: (one: Asked) => string | undefined): Scores =>
    scoresOf(
      asked.map(({ row, beliefs }) => ({
        ...row,
        score: average(beliefs.map((one) => (answerOf(one) === one.truth ? 1 : 0))),
      })),
    );
  return difference(
    scored(({ answer }) => answer),
    scored(({ name }) => most.get(name)),
  );
}

// biome-ignore format: one claim a line
/** Ids go on from the claims on static scenarios. */
export function arenaClaims(rows: ArenaRows): Draft[] {
  const rangeOf = (game: string) => gameEntry(game).game.range;
  const less = (game: string, a: ArenaArm, b: ArenaArm) => difference(scoresOf(rows(game, a)), scoresOf(rows(game, b)), rangeOf(game));
  const trained = (b: ArenaArm) => crossedDifference(rows("blackjack", "lora"), rows("blackjack", b), null, { range: rangeOf("blackjack") });
  return [
    above("g1", "The model guesses its opponent's numbers more often than a player who always says 50, which stands in for illegal answers", null, "in the paper all models but the two Llama 3 8B hit at one of levels 1 to 3 at least; here each deal has numbers of its own", less("guessing", "zero-shot", "safest")),
    below("g2", "It guesses them less often than a player who infers the rule", null, "o1-preview has 0.9 at every published level", less("guessing", "zero-shot", "best")),
    inUnit("big blinds a hand", above("h1", "The model wins more at Limit Hold'em than a player who only checks and folds, which stands in for illegal answers", null, "the opponents are trained here, the paper's DQN agents are not public", less("holdem", "zero-shot", "safest"))),
    inUnit("big blinds a hand", below("h2", "It wins less than the best of the players trained by self-play on the same deals", null, "as h1; a local best response wins 0.275 big blinds a hand from that player, which is no equilibrium", less("holdem", "zero-shot", "best"))),
    above("h3", "It knows who is ahead more often than the best answers that are always the same", null, "belief questions in play, against the truth; a review says that the paper has the opponents classified", believes(rows("holdem", "zero-shot"))),
    inUnit("bets a hand", above("i1", "A LoRA on solved positions wins more at Blackjack than its generalist", null, "no claim of the paper; deals and training seeds are the units", trained("zero-shot"))),
    inUnit("bets a hand", below("i2", "It wins less than the optimal policy", null, "as i1", trained("best"))),
    above("i3", "The model says whether one more card takes it over 21, and whether the dealer goes over, more often right than the best answers that are always the same", null, "belief questions in play; the paper has GPT-4o judge what is stated", believes(rows("blackjack", "zero-shot"))),
    inUnit("bets a hand", above("i4", "The LoRA wins more than a player who always stands, which stands in for illegal answers", null, "as i1", trained("safest"))),
  ];
}

const titles: Readonly<Record<string, string>> = {
  guessing: "Number Guessing, share of right guesses",
  holdem: "Limit Hold'em, big blinds a hand",
  blackjack: "Blackjack, bets a hand",
};

/** What every arm won, believed and did against the rules, for people. All arms play the same deals of a model. */
export function arenaTable(studies: readonly Experiment[]): PaperTable {
  const rows = studies.flatMap(({ plan, study }) => {
    const [game = "", opponent = "the dealer"] = plan.experiment.split("-");
    const title = titles[game];
    if (!study || title === undefined) return [];
    return (["zero-shot", "lora", "random", "safest", "best"] as const).flatMap((arm) => {
      const result = study.result(arm);
      if (!result) return [];
      const { mean, low, high, n, details } = result;
      const shown = (value: number) => formatBare(value, n, game === "guessing" ? "percent" : "number");
      const shares = ["beliefs", "illegal", "replaced"].map((name) =>
        details[name] === undefined ? "–" : formatBare(details[name], n),
      );
      const won = `${shown(mean)} (${shown(low)} to ${shown(high)})`;
      const model = arm === "zero-shot" || arm === "lora" ? plan.model?.replace(/\?.*/, "") : undefined;
      const player = model === undefined ? arm : `${model}, ${arm}`;
      return [[`${title}, against ${opponent}`, player, String(n), won, ...shares]];
    });
  });
  return paperTable(
    "At the table: the same deals for everyone; shares in %",
    ["game", "player", "deals", "won", "beliefs right", "illegal", "replaced"],
    rows,
    2,
  );
}
