// Divides a pool of samples into train, dev and test: what stays together, and what an earlier split has used up.

import { HoneError } from "../core/errors.js";
import { fingerprint } from "../core/json.js";
import type { Sample, SplitName } from "../core/sample.js";
import { findLeaks, type Leak, nearGroups, type TextItem } from "./leakage.js";
import type { Placed } from "./samples.js";
import type { DatasetSpec } from "./schema.js";
import { assignSplits, capByHash, parts, type Shares, type SplitPlan, unitHash } from "./split.js";
import { isTemplate } from "./template.js";

const usual: Shares = { train: 0.7, dev: 0.1, test: 0.2 };

/** A sample on its way into a split. */
export interface Pool extends Placed {
  /** Identity of the source row. */
  row: string;
  given?: "train" | "dev" | "test";
  /** Name of the unit that must stay together. */
  unit: string;
}

/** From so many samples on, a question or options that most of a stratum have are the task's and not a row's. */
const leastShared = 10;

/**
 * Reads the parts of a sample's text that vary between samples. A row's own question and options count, since the same
 * input may occur with others. Those that most of its stratum share count as one word: in full, they would make short
 * inputs alike.
 */
function ownTexts(pool: readonly Pool[], spec: DatasetSpec): (sample: Sample) => string {
  const asks = spec.question !== undefined && isTemplate(spec.question);
  const asked = ({ question = "", options = [] }: Sample): string[] => [
    asks ? question : "",
    options
      .map(({ text }) => text)
      .sort()
      .join("\n"),
  ];
  const keyOf = (text: string, part: number, { stratum = "" }: Sample) =>
    JSON.stringify([part, stratum, text]);
  const sizes = new Map<string, number>();
  const counts = new Map<string, number>();
  const count = (of: Map<string, number>, key: string) => of.set(key, (of.get(key) ?? 0) + 1);
  for (const { sample } of pool) {
    count(sizes, sample.stratum ?? "");
    for (const [part, text] of asked(sample).entries()) count(counts, keyOf(text, part, sample));
  }
  const isShared = (text: string, part: number, sample: Sample): boolean => {
    const n = counts.get(keyOf(text, part, sample))!;
    return text !== "" && n >= leastShared && n > sizes.get(sample.stratum ?? "")! / 2;
  };
  return (sample) => {
    const own = asked(sample).map((text, part) => (isShared(text, part, sample) ? fingerprint(text) : text));
    return [sample.input, ...own].join("\n");
  };
}

/** How copies are handled, and the similarity from which a text counts as a copy. */
export function leakageOf({ leakage = "stop" }: Pick<DatasetSpec, "leakage">) {
  const { mode, near = 0.8 } = typeof leakage === "string" ? { mode: leakage } : leakage;
  return { mode, near };
}

/** Which of some samples, by index, are copies of others; the ids are the indices. */
export function copiesIn(
  pool: readonly Pool[],
  spec: DatasetSpec,
  some: readonly number[],
  others: readonly number[],
): Leak[] {
  const textOf = ownTexts(pool, spec);
  const items = (indices: readonly number[]): TextItem[] =>
    indices.map((i) => ({ id: String(i), text: textOf(pool[i]!.sample) }));
  return findLeaks(items(some), items(others), { near: leakageOf(spec).near });
}

/** Determines what stays together: the group, the cluster of near duplicates, both joined, or the sample alone. */
export function joinUnits(pool: Pool[], spec: DatasetSpec): void {
  for (const one of pool)
    one.unit = one.sample.group === undefined ? `id:${one.sample.id}` : `group:${one.sample.group}`;
  if (spec.split?.group !== "near") return;
  const textOf = ownTexts(pool, spec);
  const clusters = nearGroups(
    pool.map(({ sample }) => textOf(sample)),
    leakageOf(spec).near,
  );
  const parent = new Map<string, string>();
  const root = (name: string): string => {
    let top = name;
    for (let up = parent.get(top); up !== undefined; up = parent.get(top)) top = up;
    for (let at = name; at !== top; ) {
      const up = parent.get(at)!;
      parent.set(at, top);
      at = up;
    }
    return top;
  };
  for (const [i, cluster] of clusters.entries()) {
    const a = root(pool[i]!.unit);
    const b = root(pool[cluster]!.unit);
    const [first, second] = [a, b].sort() as [string, string];
    if (a !== b) parent.set(second, first);
  }
  const sizes = new Map<string, number>();
  for (const one of pool) {
    one.unit = root(one.unit);
    sizes.set(one.unit, (sizes.get(one.unit) ?? 0) + 1);
  }
  for (const one of pool) {
    if (sizes.get(one.unit)! > 1) one.sample = { ...one.sample, group: one.unit };
  }
}

