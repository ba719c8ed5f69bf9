// layer: the same encoder, read at another layer; 0 is its input embeddings. Nothing is learnt.

import { z } from "zod";
import { fingerprint } from "../../core/json.js";
import type { Specializer } from "../../core/specializer.js";
import { encoderSubject } from "../../models/encoder.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";
import { requireNet } from "../training/contrastive/kept.js";

const layerOptions = z.strictObject({
  at: z.int().min(0).max(1000).describe("0 for the input embeddings, then the layers from 1 on"),
});
/** Options of `layer`. */
export type LayerOptions = z.input<typeof layerOptions>;

/** Reads an encoder with an open network at a layer; `[{ layer: { at: 12 } }, { lexical: … }]` trains what is below it. */
export function layer(options: LayerOptions): Specializer<null, "encoder"> {
  const { at } = readOptions(layerOptions, "layer", options);
  const label = `layer(${at})`;
  return {
    name: "layer",
    label,
    options: { at },
    needs: ["weights"],
    kinds: ["encoder"],
    seeded: false,
    fit: async (subject) => {
      requireNet(subject.model, "layer", subject.name).atLayer(at);
      return null;
    },
    apply: (subject) => {
      const made = encoderSubject(requireNet(subject.model, "layer", subject.name).atLayer(at));
      return { ...made, name: `${subject.name} + ${label}`, id: fingerprint([subject.id, "layer", at]) };
    },
  };
}

/** Its entry in the table of specializers. */
export const layerEntry = {
  make: layer,
  options: layerOptions,
  summary: "The same encoder, read at another layer; 0 is its input embeddings",
  paper: "Vulić et al. 2020, Probing Pretrained Language Models for Lexical Semantics (arXiv 2010.05731)",
  leaf: null,
} satisfies SpecializerEntry;
