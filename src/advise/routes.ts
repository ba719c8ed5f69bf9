// All routes that `hone advise` knows, in one list; among equals it is the order.

import { asked } from "./asked.js";
import { learnt } from "./learnt.js";
import type { Route } from "./route.js";

export const routes: readonly Route[] = [...learnt, ...asked];
