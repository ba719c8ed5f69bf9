// The sealed test split: its size, its fingerprint and the identities of its source rows are public; its contents are
// only available through `open`, which reports the opening first. If the opening cannot be recorded, nothing is revealed.

import { createHash } from "node:crypto";
import { fingerprint } from "../core/json.js";
import type { Sample } from "../core/sample.js";
import { rowIdentity } from "./identity.js";
import { unitHash } from "./split.js";

/** What is recorded when the seal is broken. */
export interface Opening extends TestIdentity {
  n: number;
  reason: string;
}

/** What identifies a test split. */
export interface TestIdentity {
  /** Hash of all ids and contents as a subject sees them, independent of the samples' order. */
  readonly fingerprint: string;
  /** Identity of each sample's source row, sorted: independent of the templates. */
  readonly rows: readonly string[];
}

/** A test split that reveals its size and fingerprint; every access to its samples is logged. */
export interface SealedTest extends TestIdentity {
  readonly n: number;
  /** The samples, after the opening has been recorded. Every iteration is one opening. */
  open(reason: string): AsyncIterable<Sample>;
}

/**
 * Seals samples. The caller must not keep or pass on the array.
 * @param options.rows identity of each sample's source row; if omitted, samples are identified by their contents, not their
 * id
 */
export function sealTest(
  samples: readonly Sample[],
  options: { onOpen?: (opening: Opening) => void | Promise<void>; rows?: readonly string[] } = {},
): SealedTest {
  const kept = samples.map((sample) => structuredClone(sample));
  const hash = createHash("sha256");
  for (const one of kept.map((sample) => fingerprint(sample, 64)).sort()) hash.update(one);
  const print = hash.digest("hex").slice(0, 24);
  const rows = [
    ...(options.rows ?? kept.map(({ id: _, eyesOff: __, ...contents }) => rowIdentity(contents))),
  ].sort();
  const n = kept.length;
  return Object.freeze({
    n,
    fingerprint: print,
    rows,
    async *open(reason: string) {
      if (reason.trim() === "") throw new Error("Opening the test split needs a reason.");
      await options.onOpen?.({ fingerprint: print, rows, n, reason });
      for (const sample of kept) yield structuredClone(sample);
    },
  });
}

/** Marks a fraction of the samples, chosen by seeded hash, as eyes-off; samples of one group are marked alike. */
export function eyesOff(samples: readonly Sample[], fraction: number, seed: number): Sample[] {
  return samples.map((sample) =>
    unitHash(seed, "eyes-off", sample.group === undefined ? `id:${sample.id}` : `group:${sample.group}`) <
    fraction
      ? { ...sample, eyesOff: true }
      : sample,
  );
}
