// Loads a data set for a study: from files to train and dev samples and a sealed test split, divided, capped and
// checked for leakage. Everything that is done to the data is counted in `warnings`; nothing is dropped silently.

import { HoneError } from "../core/errors.js";
import type { Option } from "../core/language.js";
import type { Sample } from "../core/sample.js";
import type { Screen } from "../core/specializer.js";
import { cacheFolder } from "./cache.js";
import { copiesIn, divide, joinUnits, leakageOf, limitHashes, type Pool } from "./divide.js";
import { rowIdentity } from "./identity.js";
import type { Leak } from "./leakage.js";
import { formatOf, readRows } from "./readers.js";
import { readingOf } from "./reading.js";
import { type Dropped, sampleMaker } from "./samples.js";
import { type DatasetSpec, datasetSchema } from "./schema.js";
import { screenOf } from "./screen.js";
import { eyesOff, type Opening, type SealedTest, sealTest } from "./sealed.js";
import { resolveSource, type SourceOptions, shortNames } from "./sources.js";
import { capByHash, codesOf, parts } from "./split.js";
import { counted, warnDropped, warnShort, warnStraddling, warnUnseen } from "./warnings.js";

/** A data set that was split and checked for leakage; test is sealed. */
export interface Dataset {
  train: Sample[];
  dev: Sample[];
  test: SealedTest;
  /** Where the samples come from, pinned: with the Hub's commit or the wheel's SHA-256. */
  source: string;
  /** Copies of test samples in train and dev; `dropped` ones were removed and are not counted in `exact` and `near`. */
  leakage: { exact: number; near: number; checked: boolean; dropped?: number };
  counts: { train: number; dev: number; test: number; eyesOff: number };
  warnings: string[];
  /** Compares other texts with dev and test, as the leakage check does, without opening the seal. Absent for drawn trials. */
  screen?: () => Screen;
  /** The options, if all samples share them: classification. */
  labels?: Option[];
}

/** Where sources are looked up, and what is called before an opening. */
export interface DatasetOptions extends SourceOptions {
  /** Called before the test split is opened; see `sealTest`. */
  onOpen?: (opening: Opening) => void | Promise<void>;
  /** How error messages name the specification, for instance `demo.study.yaml: data`. */
  name?: string;
}

/**
 * Loads a data set. The specification is checked first, so it may come straight from a YAML file.
 *
 * @throws HoneError for an invalid specification, unreadable or unusable rows, an empty split, or (by default) leakage.
 * @example
 * import { loadDataset } from "@honelab/hone";
 * const data = await loadDataset({ source: "cases.jsonl", input: "{{facts}}", label: "area", options: ["Tax", "Crime"] });
 * data.train.length > data.test.n; // true
 */
