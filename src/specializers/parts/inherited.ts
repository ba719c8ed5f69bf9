// What a specializer made of others takes over from them.

import { kinds } from "../../core/kinds.js";
import type { Specializer } from "../../core/specializer.js";

type Inherited = Pick<Specializer, "needs" | "kinds" | "seeded" | "choosesOnDev" | "screened">;

/** What any of the parts needs, the kinds that all can be put to, and whether a seed or dev decides within one of them. */
export function inherited(parts: readonly Inherited[]): Inherited {
  return {
    needs: [...new Set(parts.flatMap(({ needs }) => needs))],
    kinds: kinds.filter((kind) => parts.every((part) => part.kinds.includes(kind))),
    seeded: parts.some(({ seeded }) => seeded),
    ...(parts.some(({ choosesOnDev }) => choosesOnDev) ? { choosesOnDev: true } : {}),
    ...(parts.some(({ screened }) => screened) ? { screened: true } : {}),
  };
}
