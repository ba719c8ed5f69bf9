// Which kinds of subjects a specializer made of others can be put to.

import { type Kind, kinds } from "../../core/kinds.js";
import type { Specializer } from "../../core/specializer.js";

/** The kinds that all of them can be put to. */
export function sharedKinds(parts: readonly Pick<Specializer, "kinds">[]): Kind[] {
  return kinds.filter((kind) => parts.every((part) => part.kinds.includes(kind)));
}