export async function loadDataset(input: unknown, options: DatasetOptions = {}): Promise<Dataset> {
  const name = options.name ?? "data";
  const spec = checkSpec(input, name);
  const warnings: string[] = [];
  const seed = spec.split?.seed ?? 0;
  const loaded = await collect(spec, options);
  let { pool, shared } = loaded;
  warnDropped(loaded.dropped, loaded.unmet, warnings);
  if (pool.length === 0)
    throw unusable(name, "no row is left after the filters", "Loosen `where` or check `label`.");
  if (spec.minLabelCount !== undefined && shared) {
    ({ pool, shared } = dropRareLabels(pool, shared, spec.minLabelCount, warnings, name));
  }
  joinUnits(pool, spec);

  const ownHashes = limitHashes(pool, seed);
  const strata = spec.split?.stratify
    ? codesOf(pool.map(({ sample }) => String(sample.gold))).codes
    : undefined;
  const split = divide(pool, spec, seed, strata, name);
  if (spec.splits) warnStraddling(split, pool, warnings);
  if (spec.split?.counts) warnShort(split, pool, spec.split.counts, warnings);
  const cap = (indices: number[], limit: number | undefined): number[] =>
    limit === undefined ? indices : capByHash(indices, ownHashes, limit, strata);

  const leakage = leakageOf(spec);
  const chosen = { ...split, test: cap(split.test, spec.limit?.test) };
  // `drop` checks all of train first, so that the limits are still reached; otherwise only the samples that are used
  // are checked.
  if (leakage.mode !== "drop") {
    chosen.train = cap(chosen.train, spec.limit?.train);
    chosen.dev = cap(chosen.dev, spec.limit?.dev);
  }
  let found: Dataset["leakage"] = { exact: 0, near: 0, checked: false };
  if (leakage.mode !== "off") {
    const leaks = copiesIn(pool, spec, [...chosen.train, ...chosen.dev], chosen.test);
    const exact = leaks.filter(({ kind }) => kind === "exact").length;
    found = { exact, near: leaks.length - exact, checked: true };
    if (leaks.length > 0) {
      if (leakage.mode === "stop") throw leaked(leaks, found, pool, name);
      const told = `${leaks.length} training or dev samples also occur in test (${exact} exactly, ${leaks.length - exact} nearly)`;
      warnings.push(leakage.mode === "drop" ? `${told}; they were dropped.` : `${told}; they were kept.`);
      if (leakage.mode === "drop") {
        const out = new Set(leaks.map((leak) => Number(leak.train)));
        chosen.train = chosen.train.filter((i) => !out.has(i));
        chosen.dev = chosen.dev.filter((i) => !out.has(i));
        found = { exact: 0, near: 0, checked: true, dropped: leaks.length };
      }
    }
  }
  if (leakage.mode === "drop") {
    chosen.train = cap(chosen.train, spec.limit?.train);
    chosen.dev = cap(chosen.dev, spec.limit?.dev);
  }
  // A train fraction of 0 is for studies that only prompt a model and train nothing.
  const untrained = spec.split?.fractions?.train === 0;
  for (const part of untrained ? (["test"] as const) : (["train", "test"] as const)) {
    if (chosen[part].length === 0) {
      throw unusable(
        name,
        `of ${pool.length} samples none is left for ${part}`,
        "Change `split` or `limit`.",
      );
    }
  }
  const samplesOf = (indices: number[]): Sample[] => indices.map((i) => pool[i]!.sample);
  const test = eyesOff(samplesOf(chosen.test), spec.eyesOff ?? 0, seed);
  const dataset = { train: samplesOf(chosen.train), dev: samplesOf(chosen.dev) };
  if (shared && !untrained) warnUnseen(dataset.train, shared, warnings);
  return {
    ...dataset,
    test: sealTest(test, {
      rows: chosen.test.map((i) => pool[i]!.row),
      ...(options.onOpen ? { onOpen: options.onOpen } : {}),
    }),
    source: loaded.pinned.join(", "),
    leakage: found,
    counts: {
      train: dataset.train.length,
      dev: dataset.dev.length,
      test: test.length,
      eyesOff: test.filter((sample) => sample.eyesOff).length,
    },
    warnings,
    screen: screenOf(() => ({
      train: textsOf(dataset.train),
      dev: textsOf(dataset.dev),
      test: textsOf(test),
    })),
    ...(shared ? { labels: [...shared] } : {}),
  };
}

/** The parts of samples that are compared with synthetic texts: each text separately, never the options. */
function textsOf(samples: readonly Sample[]): string[] {
  return samples.flatMap(({ input, question }) => (question ? [input, question] : [input]));
}

function checkSpec(input: unknown, name: string): DatasetSpec {
  const result = datasetSchema.safeParse(input);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw new HoneError({
    what: "The data set is not specified correctly.",
    where: [name, ...issue.path.map(String)].join("."),
    why: issue.message,
    next: "Correct it there; docs and JSON schema list every field.",
    kind: "usage",
  });
}

