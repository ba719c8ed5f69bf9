// The properties that a specializer made from others inherits from them.

import { kinds } from "../../core/kinds.js";
import type { Specializer } from "../../core/specializer.js";

type Inherited = Pick<
  Specializer,
  "needs" | "kinds" | "seeded" | "choosesOnDev" | "screened" | "encodes" | "trains" | "checkTrain" | "ceiling"
>;

/** The parts' ceilings added up; a limit that one of these lacks does not apply to the whole. */
function ceilingOf(parts: readonly Inherited[]): Pick<Inherited, "ceiling"> {
  const [first, ...more] = parts.flatMap(({ ceiling }) => ceiling ?? []);
  if (!first) return {};
  const limits = Object.entries(first).filter(([name]) =>
    more.every((other) => other[name as keyof typeof other] !== undefined),
  );
  const added = limits.map(([name, limit]) => [
    name,
    more.reduce((sum, other) => sum + (other[name as keyof typeof other] ?? 0), limit),
  ]);
  return { ceiling: Object.fromEntries(added) };
}

/** What any of the parts needs, the kinds that all support, and whether any depends on a seed, dev or the encoder. */
export function inherited(parts: readonly Inherited[]): Inherited {
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
    ...ceilingOf(parts),
  };
}
