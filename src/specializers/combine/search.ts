// search: composes the other specializers under one budget. A factorial with main effects first, one test of whether factors
// interact, successive halving over what survives, and a stack or a single specialist at the end; judged on out-of-fold
// predictions on train, and confirmed on dev against the simplest. Test stays sealed.

import { z } from "zod";
import type { Json } from "../../core/json.js";
import type { LanguageSubject } from "../../core/kinds.js";
import type { SearchNotes } from "../../core/search.js";
import type { LanguageSpecializer, Specializer } from "../../core/specializer.js";
import { derive } from "../parts/define.js";
import { inherited } from "../parts/inherited.js";
import { readOptions } from "../parts/options.js";
import { zeroShot } from "../prompting/zero-shot.js";
import type { SpecializerEntry } from "../table.js";
import { type Returned, searchFor } from "./search/course.js";
import type { Limits } from "./search/meter.js";
import { composed, type Space } from "./search/space.js";
import { poolOf } from "./stack/members.js";

const mostCalls = 10_000;

const searchOptions = z.strictObject({
  factors: z
    .record(z.string().min(1).max(64), z.array(z.unknown()).min(2).max(12))
    .optional()
    .describe(
      'the factors by name, each a list of levels, the simplest first: specializers, written as in a study, or "none"; applied in the order given',
    ),
  alone: z
    .array(z.unknown())
    .max(20)
    .optional()
    .describe("specializers that are tried on their own, outside the factorial"),
  calls: z
    .int()
    .min(100)
    .max(100_000_000)
    .default(mostCalls)
    .describe("maximum calls that the search may make"),
  tokens: z.int().min(1000).optional().describe("maximum tokens, read and written, that it may use"),
  seconds: z
    .number()
    .min(1)
    .default(3600)
    .describe(
      "maximum seconds of wall clock; where this limit ends the search, the result depends on the machine",
    ),
  usd: z.number().gt(0).optional().describe("maximum dollars that it may spend"),
  cells: z
    .int()
    .min(4)
    .max(64)
    .default(24)
    .describe(
      "maximum combinations of levels that the factorial measures, though never fewer than each level on its own",
    ),
  screen: z
    .int()
    .min(32)
    .max(10_000)
    .default(96)
    .describe("maximum train samples of the factorial, each given to every combination"),
  folds: z
    .int()
    .min(2)
    .max(16)
    .default(4)
    .describe("folds of train; each is predicted by what was made from the others"),
  held: z
    .int()
    .min(32)
    .max(100_000)
    .default(1000)
    .describe("approximate number of train samples predicted out of fold at the end"),
  headroom: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe(
      "level of the headroom test, made on 64 samples or more: nothing is searched where its p is above this; 1 always searches",
    ),
  confirm: z
    .number()
    .gt(0)
    .max(1)
    .default(0.05)
    .describe("level at which the result must beat the simplest branch on dev, one-sided"),
  guard: z
    .number()
    .min(0)
    .max(10)
    .default(1)
    .describe("standard errors by which a member of the stack must lower the out-of-fold log-loss"),
});
/** Options of `search`. */
export type SearchOptions = z.input<typeof searchOptions>;

type State = {
  /** The members that answer: each one's place in the space, its weight in the pool, and its state, fitted on all of train. */
  members: Returned[];
  search: SearchNotes;
};

/** The default space, as a study would write it; what a model does not grant is left out. */
const usualSpace: { factors: Record<string, unknown[]>; alone: unknown[] } = {
  factors: {
    prompt: ["zeroShot", { fewShot: { k: 6, draw: "balanced" } }, { knn: { k: 6 } }],
    scoring: ["none", "calibrate"],
  },
  alone: ["linear", "probe", "lora"],
};

/** A level as a study writes it: "none" changes nothing. */
function levelOf<Level>(written: unknown, make: (written: unknown) => Level): Level | null {
  return written === "none" ? null : make(written);
}

/**
 * Searches a space of compositions.
 * @param space factors, each with its simplest level first, and specializers that are used alone; what the model does not grant is
 *   left out, and the state says so
 * @throws HoneError where train or dev is missing, or the budget does not cover the simplest branch
 *
 * @example
 * import { fewShot, linear, search } from "@honelab/hone";
 * const space = { factors: [{ name: "prompt", levels: [null, fewShot({ k: 6 })] }], alone: [linear()] };
 * search(space, { calls: 2000 }).label; // "search(calls=2000)"
 */
export function search(
  space: Space,
  options: Omit<SearchOptions, "factors" | "alone"> = {},
): Specializer<State, "language"> {
  const chosen = readOptions(searchOptions.omit({ factors: true, alone: true }), "search", options);
  const { calls, tokens, seconds, usd, ...rules } = chosen;
  const limits: Limits = {
    ...{ calls, seconds },
    ...(tokens === undefined ? {} : { tokens }),
    ...(usd === undefined ? {} : { usd }),
  };
  const parts = [...space.factors.flatMap(({ levels }) => levels), ...space.alone].filter(
    (one) => one !== null,
  );
  const { screened, encodes } = inherited(parts);
  const written = (one: LanguageSpecializer | null): Json => one && { name: one.name, options: one.options };
  const plain = zeroShot<"language">();
  const name = "search";
  const label = labelOf(chosen);
  const asOptions: Json = {
    factors: space.factors.map(({ name, levels }) => ({ name, levels: levels.map(written) })),
    alone: space.alone.map(written),
    ...{ ...rules, ...limits },
  };
  return {
    ...{ name, label, options: asOptions },
    needs: [],
    kinds: ["language"],
    seeded: true,
    ...(screened ? { screened } : {}),
    ...(encodes ? { encodes } : {}),
    choosesOnDev: true,
    ceiling: () => limits,
    fit: (subject, given) => searchFor(subject, given, { space, plain, limits, rules }),
    apply: (subject, { members }, tools) => {
      const asked = members.map(
        ({ place, state }) => composed(space, place, plain).apply(subject, state, tools) as LanguageSubject,
      );
      const [only] = asked;
      if (asked.length === 1 && only) return only;
      return derive(subject, { name, label, options: asOptions }, members, {
        respond: poolOf(
          asked,
          members.map(({ weight }) => weight),
        ),
      });
    },
  };
}

function labelOf({
  calls,
  tokens,
  usd,
}: Pick<z.output<typeof searchOptions>, "calls" | "tokens" | "usd">): string {
  const parts = [
    ...(calls === mostCalls ? [] : [`calls=${calls}`]),
    ...(tokens === undefined ? [] : [`tokens=${tokens}`]),
    ...(usd === undefined ? [] : [`usd=${usd}`]),
  ];
  return parts.length > 0 ? `search(${parts.join(", ")})` : "search";
}

/** Its entry in the table of specializers. */
export const searchEntry = {
  make: ({ factors = usualSpace.factors, alone = usualSpace.alone, ...rest }: SearchOptions, inner) =>
    search(
      {
        factors: Object.entries(factors).map(([name, levels]) => ({
          name,
          levels: levels.map((one: unknown, l: number) =>
            levelOf(one, (written) => inner(written, `factors.${name}.${l}`, "language")),
          ),
        })),
        alone: alone.map((one, i) => inner(one, `alone.${i}`, "language")),
      },
      rest,
    ),
  options: searchOptions,
  summary:
    "The others composed under one budget: a factorial, successive halving, then a stack or a single one",
  paper:
    "Box, Hunter and Hunter 2005, Statistics for Experimenters; Karnin, Koren and Somekh 2013 and Jamieson and Talwalkar 2016 (arXiv 1502.07943), successive halving",
  leaf: null,
} satisfies SpecializerEntry;
