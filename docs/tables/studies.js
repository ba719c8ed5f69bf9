// Tables of studies on texts, of benchmarks over several of them, and of simulated searches.

import { recorded } from "../../bench/joint.js";
import { routeStudies } from "../../bench/routes-tasks.js";
import { bench, cell, duration, generalistOf, minutes, percent, pValue, resultsOf, signed } from "./parts.js";

/** The table of a study on accuracy in docs/results.md. */
export function studyTable(record) {
  const [task] = record.tasks;
  const generalist = generalistOf(record);
  const results = resultsOf(record);
  const against = ({ subject }) => {
    const pair = record.comparisons.find(
      ({ a, b, task: on }) =>
        on === task.name && [a, b].sort().join() === [subject, generalist].sort().join(),
    );
    if (!pair) return "– | –";
    const [delta, low, high] =
      pair.a === subject ? [pair.delta, pair.low, pair.high] : [-pair.delta, -pair.high, -pair.low];
    return `${signed(delta)} (${percent(low)} to ${percent(high)}) | ${pValue(pair.pAdjusted)}`;
  };
  const row = (result) => {
    const { subject, mean, low, high, n, dev, perAnswer } = result;
    const tokens = (perAnswer.inputTokens + perAnswer.outputTokens).toFixed(0);
    return (
      `| ${subject} | ${percent(mean)} | ${percent(low)} to ${percent(high)} | ${n} | ${percent(dev.mean)}${dev.optimistic ? "†" : ""} (${dev.n}) | ` +
      `${against(result)} | ${tokens} | ${duration(perAnswer.msMedian)} |`
    );
  };
  const { counts } = task;
  const [{ baseline, chance }] = results;
  const built = results.filter(({ build }) => build.seconds >= 1);
  return [
    `${counts.train} train, ${counts.dev} dev, ${counts.test} sealed test samples. Majority class: ${percent(baseline)} %; chance: ${percent(chance)} %. † optimistic: dev had chosen more than the champion.`,
    "",
    "| subject | accuracy, % | 95 % interval | n | dev, % (n) | against the generalist, points | Holm p | tokens an answer | median time an answer |",
    "|---|---|---|---|---|---|---|---|---|",
    ...results.map(row),
    "",
    `Built in: ${built.map(({ subject, build }) => `${subject} ${minutes(build.seconds)}`).join(", ")}. The whole study: ${minutes(record.seconds)} (${record.machine}).`,
  ];
}

/** Lawma's stored predictions, best first. */
export function predictions() {
  const { results, ranking } = bench("lawma-predictions");
  const [{ ranks }] = ranking;
  const rows = ranks.map(({ subject, letters }) => {
    const { mean, low, high, n, unscored } = results.find((one) => one.subject === subject);
    return `| ${subject} | ${percent(mean)} | ${percent(low)} to ${percent(high)} | ${n} | ${unscored} | ${letters} |`;
  });
  return [
    "| system | accuracy, % | 95 % interval | n | unscored | letters |",
    "|---|---|---|---|---|---|",
    ...rows,
  ];
}

/** Races of simulated prompts, by what the prompts are worth. */
export function races() {
  const { settings } = bench("optimize");
  const rows = Object.entries(settings).map(
    ([name, { falseAccepts, withinOneError, callsOfAll, shrinkagePoints }]) =>
      `| ${name} | ${percent(falseAccepts)} | ${percent(withinOneError)} | ${percent(callsOfAll)} | ${shrinkagePoints.toFixed(1)} |`,
  );
  return [
    "| prompts | false accepts, % | within one standard error of the best, % | answers asked, % of scoring all on all | shrinkage, points |",
    "|---|---|---|---|---|",
    ...rows,
  ];
}

/** Searches over compositions with known effects. */
export function searches() {
  const { runs, settings } = bench("search");
  const rows = Object.entries(settings).map(
    ([name, { falseAccepts, gainPoints, bestPoints, interactionShown, calls }]) =>
      `| ${name} | ${percent(falseAccepts)} | ${gainPoints.toFixed(1)} | ${bestPoints.toFixed(1)} | ${percent(interactionShown)} | ${calls} |`,
  );
  return [
    `| compositions, ${runs} searches each | false accepts, % | gain returned, points | gain of the best, points | interaction shown, % | calls |`,
    "|---|---|---|---|---|---|",
    ...rows,
  ];
}

