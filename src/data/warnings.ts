// Warnings about a data set: dropped rows, counts that are not met, groups and labels that a split separates.

import type { Option } from "../core/language.js";
import type { Sample } from "../core/sample.js";
import type { Divided, Pool } from "./divide.js";
import type { Dropped } from "./samples.js";
import { parts } from "./split.js";

/** "1 row", "2 rows". */
export const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;

export function warnDropped(dropped: Dropped, unmet: readonly string[], warnings: string[]): void {
  const rows = (n: number): string => counted(n, "row");
  if (dropped.noLabel > 0) warnings.push(`${rows(dropped.noLabel)} without a label left out.`);
  if (dropped.noInput > 0) warnings.push(`${rows(dropped.noInput)} with an empty input left out.`);
  if (dropped.respelt > 0)
    warnings.push(
      `${rows(dropped.respelt)} with a label that is an option but for case, white space or \`.0\`.`,
    );
  if (dropped.otherLabel > 0)
    warnings.push(`${rows(dropped.otherLabel)} with a label outside the options left out.`);
  for (const path of unmet) warnings.push(`\`where\` names the field ${path}, which no row has.`);
}

export function warnStraddling(split: Divided, pool: readonly Pool[], warnings: string[]): void {
  const inTest = new Set(split.test.map((i) => pool[i]!.unit));
  const both = new Set(
    [...split.train, ...split.dev].map((i) => pool[i]!.unit).filter((unit) => inTest.has(unit)),
  );
  if (both.size > 0)
    warnings.push(
      `${both.size} groups have samples in test and also in train or dev, as the splits were given.`,
    );
}

/** Warns which counts are not met, and whether because there are too few rows or because groups stay whole. */
export function warnShort(
  split: Divided,
  pool: readonly Pool[],
  counts: { [part in keyof Divided]?: number | undefined },
  warnings: string[],
): void {
  const short = parts.filter((part) => split[part].length < (counts[part] ?? 0));
  if (short.length === 0) return;
  const wanted = parts.reduce((sum, part) => sum + (counts[part] ?? 0), 0);
  const told = short.map((part) => `${split[part].length} of ${counts[part]} for ${part}`).join(", ");
  const why =
    wanted > pool.length
      ? `there are only ${counted(pool.length, "row")} that can be used`
      : "groups stay whole, and none that is left fits";
  warnings.push(`\`split.counts\` is not met: ${told}; ${why}.`);
}

export function warnUnseen(train: readonly Sample[], shared: readonly Option[], warnings: string[]): void {
  const seen = new Set(train.flatMap(({ gold }) => gold));
  const unseen = shared.filter(({ key }) => !seen.has(key)).map(({ text }) => text);
  if (unseen.length > 0) {
    warnings.push(
      `${unseen.length} of ${shared.length} labels have no training sample: ${unseen.slice(0, 20).join(", ")}.`,
    );
  }
}
