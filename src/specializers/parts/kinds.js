// Which kinds of subjects a specializer made of others can be put to.
import { kinds } from "../../core/kinds.js";
/** The kinds that all of them can be put to. */
export function sharedKinds(parts) {
  return kinds.filter((kind) => parts.every((part) => part.kinds.includes(kind)));
}