/** Every route's accuracy on the recorded ones of the routes' tasks. */
export function routes() {
  const found = bench("routes");
  if (!found) return undefined;
  const { of, chosen, seeds } = found;
  const records = recorded(routeStudies);
  const results = records.map(resultsOf);
  const [first] = results;
  const mean = (subject) =>
    results.reduce((sum, one) => sum + one.find((result) => result.subject === subject).mean, 0) /
    results.length;
  const subjects = first.map(({ subject }) => subject).sort((a, b) => mean(b) - mean(a));
  const cellOf = (subject, t) => {
    const { mean, low, high } = results[t].find((one) => one.subject === subject);
    return `${percent(mean)} (${percent(low)} to ${percent(high)})${chosen[records[t].key] === subject ? " ◂" : ""}`;
  };
  const counts = records.map(({ key, tasks }) => {
    const { train, dev, test } = tasks[0].counts;
    return `${key} ${train}, ${dev} and ${test}`;
  });
  return [
    `${tasksOf(records.length, of)} Accuracy in %, means of ${seeds.length} training seeds, with 95 % intervals; ◂ is the single route with the highest score on dev. Samples of train, dev and test: ${counts.join("; ")}.`,
    "",
    `| route | ${records.map(({ key }) => key).join(" | ")} |`,
    `|---|${"---:|".repeat(records.length)}`,
    ...subjects.map(
      (subject) => `| ${cell(subject)} | ${records.map((_, t) => cellOf(subject, t)).join(" | ")} |`,
    ),
  ];
}

/** Pairs of systems over several tasks and on each; a pair without Holm's p is outside the family. */
function pairs(found) {
  const row = ({ system, than, task, n, delta, low, high, p, holm }) =>
    `| ${system} | ${than} | ${task} | ${signed(delta)} (${percent(low)} to ${percent(high)}) | ${holm === undefined ? `${pValue(p)} †` : pValue(holm)} | ${n} |`;
  return [
    "| system | less | task | difference, points | Holm p | n |",
    "|---|---|---|---:|---:|---:|",
    ...found.map(row),
  ];
}

/** Compositions against the single route that dev chose, and against words; then single routes in pairs, uncorrected. */
export function compositions() {
  const found = bench("routes");
  return found && pairs([...found.results, ...found.alsoPaired]);
}

/** Optimized prompts and their controls on real tasks, and what each search found. */
export function prompts() {
  const found = bench("prompts");
  if (!found) return undefined;
  const points = (value) => (value === null ? "–" : signed(value));
  const rows = found.searches.map(
    ({ task, system, seed, looked, searched, confirmed, shrinkage, returned, test }) =>
      `| ${task} | ${system} | ${seed} | ${looked} | ${points(searched)} | ${points(confirmed)} | ${points(shrinkage)} | ${returned ? `${signed(test.delta)} (${percent(test.low)} to ${percent(test.high)})` : "not returned"} |`,
  );
  return [
    tasksOf(found.tasks, found.of),
    "",
    ...pairs(found.results),
    "",
    "| task | proposals | seed | prompts tried | gain on search samples, points | on confirm samples | shrinkage | on test |",
    "|---|---|---:|---:|---:|---:|---:|---|",
    ...rows,
  ];
}

/** `setfit` against `linear(vectors)` from few labels. */
export function fewLabels() {
  const { results, rows } = bench("setfit");
  const beyond = ({ low, high }) => low > 0 || high < 0;
  const lines = results.map(({ task, shots, draws, n, setfit, gain, low, high, ...others }) => {
    const { pieces } = rows.find((row) => row.task === task);
    const interval = `${signed(gain)} (${percent(low)} to ${percent(high)})`;
    return `| ${task} (${pieces}) | ${shots} | ${percent(setfit)} | ${percent(others["linear(vectors)"])} | ${interval} | ${n} × ${draws} |`;
  });
  return [
    "| task (word pieces read) | labels a class | `setfit`, % | `linear(vectors)`, % | difference, points | n × draws |",
    "|---|---:|---:|---:|---|---|",
    ...lines,
    "",
    `Intervals that leave out zero: ${results.filter(beyond).length} of ${results.length}; at the level that Bonferroni gives each of them, ${results.filter(({ family }) => beyond(family)).length}.`,
  ];
}

/** How many of a bench's tasks are measured. */
function tasksOf(count, of) {
  return count < of ? `${count} of ${of} tasks so far.` : `All ${of} tasks.`;
}
