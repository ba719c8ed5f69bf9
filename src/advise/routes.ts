// All routes that `hone advise` knows, in one list; among equals it is the order.

import type { Leaf } from "../specializers/map.js";
import { asked } from "./asked.js";
import { learnt } from "./learnt.js";
import type { Route } from "./route.js";
import { asking } from "./situation.js";

/** Known, and not recommended before a figure of theirs on real samples is recorded. */
function unmeasured(name: string, leaf: Leaf | null, needs: Route["needs"] = []): Route {
  return {
    write: () => name,
    leaf,
    needs,
    labels: 160,
    unfit: () => "its accuracy on real samples is not recorded yet; a study can try it beside the others",
    cost: () => asking(1),
    rules: [],
    evidence: [],
  };
}

export const routes: readonly Route[] = [
  ...learnt,
  ...asked,
  unmeasured("head", "low-rank adapter", ["weights", "gradients"]),
  unmeasured("optimize", "few-shot prompt", ["text"]),
  unmeasured("search", null),
];
