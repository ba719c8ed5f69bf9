// Chooses the split of a study that Hone writes, and tries it by loading the data as the study will.

import { HoneError } from "../core/errors.js";
import { loadDataset } from "../data/index.js";
import type { Roles, Taken } from "./roles.js";

export type Counts = Record<"train" | "dev" | "test", number>;

/** From this many rows on, a fifth is enough for test. */
const manyRows = 500;
/** Beyond this many labels fine-tuning takes hours for little gain; the user may raise it. */
const maxTrain = 5000;

interface Settling {
  base: string;
  notes: string[];
  roles: Roles;
  labelled: number;
  /** How many labels rows share; 0 if they share none. */
  labels: number;
  untrained: boolean;
}

/**
 * Splits with near-duplicates and groups kept in one split; if one of them is so large that a split would be empty or
 * much too small, less is kept together, which is noted.
 */
export async function settle(
  data: Record<string, unknown>,
  { base, notes, roles, labelled, labels, untrained }: Settling,
): Promise<{ data: Record<string, unknown>; counts: Counts; taken: readonly Taken[] }> {
  const fractions = untrained
    ? { train: 0, dev: 0.2, test: 0.8 }
    : labelled < manyRows
      ? { train: 0.5, dev: 0.15, test: 0.35 }
      : { train: 0.7, dev: 0.1, test: 0.2 };
  const given = data.splits !== undefined;
  // Of labels with fewer rows than that, each by itself, none would go to dev.
  const each = labelled / Math.max(1, labels);
  const stratify = labels > 0 && (given || each * fractions.dev >= 1) ? { stratify: true } : {};
  const split = { by: "hash", ...(given ? {} : { fractions }), ...stratify, seed: 1 };
  const { group, ...alone } = data;
  const apart = { leakage: "drop" };
  const ungrouped = `${String(group)} does not keep rows together: one of its values has too many of them.`;
  const loose =
    "Many rows are near-duplicates of each other; those of train that are also in test are dropped.";
  const near = { ...split, group: "near" };
  const ways: { data: Record<string, unknown>; notes: string[] }[] = given
    ? [{ data: { ...data, split, ...apart }, notes: [] }]
    : [
        { data: { ...data, split: near }, notes: [] },
        ...(group === undefined
          ? []
          : [
              { data: { ...data, split, ...apart }, notes: [loose] },
              { data: { ...alone, split: near }, notes: [ungrouped] },
            ]),
        { data: { ...alone, split, ...apart }, notes: group === undefined ? [loose] : [ungrouped, loose] },
      ];
  const most = { train: maxTrain, dev: 100, test: 300 };
  const many = fractions.train * labelled > maxTrain;
  const limit = many ? most : { dev: most.dev, test: most.test };
  const wanted = (part: "train" | "dev" | "test") => Math.min(0.5 * fractions[part] * labelled, most[part]);
  let failure: unknown;
  for (const way of ways) {
    const tried = await tryOut({ ...way.data, limit }, base).catch((error: unknown) => {
      failure = error;
    });
    if (!tried) continue;
    const { counts } = tried.loaded;
    const fits =
      counts.test >= wanted("test") && counts.train >= wanted("train") && counts.dev >= wanted("dev");
    if (!given && !fits && way !== ways.at(-1)) continue;
    if (many)
      notes.push(`At most ${maxTrain.toLocaleString("en")} rows are trained on; \`limit\` can be raised.`);
    notes.push(...way.notes, ...tried.notes, ...tried.loaded.warnings.filter((text) => !known.test(text)));
    const taken = roles.taken.filter(
      ({ role }) =>
        !(role === "group" && tried.data.group === undefined) && !(role === "id" && tried.data.id === false),
    );
    return { data: tried.data, counts: { train: counts.train, dev: counts.dev, test: counts.test }, taken };
  }
  throw failure;
}

/** Warnings of the data layer that were already noted in more detail. */
const known = /without a label left out|but for case, white space/;

/** Loads the data as the study will; handles ids that are not unique and answers that name no option. */
async function tryOut(data: Record<string, unknown>, base: string) {
  let tried = data;
  const notes: string[] = [];
  for (;;) {
    try {
      return { data: tried, notes, loaded: await loadDataset(tried, { base, name: "data" }) };
    } catch (error) {
      const what = error instanceof HoneError ? error.failure.what : "";
      if (what === "Two rows have the same id." && tried.id !== false) {
        notes.push("Ids repeat; rows are identified by file and row number.");
        tried = { ...tried, id: false };
      } else if (what === "A label is not among the options." && tried.otherLabels === undefined) {
        tried = { ...tried, otherLabels: "drop" };
      } else throw error;
    }
  }
}
