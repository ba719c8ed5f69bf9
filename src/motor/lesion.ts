// Lesions at test time, as factors of 0 on signals within a controller: a hemisphere's input or output, or the callosum.
// Nothing is retrained, and no weight changes.

import { Tensor } from "onnxruntime-node";
import { HoneError } from "../core/errors.js";
import type { ControllerShape } from "./controller.js";

/**
 * The parts that can be cut. In the published code's names: `leftInput` is "highleft", `leftOutput` "lowleft", `callosum` "cc", and
 * `callosum` with `leftInput` "ccl".
 */
export const lesions = ["leftInput", "rightInput", "leftOutput", "rightOutput", "callosum"] as const;
export type Lesion = (typeof lesions)[number];

/**
 * The gains of S controllers side by side under some lesions; gains that are all 1 are left out.
 * @param open for each controller whether it was trained with its callosum; all by default
 * @throws HoneError for a lesion of a part that the shape lacks
 */
export function gainsOf(
  { hemispheres, callosum }: ControllerShape,
  seeds: number,
  cut: readonly Lesion[] = [],
  open: readonly boolean[] = [],
): Record<string, Tensor> {
  const missing = cut.find((lesion) => (lesion === "callosum" ? callosum === "none" : hemispheres === 1));
  if (missing !== undefined) {
    throw new HoneError({
      what: `The lesion ${missing} does not fit this controller`,
      why: missing === "callosum" ? "the controller has no callosum" : "the controller has one hemisphere",
      next: "Leave the lesion out for this controller.",
      kind: "usage",
    });
  }
  const column = (values: readonly number[]) =>
    new Tensor("float32", Float32Array.from(values), [values.length]);
  const sides = (part: "Input" | "Output") => {
    const pair = (["left", "right"] as const).map((side) => (cut.includes(`${side}${part}`) ? 0 : 1));
    if (!pair.includes(0)) return undefined;
    const data = Float32Array.from({ length: 2 * seeds }, (_, i) => pair[i % 2] as number);
    return new Tensor("float32", data, [seeds, 2]);
  };
  const carries = Array.from({ length: seeds }, (_, s) =>
    cut.includes("callosum") || open[s] === false ? 0 : 1,
  );
  const [input, output] = [sides("Input"), sides("Output")];
  return {
    ...(input ? { input } : {}),
    ...(output ? { output } : {}),
    ...(callosum !== "none" && carries.includes(0) ? { callosum: column(carries) } : {}),
  };
}