export type Divided = Record<SplitName, number[]>;

/** Divides a pool, by index; `codes` are the label codes if every split keeps the labels' proportions. */
export function divide(
  pool: readonly Pool[],
  spec: DatasetSpec,
  seed: number,
  codes: Int32Array | undefined,
  name: string,
): Divided {
  const out: Divided = { train: [], dev: [], test: [] };
  const grouped = spec.group !== undefined || spec.split?.group !== undefined;
  const assign = (chosen: number[], plan: SplitPlan): void => {
    const rows = {
      hashes: Float64Array.from(chosen, (i) => unitHash(seed, pool[i]!.unit)),
      grouped,
      ...(codes ? { strata: Int32Array.from(chosen, (i) => codes[i]!) } : {}),
    };
    assignSplits(rows, plan).forEach((part, k) => {
      const target = parts[part];
      if (target) out[target].push(chosen[k]!);
    });
  };
  const indices = pool.map((_, i) => i);
  if (!spec.splits) {
    const { counts, fractions = usual, spent } = spec.split ?? {};
    const old = spentUnits(pool, spec, codes, name);
    if (!spent) {
      assign(indices, counts ? { counts: counts as NonNullable<SplitPlan["counts"]> } : { fractions });
      return out;
    }
    const fresh = indices.filter((i) => !old.has(pool[i]!.unit));
    const [dev, test] = [fractions.dev, fractions.test].map((part) => (part * pool.length) / fresh.length);
    if (!(dev! + test! <= 1)) throw tooFewFresh(name, fresh.length, pool.length, fractions);
    assign(fresh, { fractions: { train: 1 - dev! - test!, dev: dev!, test: test! } });
    out.train = [...out.train, ...indices.filter((i) => old.has(pool[i]!.unit))].sort((a, b) => a - b);
    return out;
  }
  const given = (part: keyof Divided): number[] => indices.filter((i) => pool[i]!.given === part);
  if (spec.splits.dev === undefined) {
    const dev = spec.devFraction ?? 0.15;
    assign(given("train"), { fractions: { train: 1 - dev, dev, test: 0 } });
  } else {
    out.train = given("train");
    out.dev = given("dev");
  }
  out.test = given("test");
  return out;
}

/**
 * Units with a row that an earlier split put into test or dev, or used from its train. Where copies are dropped and not
 * kept together, copies of spent rows are spent too.
 */
function spentUnits(
  pool: readonly Pool[],
  spec: DatasetSpec,
  codes: Int32Array | undefined,
  name: string,
): ReadonlySet<string> {
  const { spent = [], ...split } = spec.split ?? {};
  const drops = leakageOf(spec).mode === "drop" && split.group !== "near";
  const rows = new Set<number>();
  for (const [i, { seed, train }] of spent.entries()) {
    const before = i === 0 ? {} : { spent: spent.slice(0, i) };
    const earlier = divide(pool, { ...spec, split: { ...split, ...before } }, seed, codes, name);
    const hashes = limitHashes(pool, seed);
    const { test: most = earlier.test.length } = spec.limit ?? {};
    // The earlier split dropped the copies of its test first and sampled its training rows from the rest.
    const opened = drops ? capByHash(earlier.test, hashes, most, codes) : [];
    const dropped = new Set(
      copiesIn(pool, spec, drops ? earlier.train : [], opened).map((one) => Number(one.train)),
    );
    const left = earlier.train.filter((index) => !dropped.has(index));
    for (const index of [...earlier.test, ...earlier.dev, ...capByHash(left, hashes, train, codes)])
      rows.add(index);
  }
  if (drops && rows.size > 0) {
    const others = pool.map((_, i) => i).filter((i) => !rows.has(i));
    for (const { train } of copiesIn(pool, spec, others, [...rows])) rows.add(Number(train));
  }
  return new Set([...rows].map((i) => pool[i]!.unit));
}

/** The hashes by which limits sample: per sample, whatever unit it belongs to. */
export function limitHashes(pool: readonly Pool[], seed: number): Float64Array {
  return Float64Array.from(pool, ({ sample }) => unitHash(seed, "limit", sample.id));
}

function tooFewFresh(name: string, fresh: number, all: number, { dev, test }: Shares): HoneError {
  return new HoneError({
    what: "Too few rows are left for a new test.",
    where: `${name}: split.spent`,
    why: `${fresh} of ${all} rows were not used by the earlier split, and dev and test together are to have ${Math.ceil((dev + test) * all)}`,
    next: "Make `split.fractions.dev` and `split.fractions.test` smaller, or add new rows.",
    kind: "usage",
  });
}
