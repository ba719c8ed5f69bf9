// ngrams: a text as its character n-grams of length 2 to 4, hashed. A reference without a model: it finds cognates and similar
// spellings at no cost.

import { z } from "zod";
import { fingerprint } from "../../core/json.js";
import type { Specializer } from "../../core/specializer.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";

const ngramsOptions = z.strictObject({
  size: z.int().min(64).max(65_536).default(1024).describe("dimensions of a vector"),
});
/** Options of `ngrams`. */
export type NgramsOptions = z.input<typeof ngramsOptions>;

/** Vectors of hashed character n-grams, accents removed, so that the cosine is the overlap of spellings. */
export function ngrams(options: NgramsOptions = {}): Specializer<null, "encoder"> {
  const { size } = readOptions(ngramsOptions, "ngrams", options);
  return {
    name: "ngrams",
    label: "ngrams",
    options: { size },
    needs: [],
    kinds: ["encoder"],
    reference: true,
    seeded: false,
    fit: async () => null,
    apply: () => ({
      kind: "encoder",
      name: "ngrams",
      id: fingerprint(["ngrams", 1, size]),
      respond: async (texts) => texts.map((text) => vectorOf(text, size)),
    }),
  };
}

function vectorOf(text: string, size: number): number[] {
  const vector = Array.from({ length: size }, () => 0);
  const plain = ` ${text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase()} `;
  const letters = [...plain];
  for (let n = 2; n <= 4; n++) {
    for (let at = 0; at + n <= letters.length; at++) {
      // FNV-1a.
      let hash = 0x811c9dc5;
      for (const letter of letters.slice(at, at + n))
        hash = Math.imul(hash ^ (letter.codePointAt(0) as number), 0x01000193) >>> 0;
      vector[hash % size] = (vector[hash % size] as number) + 1;
    }
  }
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}

/** Its entry in the table of specializers. */
export const ngramsEntry = {
  make: ngrams,
  options: ngramsOptions,
  summary: "Overlap of spelling: hashed character n-grams; needs no model",
  paper: "A reference, not a method",
  leaf: null,
} satisfies SpecializerEntry;
