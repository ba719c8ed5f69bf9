// An API key stays out of messages in every form in which endpoints echo it, and out of answers where it is certain.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeMask } from "../../src/models/mask.js";

const key = "sk-test-0123456789abcdef";
const { message, answer } = makeMask(key);

describe("mask", () => {
  it("takes shortened keys out of messages", () => {
    for (const short of [
      "sk-test-************cdef",
      "sk-te****cdef",
      "sk-…cdef",
      "sk-...cdef",
      "sk-t•••••cdef",
      "sk-test-xxxxxxxxcdef",
      "sk-test-****-****-cdef",
      "sk-[redacted]cdef",
      "sk-test-<hidden>ef",
      "****cdef",
      "...89abcdef",
      "sk-test-0123...",
      "sk-test-01***",
    ]) {
      expect(message(`Incorrect API key provided: ${short}. Find yours.`)).toMatch(
        /^Incorrect API key provided: \[key\]\.? Find yours\.$/,
      );
    }
    expect(message("The key ending in cdef has no credit")).toBe("The key ending in [key] has no credit");
    expect(message("(last 4: cdef)")).not.toContain("cdef");
    expect(message(`cut after 20: ${key.slice(0, 20)}, or in the middle: ${key.slice(4, 18)}`)).toBe(
      "cut after 20: [key], or in the middle: [key]",
    );
    expect(message(`in a URL: ?key=${encodeURIComponent(key)}`)).toBe("in a URL: ?key=[key]");
  });

  it("leaves other texts alone", () => {
    for (const text of [
      "Wait... the end of it",
      "the model gpt-4o-*** does not exist",
      "ending in a dispute",
      "use **bold** and sk-live-****9999",
      "1, 2, …, 20",
    ]) {
      expect(message(text)).toBe(text);
      expect(answer(text)).toBe(text);
    }
  });

  it("cuts from an answer the key and its usual short form, nothing shorter", () => {
    expect(answer(`You sent ${key}.`)).toBe("You sent [key].");
    expect(answer("You sent sk-…cdef.")).toBe("You sent [key].");
    expect(answer("He wrote ...cdef and sk-test-01... too")).toBe("He wrote ...cdef and sk-test-01... too");
  });

  it("keeps to whole keys where the key is a word, and never touches answers then", () => {
    const word = makeMask("EMPTY");
    expect(word.message("EMPTY is no key, EMP***TY neither")).toBe("[key] is no key, EMP***TY neither");
    expect(word.answer("EMPTY")).toBe("EMPTY");
    expect(makeMask(undefined).message("anything")).toBe("anything");
  });

  it("finds an end that begins as the gap goes on", () => {
    expect(makeMask("aaaaaaaaaa_a").message("bad key: aa***_a (401)")).toBe("bad key: [key] (401)");
  });

  it("leaves at most three characters of either end, whatever the key, the cut and the text around", () => {
    const characters = fc.constantFrom(..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
    fc.assert(
      fc.property(
        fc.array(characters, { minLength: 12, maxLength: 60 }).map((list) => list.join("")),
        fc.integer({ min: 2, max: 8 }),
        fc.integer({ min: 2, max: 6 }),
        fc.constantFrom("***", "…", "...", "•••", "**********"),
        (some, head, tail, hidden) => {
          const short = some.slice(0, head) + hidden + some.slice(-tail);
          expect(makeMask(some).message(`bad key: ${short} (401)`)).not.toContain(short);
          expect(makeMask(some).message(`bad key: ${some}`)).toBe("bad key: [key]");
        },
      ),
    );
  });
});
