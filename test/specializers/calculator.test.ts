// The calculator: known values, refusals, and agreement with JavaScript on drawn expressions.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { calculate } from "../../src/specializers/prompting/tools/calculator.js";

describe("calculate", () => {
  it.each([
    ["1 + 2 * 3", 7],
    ["-2 ^ 2", -4],
    ["2 ^ 3 ^ 2", 512],
    ["2 ^ -1", 0.5],
    ["10 - 4 - 3", 3],
    ["7 % 4", 3],
    ["max(1, 2, 3) + sqrt(16)", 7],
    ["1.5e2", 150],
  ])("%s = %d", (text, value) => expect(calculate(text)).toBe(value));

  it.each(["", "1 +", "(1", "1 2", "constructor", "1/0", "sqrt(-1)", "abs(1,2)", "1 $ 2", "(".repeat(500)])(
    "refuses %j",
    (text) => expect(() => calculate(text)).toThrow("cannot be calculated"),
  );

  it("agrees with JavaScript", () => {
    const { tree } = fc.letrec<{ tree: [string, number] }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.nat(999).map((n): [string, number] => [String(n), n]),
        fc
          .tuple(tie("tree"), fc.constantFrom("+", "-", "*"), tie("tree"))
          .map(([a, sign, b]): [string, number] => [
            `(${a[0]} ${sign} ${b[0]})`,
            sign === "+" ? a[1] + b[1] : sign === "-" ? a[1] - b[1] : a[1] * b[1],
          ]),
      ),
    }));
    fc.assert(fc.property(tree, ([text, value]) => calculate(text) === value));
  });
});
