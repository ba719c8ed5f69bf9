// hone compare: every pair of a study's subjects, or of systems whose predictions were made elsewhere.

import { HoneError } from "../core/errors.js";
import { directionOf, type Metric, share } from "../core/metric.js";
import { type Comparison, type Estimate, metricOf } from "../core/record.js";
import { oneLine, plainText } from "../report/escape.js";
import {
  formatBare,
  formatDelta,
  formatDeltaInterval,
  formatInterval,
  formatP,
  formatScore,
  formatWhole,
  plural,
  testName,
} from "../report/format.js";
import { gatherScores } from "../study/analyse.js";
import { adjustFamily, allPairs, compareScores, type Rank, rank } from "../study/compare.js";
import { openStore, openStudy } from "../study/open.js";
import { comparePredictionsFile } from "../study/predictions.js";
import { makeOutput, type Output } from "./output.js";
import { table } from "./table.js";

interface Flags {
  predictions?: string;
  answers?: string;
  match: string;
  seed: number;
  store: string;
  json?: boolean;
}

/** Most pairs printed for people; --json has all. */
const maxPairs = 30;

export async function compare(
  name: string | undefined,
  subjects: readonly string[],
  flags: Flags,
): Promise<void> {
  const output = makeOutput(flags);
  if (flags.predictions !== undefined) {
    const systems = name === undefined ? subjects : [name, ...subjects];
    return predictions(flags.predictions, systems, flags, output);
  }
  if (name === undefined) {
    throw new HoneError({
      what: "There is nothing to compare",
      next: "Type `hone compare STUDY` for a study in the store, or `hone compare --predictions FILE`.",
      kind: "usage",
    });
  }
  return inStore(name, subjects, flags, output);
}

async function predictions(
  path: string,
  systems: readonly string[],
  flags: Flags,
  output: Output,
): Promise<void> {
  if (flags.match !== "exact" && flags.match !== "choice") {
    throw new HoneError({
      what: "Unknown matching rule",
      where: `--match ${flags.match}`,
      why: "the rules are exact and choice",
      next: "Leave it out for exact, or use choice to read the letter or number out of free text.",
      kind: "usage",
    });
  }
  const { results, comparisons, ranking, notes } = await comparePredictionsFile(path, {
    match: flags.match,
    seed: flags.seed,
    ...(systems.length === 0 ? {} : { systems }),
    ...(flags.answers === undefined ? {} : { answersField: flags.answers }),
  });
  output.record({ type: "done", predictions: path, results, comparisons, ranking, notes });
  if (flags.json) return;
  for (const { task, ranks } of ranking) print(output, task, share("accuracy"), results, ranks, comparisons);
  for (const note of notes) output.log(plainText(`! ${note}`));
  output.prose(footnote(plural(comparisons.length, "comparison")));
}

function inStore(name: string, chosen: readonly string[], flags: Flags, output: Output): void {
  const study = openStudy(flags.store, name);
  const journal = openStore(flags.store);
  try {
    const { record } = study;
    for (const subject of chosen) {
      if (record.subjects.some((card) => card.name === subject)) continue;
      throw new HoneError({
        what: `The study ${name} has no subject ${subject}`,
        where: name,
        why: `it has ${record.subjects.map((card) => card.name).join("; ")}`,
        next: "Put the name in quotes, exactly as it stands in the table.",
        kind: "usage",
      });
    }
    const cards = record.subjects.filter((card) => chosen.length === 0 || chosen.includes(card.name));
    // The family is always all comparisons that the study did not plan: choosing subjects must not change p.
    const planned = record.comparisons;
    const family = record.tasks.flatMap((task) => {
      const systems = record.subjects.map((card) => {
        const seeds = card.ids.map((id, i) => ({ id, seed: card.seeds[i] as number }));
        const scores = gatherScores(card.name, seeds, task.key, "test", task.binary, journal);
        return { name: card.name, binary: scores.binary, scores: scores.rows };
      });
      const scored = systems.filter(({ scores }) => scores.length > 0).map((system) => system.name);
      const pairs = allPairs(scored).filter(
        (pair) =>
          !planned.some(({ task: on, a, b }) => on === task.name && pair.includes(a) && pair.includes(b)),
      );
      const { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY } = task.metric;
      return compareScores({
        ...{ task: task.name, systems, range: [least, most] as const },
        ...{ pairs: task.aggregated ? [] : pairs, seed: record.seeds[0] as number },
      });
    });
    const named = new Set(cards.map((card) => card.name));
    const comparisons = [...planned, ...adjustFamily(family)].filter(
      ({ a, b }) => named.has(a) && named.has(b),
    );
    const results = record.results.filter(({ subject }) => cards.some((card) => card.name === subject));
    const ranking = record.tasks.map((task) => ({
      task: task.name,
      ranks: rank(results, comparisons, { task: task.name, better: task.metric.better }),
    }));
    output.record({ type: "done", study: name, results, comparisons, ranking });
    if (flags.json) return;
    for (const { task, ranks } of ranking)
      print(output, task, metricOf(record, task), results, ranks, comparisons);
    const families = [
      planned.length > 0 && `the study's ${plural(planned.length, "planned comparison")}, as in its report`,
      family.length > 0 && plural(family.length, planned.length > 0 ? "other pair" : "pair"),
    ].filter((text) => text !== false);
    output.prose(footnote(families.join(", and separately over ")));
  } finally {
    journal.close();
    study.close();
  }
}

