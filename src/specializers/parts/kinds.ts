// What a specializer made of others has from them: the kinds of subjects that it can be put to, and its use of dev.

import { type Kind, kinds } from "../../core/kinds.js";
import type { Specializer } from "../../core/specializer.js";

/** The kinds that all of them can be put to. */
export function sharedKinds(parts: readonly Pick<Specializer, "kinds">[]): Kind[] {
  return kinds.filter((kind) => parts.every((part) => part.kinds.includes(kind)));
}

/** The mark of a specializer one of whose parts chooses by dev scores; empty where none does. */
export function choosesOnDev(parts: readonly Pick<Specializer, "choosesOnDev">[]): { choosesOnDev?: true } {
  return parts.some((part) => part.choosesOnDev) ? { choosesOnDev: true } : {};
}
