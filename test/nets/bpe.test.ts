// Byte pairs: what is merged, in which order, and that every text comes back.

import { describe, expect, test } from "vitest";
import { bpe, trainBpe } from "../../src/learn/bpe.js";

describe("byte pairs", () => {
  test("the commonest pair of a word is merged first, and within words alone", () => {
    const { merges } = trainBpe(["low low low lower lowest"], 257 + 3);
    expect(merges).toEqual([
      ["l", "o"],
      ["lo", "w"],
      ["Ġ", "low"],
    ]);
    const tokenizer = bpe({ merges });
    expect(tokenizer.size).toBe(260);
    expect(tokenizer.encode("low lower").map((id) => tokenizer.tokens[id])).toEqual([
      "low",
      "Ġlow",
      "e",
      "r",
    ]);
  });

  test("stops where no pair occurs twice", () => {
    expect(trainBpe(["ab"], 1000).merges).toEqual([]);
  });

  test.each(["plain words", "naïve, 语言 and 🙂\n\ttabs  and  spaces ", "", "\u0000\u0001", "it's 1984's"])(
    "gives %j back",
    (text) => {
      const own = bpe(trainBpe([text, text, "plain words again"], 300));
      expect(own.decode(own.encode(text))).toBe(text);
      const bytes = bpe({ merges: [] });
      expect(bytes.encode(text)).toEqual([...Buffer.from(text)]);
    },
  );
});
