// The properties that a specializer made from others inherits from them.

import { kinds } from "../../core/kinds.js";
import type { Sample } from "../../core/sample.js";
import type { Ceiling, Specializer } from "../../core/specializer.js";

type Inherited = Pick<
  Specializer,
  "needs" | "kinds" | "seeded" | "choosesOnDev" | "screened" | "encodes" | "trains" | "checkTrain" | "ceiling"
>;

/** Ceilings added up; a limit that one of them lacks does not apply to the whole. */
export function addedCeilings(ceilings: readonly Ceiling[]): Ceiling {
  const [first = {}, ...more] = ceilings;
  const limits = Object.entries(first).filter(([name]) =>
    more.every((other) => other[name as keyof Ceiling] !== undefined),
  );
  const added = limits.map(([name, limit]) => [
    name,
    more.reduce((sum, other) => sum + (other[name as keyof Ceiling] ?? 0), limit),
  ]);
  return Object.fromEntries(added);
}

/** The ceiling of parts, each of which is fitted so many times. */
function ceilingOf(parts: readonly Inherited[], fits: number): Pick<Inherited, "ceiling"> {
  const limited = parts.flatMap(({ ceiling }) => ceiling ?? []);
  if (limited.length === 0) return {};
  const each = (train: readonly Sample[]) => limited.map((ceiling) => ceiling(train));
  return { ceiling: (train) => addedCeilings(Array(fits).fill(each(train)).flat()) };
}

/**
 * What any of the parts needs, the kinds that all support, and whether any depends on a seed, dev or the encoder.
 * @param fits how often each part is fitted
 */
export function inherited(parts: readonly Inherited[], fits = 1): Inherited {
  return {
    needs: [...new Set(parts.flatMap(({ needs }) => needs))],
    kinds: kinds.filter((kind) => parts.every((part) => part.kinds.includes(kind))),
    seeded: parts.some(({ seeded }) => seeded),
    ...(parts.some(({ choosesOnDev }) => choosesOnDev) ? { choosesOnDev: true } : {}),
    ...(parts.some(({ screened }) => screened) ? { screened: true } : {}),
    ...(parts.some(({ encodes }) => encodes)
      ? { encodes: (given) => parts.some((part) => part.encodes?.(given)) }
      : {}),
    ...(parts.some(({ trains }) => trains) ? { trains: true } : {}),
    ...(parts.some(({ checkTrain }) => checkTrain)
      ? { checkTrain: (given) => parts.forEach((part) => void part.checkTrain?.(given)) }
      : {}),
    ...ceilingOf(parts, fits),
  };
}