interface Row extends Estimate {
  subject: string;
  task: string;
  metric: string;
  unscored: number;
  baseline: number;
}

function print(
  output: Output,
  task: string,
  metric: Metric,
  results: readonly Row[],
  ranks: readonly Rank[],
  comparisons: readonly Comparison[],
): void {
  const found = ranks.map(({ subject, letters }) => ({
    letters,
    row: results.find((result) => result.task === task && result.subject === subject) as Row,
  }));
  const scale = metric.display;
  output.say(plainText(`\n${task}`));
  output.say(
    table(
      ["system", "score", "95 % interval", "n", "unscored", "majority", "letters"],
      found.map(({ letters, row }) => [
        oneLine(row.subject, 50),
        formatScore(row.mean, row.n, scale),
        formatInterval(row.low, row.high, row.n, scale),
        formatWhole(row.n),
        formatWhole(row.unscored),
        scale === "percent" ? formatScore(row.baseline, row.n) : "",
        letters,
      ]),
      [1, 2, 3, 4, 5],
    ),
  );
  const pairs = comparisons
    .filter((comparison) => comparison.task === task)
    .map((pair) => (directionOf(metric) * pair.delta < 0 ? turned(pair) : pair));
  if (pairs.length === 0) return;
  const order = new Map(ranks.map(({ subject }, i) => [subject, i]));
  const sorted = pairs.toSorted(
    (x, y) => x.pAdjusted - y.pAdjusted || (order.get(x.a) ?? 0) - (order.get(y.a) ?? 0),
  );
  output.say("");
  output.say(
    table(
      ["pair", "difference", "95 % interval", "n", "Holm p", "test", "detectable"],
      sorted
        .slice(0, maxPairs)
        .map((pair) => [
          oneLine(`${pair.a} − ${pair.b}`, 70),
          formatDelta(pair.delta, pair.n, scale),
          formatDeltaInterval(pair.low, pair.high, pair.n, scale),
          formatWhole(pair.n),
          `${formatP(pair.pAdjusted)}${pair.pAdjusted < 0.05 ? " *" : ""}`,
          testName(pair.test),
          formatBare(pair.detectable, pair.n, scale),
        ]),
      [1, 2, 3, 4, 6],
    ),
  );
  if (sorted.length > maxPairs) {
    output.prose(`and ${sorted.length - maxPairs} more pairs; --json has them all`);
  }
}

/** The same comparison reversed, so that the better system comes first. */
function turned(pair: Comparison): Comparison {
  return { ...pair, a: pair.b, b: pair.a, delta: -pair.delta, low: -pair.high, high: -pair.low };
}

function footnote(family: string): string {
  return `\nSystems that share a letter are not shown to differ: their p, by Holm's procedure over ${family}, is at least 0.05.\n"detectable" is the smallest true difference that this n would show with 80 % power at the level at which Holm's procedure tests the pair.`;
}
