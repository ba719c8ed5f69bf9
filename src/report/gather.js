// Reads a study's outcomes twice and keeps what a report shows: confusion counts, and the samples worth opening.
// It counts and selects; every statistic comes with the record, and every text is still raw (escaping is the writers' part).
import { collectMovements } from "./movements.js";

const maxKeys = 14;
/** The index of the task that outcomes name by its key; -1 where the record does not know it. */
export function taskIndex(record, task) {
  return record.tasks.findIndex((card) => card.key === task || card.name === task);
}
/** The index of a subject by name or by one of its fingerprints; -1 where the record does not know it. */
export function subjectIndex(record, subject) {
  const byName = record.subjects.findIndex((card) => card.name === subject);
  return byName >= 0 ? byName : record.subjects.findIndex((card) => card.ids.includes(subject));
}
/** At most `most` samples are kept with their answers; memory is proportional to samples, not to their text. */
export function gather(source, most) {
  const { record } = source;
  const tasks = new Map();
  const subjects = new Map();
  const place = (outcome) => {
    if (outcome.split !== "test") return undefined;
    const task = child(tasks, outcome.task, () => taskIndex(record, outcome.task));
    const subject = child(subjects, outcome.subject, () => subjectIndex(record, outcome.subject));
    return task < 0 || subject < 0 ? undefined : [task, subject];
  };
  const seen = new Map();
  const tallies = new Map();
  const binary = record.tasks.map(() => true);
  const movements = collectMovements(record);
  for (const outcome of source.outcomes()) {
    const at = place(outcome);
    if (!at) continue;
    const [task, subject] = at;
    movements.see(task, subject, outcome);
    const key = `${task}\n${outcome.sample}`;
    let sample = seen.get(key);
    if (!sample) {
      sample = { task, id: outcome.sample, lowest: 1, highest: 0, unscored: false };
      seen.set(key, sample);
    }
    if (outcome.grade.status === "scored") {
      const { score } = outcome.grade;
      sample.lowest = Math.min(sample.lowest, score);
      sample.highest = Math.max(sample.highest, score);
      if (score !== 0 && score !== 1) binary[task] = false;
    } else sample.unscored = true;
    if (record.tasks[task]?.labels) {
      const predicted = outcome.grade.status === "scored" ? outcome.grade.prediction || null : null;
      const tally = child(tallies, `${task} ${subject}`, () => new Map());
      const row = child(tally, outcome.gold, () => new Map());
      row.set(predicted, (row.get(predicted) ?? 0) + 1);
    }
  }
  const interest = (sample) => {
    // An error is no failure: whatever it is, there is a smaller one.
    if (record.tasks[sample.task]?.metric.better === "lower") return sample.unscored ? 0 : 1;
    if (sample.unscored || (sample.highest > 0 && sample.lowest < sample.highest)) return 0;
    return sample.lowest < 1 ? 1 : 2;
  };
  const chosen = [...seen.values()].sort((a, b) => interest(a) - interest(b)).slice(0, most);
  const rows = new Map();
  for (const { task, id } of chosen) {
    rows.set(`${task}\n${id}`, {
      task,
      id,
      gold: "",
      eyesOff: false,
      answers: record.subjects.map(() => []),
    });
  }
  for (const outcome of source.outcomes()) {
    const at = place(outcome);
    const row = at && rows.get(`${at[0]}\n${outcome.sample}`);
    if (!at || !row) continue;
    row.gold = outcome.gold;
    row.eyesOff ||= outcome.eyesOff === true;
    if (outcome.group !== undefined) row.group = outcome.group;
    row.answers[at[1]]?.push(outcome);
  }
  const samples = record.tasks.map(() => 0);
  for (const { task } of seen.values()) samples[task] = (samples[task] ?? 0) + 1;
  return {
    confusions: confusionsOf(record, tallies),
    rows: [...rows.values()],
    samples,
    binary,
    movements: movements.all(),
  };
}
function confusionsOf(record, tallies) {
  const confusions = [];
  for (const [t, task] of record.tasks.entries()) {
    const frequency = new Map();
    for (let s = 0; s < record.subjects.length; s++) {
      for (const [gold, row] of tallies.get(`${t} ${s}`) ?? []) {
        for (const [predicted, count] of row) {
          // A thousandth for predictions orders keys that are never gold behind those that are.
          frequency.set(gold, (frequency.get(gold) ?? 0) + count);
          if (predicted !== null) frequency.set(predicted, (frequency.get(predicted) ?? 0) + count / 1000);
        }
      }
    }
    const ranked = [...frequency].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([key]) => key);
    const keys = ranked.length > maxKeys + 1 ? ranked.slice(0, maxKeys) : ranked;
    const pooled = ranked.length - keys.length;
    const size = keys.length + (pooled > 0 ? 1 : 0);
    const position = new Map(ranked.map((key, i) => [key, Math.min(i, size - 1)]));
    for (const [s, subject] of record.subjects.entries()) {
      const tally = tallies.get(`${t} ${s}`);
      if (!tally) continue;
      const counts = Array.from({ length: size }, () => new Array(size + 1).fill(0));
      for (const [gold, row] of tally) {
        const line = counts[position.get(gold) ?? 0];
        if (!line) continue;
        for (const [predicted, count] of row) {
          const column = predicted === null ? size : (position.get(predicted) ?? 0);
          line[column] = (line[column] ?? 0) + count;
        }
      }
      confusions.push({ task, subject, keys, pooled, counts });
    }
  }
  return confusions;
}
function child(map, key, make) {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
/** Mean score of one subject on one sample over its seeds; null where no seed was scored. */
export function meanScore(answers) {
  let sum = 0;
  let n = 0;
  for (const { grade } of answers) {
    if (grade.status !== "scored") continue;
    sum += grade.score;
    n++;
  }
  return n === 0 ? null : sum / n;
}
