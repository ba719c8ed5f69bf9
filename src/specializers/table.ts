// Types of the table of specializers, whose entries are exported by each specializer's file.

import type { z } from "zod";
import type { Json } from "../core/json.js";
import type { Kind } from "../core/kinds.js";
import type { Specializer } from "../core/specializer.js";
import type { Leaf } from "./map.js";

/** Makes the specializer named in a combinator's field, from the same table and with the field's place for errors. */
export interface MakeInner {
  (written: unknown, field: string): Specializer;
  /** @throws HoneError where it is not for subjects of this kind */
  <K extends Kind>(written: unknown, field: string, kind: K): Specializer<Json, K>;
}

/** A line in the table of specializers. */
export interface SpecializerEntry {
  /** The factory; takes what `options` describes. Combinators make the specializer that they apply with `inner`. */
  make: (options: never, inner: MakeInner) => Specializer;
  options: z.ZodObject;
  /** One line. */
  summary: string;
  paper: string;
  /**
   * Its place on the survey's map; null for references, for combinators, which take the place of what they apply, and for
   * anything that is not a route for language models.
   */
  leaf: Leaf | null;
}

/** Entries by name: `{ ...specializers, mine: { make, options, … } }` adds one's own without touching Hone. */
export type SpecializerTable = Readonly<Record<string, SpecializerEntry>>;
