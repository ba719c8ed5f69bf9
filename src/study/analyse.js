// From outcomes to the figures: one result a subject and task, and the study's family of comparisons.
import { addCost, noCost } from "../core/call.js";
import { confusion, macroF1, meanInterval } from "../statistics/index.js";
import { adjustFamily, compareScores } from "./compare.js";
/** Gathers a subject's outcomes (one fitted subject a seed) on one split. A sample unscored under every seed is unscored. */
export function gatherScores(name, subjects, taskKey, split, binary, journal) {
  const bySample = new Map();
  for (const { id, seed } of subjects) {
    for (const outcome of journal.outcomes({ subject: id, task: taskKey, split })) {
      if (outcome.seed !== seed) continue;
      const list = bySample.get(outcome.sample);
      if (list) list.push(outcome);
      else bySample.set(outcome.sample, [outcome]);
    }
  }
  const rows = [];
  const causes = {};
  const latencies = [];
  const labelled = [];
  const sums = {};
  let cost = noCost;
  let answers = 0;
  let unscored = 0;
  for (const [sample, outcomes] of bySample) {
    const scored = [];
    for (const { grade, cost: paid, gold } of outcomes) {
      cost = addCost(cost, paid);
      latencies.push(paid.ms);
      answers++;
      if (grade.status === "unscored") {
        causes[grade.cause] = (causes[grade.cause] ?? 0) + 1;
        continue;
      }
      scored.push(grade.score);
      labelled.push({ gold, prediction: grade.prediction });
      for (const [key, value] of Object.entries(grade.details ?? {})) {
        sums[key] ??= { sum: 0, n: 0 };
        const entry = sums[key];
        entry.sum += value;
        entry.n++;
      }
    }
    if (scored.length === 0) {
      unscored++;
      continue;
    }
    const first = outcomes[0];
    const score = scored.reduce((a, b) => a + b, 0) / scored.length;
    rows.push({
      sample,
      score,
      eyesOff: first.eyesOff ?? false,
      ...(first.group === undefined ? {} : { group: first.group }),
    });
  }
  const per = Math.max(1, answers);
  return {
    name,
    binary: binary && subjects.length === 1,
    rows,
    unscored,
    causes,
    labelled,
    cost: {
      calls: cost.calls / per,
      inputTokens: cost.inputTokens / per,
      outputTokens: cost.outputTokens / per,
      ms: cost.ms / per,
      usd: cost.usd / per,
      msMedian: median(latencies),
    },
    details: Object.fromEntries(Object.entries(sums).map(([key, { sum, n }]) => [key, sum / n])),
  };
}
/** The mean and its interval; clustered where samples share groups. */
export function estimate(rows, seed) {
  const grouped = rows.some((row) => row.group !== undefined);
  return meanInterval(
    rows.map((row) => row.score),
    { seed, ...(grouped ? { groups: rows.map((row) => row.group ?? row.sample) } : {}) },
  );
}
export function toResult(scores, prepared, expected, build, dev, seed, whyMissing = "unanswered") {
  const { task, commonest, chance } = prepared;
  const mean = estimate(scores.rows, seed);
  // What was never answered (a run that stopped, a specialist that could not be made) is unscored too.
  const missing = Math.max(0, expected - scores.rows.length - scores.unscored);
  const unscored = scores.unscored + missing;
  const total = scores.rows.length + unscored;
  const sum = scores.rows.reduce((a, row) => a + row.score, 0);
  const off = scores.rows.filter((row) => row.eyesOff);
  const on = scores.rows.filter((row) => !row.eyesOff);
  const labels = prepared.card.labels?.map((label) => label.key);
  return {
    subject: scores.name,
    task: task.name,
    metric: task.metric.name,
    ...mean,
    unscored,
    causes: missing > 0 ? { ...scores.causes, [whyMissing]: missing } : scores.causes,
    bounds: boundsOf(sum, unscored, total, task.metric),
    baseline:
      scores.labelled.filter(({ gold }) => gold === commonest).length / Math.max(1, scores.labelled.length),
    chance,
    build,
    perAnswer: scores.cost,
    dev,
    eyes: off.length > 0 ? { on: estimate(on, seed), off: estimate(off, seed) } : null,
    details: {
      ...scores.details,
      ...(labels && labels.length > 1 && scores.labelled.length > 0
        ? { macroF1: macroF1(confusion(scores.labelled, labels)) }
        : {}),
    },
  };
}
/** What a mean could be, whatever the unscored samples would have scored; null where the metric has no end there. */
function boundsOf(sum, unscored, total, { least, most }) {
  const end = (value) =>
    unscored === 0 && total > 0
      ? sum / total
      : value === undefined
        ? null
        : total === 0
          ? value
          : (sum + unscored * value) / total;
  return [end(least), end(most)];
}
/**
 * The study's one family: on the domain task every subject against the generalist and the champion against every other;
 * on other tasks every specialist against the generalist. Holm-adjusted over all of them.
 */
export function compareFamily(tasks, generalist, champion, seed) {
  const family = tasks.flatMap(({ task, scores, domain }) => {
    const pairs = new Map();
    for (const { name, rows } of scores) {
      if (rows.length === 0) continue;
      if (name !== generalist) pairs.set(`${name}\0${generalist}`, [name, generalist]);
      if (domain && champion !== null && name !== champion && champion !== generalist) {
        pairs.set(`${champion}\0${name}`, [champion, name]);
      }
    }
    return compareScores({
      task,
      systems: scores.map(({ name, rows, binary }) => ({ name, binary, scores: rows })),
      pairs: [...pairs.values()],
      seed,
    });
  });
  return adjustFamily(family);
}
function median(values) {
  if (values.length === 0) return 0;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