async function collect(
  spec: DatasetSpec,
  options: DatasetOptions,
): Promise<{
  pool: Pool[];
  dropped: Dropped;
  unmet: readonly string[];
  shared: readonly Option[] | undefined;
  pinned: string[];
}> {
  const maker = sampleMaker(spec);
  const sources: { ref: string; given?: "train" | "dev" | "test" }[] = [];
  const listed = (refs: string | string[] | undefined): string[] => (refs === undefined ? [] : [refs].flat());
  for (const ref of listed(spec.source)) sources.push({ ref });
  for (const given of parts) for (const ref of listed(spec.splits?.[given])) sources.push({ ref, given });

  const files: { path: string; given?: "train" | "dev" | "test" }[] = [];
  const pinned: string[] = [];
  for (const { ref, given } of sources) {
    const resolved = await resolveSource(ref, options);
    pinned.push(given ? `${given}: ${resolved.pinned}` : resolved.pinned);
    for (const path of resolved.files) files.push({ path, ...(given ? { given } : {}) });
  }
  const nameOf = shortNames(
    files.map(({ path }) => path),
    options.cache ?? cacheFolder(),
  );
  const pool: Pool[] = [];
  const places = new Map<string, string>();
  for (const { path, given } of files) {
    options.signal?.throwIfAborted();
    const short = nameOf(path);
    const format = spec.format ?? formatOf(path);
    let n = 0;
    for await (const row of readRows(path, { ...readingOf(spec), format })) {
      n++;
      const made = maker.make(row, format === "document" ? short : `${short}:${n}`);
      if (!made) continue;
      const first = places.get(made.sample.id);
      if (first !== undefined) {
        throw new HoneError({
          what: "Two rows have the same id.",
          where: `${first} and ${made.place}`,
          why: `both are ${JSON.stringify(made.sample.id.slice(0, 100))}`,
          next: "Name another field as `id`, build one from several ({{file}}-{{n}}), or remove one row.",
        });
      }
      places.set(made.sample.id, made.place);
      pool.push({
        ...made,
        row: rowIdentity(row.row, format === "document"),
        unit: "",
        ...(given ? { given } : {}),
      });
    }
  }
  if (pool.length === 0 && maker.labelless) throw maker.labelless;
  return { pool, dropped: maker.dropped, unmet: maker.unmet, shared: maker.shared, pinned };
}

/** The rows and labels without the rare labels. A row with several right answers keeps those that are not rare. */
function dropRareLabels(
  pool: Pool[],
  shared: readonly Option[],
  least: number,
  warnings: string[],
  name: string,
): { pool: Pool[]; shared: readonly Option[] } {
  const counts = new Map<string, number>();
  for (const { sample } of pool)
    for (const key of [sample.gold].flat()) counts.set(key, (counts.get(key) ?? 0) + 1);
  const kept = shared.filter(({ key }) => (counts.get(key) ?? 0) >= least);
  if (kept.length === shared.length) return { pool, shared };
  if (kept.length < 2)
    throw unusable(
      name,
      `${counted(kept.length, "label")} of ${shared.length} ${kept.length === 1 ? "has" : "have"} ${least} rows or more, and at least two are needed`,
      "Make `minLabelCount` smaller.",
    );
  const keys = new Set(kept.map(({ key }) => key));
  const staying = pool.flatMap((one) => {
    const left = [one.sample.gold].flat().filter((key) => keys.has(key));
    if (left.length === 0) return [];
    return [{ ...one, sample: { ...one.sample, gold: left.length === 1 ? left[0]! : left } }];
  });
  const names = shared.filter(({ key }) => !keys.has(key)).map(({ text }) => text);
  const gone = pool.length - staying.length;
  warnings.push(
    `${counted(names.length, "label")} with fewer than ${least} rows left out, with ${counted(gone, "row")}: ${names.slice(0, 20).join(", ")}.`,
  );
  return { pool: staying, shared: kept };
}

function unusable(name: string, why: string, next: string): HoneError {
  return new HoneError({ what: "The data set is empty where it must not be.", where: name, why, next });
}

function leaked(
  leaks: readonly Leak[],
  found: { exact: number; near: number },
  pool: readonly Pool[],
  name: string,
): HoneError {
  const id = (index: string): string => pool[Number(index)]!.sample.id;
  const shown = leaks
    .slice(0, 20)
    .map(
      ({ train, test, similarity }) =>
        `${id(train)} ~ ${id(test)} (${(Math.floor(similarity * 100) / 100).toFixed(2)})`,
    );
  const more = leaks.length > shown.length ? `, and ${leaks.length - shown.length} more` : "";
  return new HoneError({
    what: "Training samples also occur in test.",
    where: `${name}: ${shown.join(", ")}${more}`,
    why: `${leaks.length} training or dev samples, ${found.exact} exactly and ${found.near} nearly; scores on test would be too optimistic`,
    next: "Set `leakage: drop` to leave them out of train and dev, or `split: {group: near}` to keep duplicates on one side.",
    kind: "gate",
  });
}
