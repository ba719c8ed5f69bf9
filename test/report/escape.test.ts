import fc from "fast-check";
import { expect, test } from "vitest";
import {
  clip,
  csvCell,
  embedJson,
  escapeHtml,
  escapeMarkdown,
  fenced,
  html,
  oneLine,
  plainText,
  visibleText,
} from "../../src/report/escape.js";
import { attacks } from "./fixture.js";

fc.configureGlobal({ seed: 7, numRuns: 300 });
const anything = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc
    .array(fc.constantFrom(...attacks, "\x1b", "[", "31m", "`", "|", "\n", "=", "\t", "<", "\u202e"), {
      maxLength: 8,
    })
    .map((parts) => parts.join("")),
);
const obeyed = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b\u2028\u2029]|\p{Surrogate}/u;

test("plain text holds nothing that a terminal obeys", () => {
  fc.assert(fc.property(anything, (text) => !obeyed.test(plainText(text))));
  expect(plainText("\x1b[31mred\x1b[0m \x1b]8;;https://a.invalid\x07link\x1b]8;;\x07 \x9b2Jend")).toBe(
    "red link end",
  );
  expect(plainText("a\r\nb\rc\td")).toBe("a\nb\nc\td");
  expect(plainText("\x1b]0;never ended")).not.toMatch(obeyed);
});

test("plain text leaves the world's scripts and emoji alone", () => {
  for (const text of ["naïve café", "Ελληνικά", "עברית", "हिन्दी", "ไทย", "日本語", "👩‍👩‍👧 🏳️‍🌈", "می‌خواهم"]) {
    expect(plainText(text)).toBe(text);
    expect(visibleText(text)).toBe(text);
  }
});

test("stacked marks are cut and long text says how much is missing", () => {
  expect(plainText(`Z${"\u0351".repeat(500)}a`)).toBe(`Z${"\u0351".repeat(4)}a`);
  expect(plainText("x".repeat(1_000_000), 10)).toBe("xxxxxxxxxx… (999,990 more characters)");
  expect(clip("ab😀cd", 3)).toBe("ab… (4 more characters)");
  expect(oneLine("a\n\n b\tc ")).toBe("a b c");
});

test("a megabyte and more of escapes is cleaned in linear time", () => {
  const began = performance.now();
  for (const part of ["\x1b]", "\x9d", "\x1b[", "\x1bP", "\u0351", "`"]) plainText(part.repeat(1_000_000));
  expect(performance.now() - began).toBeLessThan(10_000);
});

test("visible text names what cannot be seen", () => {
  expect(visibleText("\x1b[1m\u202eab\0")).toBe("‹ESC›[1m‹U+202E›ab‹U+0000›");
  fc.assert(fc.property(anything, (text) => !obeyed.test(visibleText(text))));
});

test("HTML is escaped unless html made it, in text and in attributes", () => {
  expect(escapeHtml(`<a href="x" title='y'>&\``)).toBe(
    "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;&#96;",
  );
  const inner = html`<i>${"<b>"}</i>`;
  expect(html`<p title="${'" onload="x'}">${[inner, "&", 3, null, false, undefined]}</p>`.markup).toBe(
    '<p title="&quot; onload=&quot;x"><i>&lt;b&gt;</i>&amp;3</p>',
  );
  fc.assert(fc.property(anything, (text) => !/[<>"'`]/.test(html`${text}`.markup)));
});

test("embedded JSON cannot leave its script element and reads back the same", () => {
  fc.assert(
    fc.property(fc.dictionary(anything, anything), (value) => {
      const text = embedJson(value);
      expect(text).not.toMatch(/[<>&\u2028\u2029]/);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("a Markdown cell stays one cell of plain text", () => {
  fc.assert(
    fc.property(anything, (text) => {
      const cell = escapeMarkdown(text);
      expect(cell).not.toMatch(/\n|[<>@]|:\/\/|www\./);
      expect(cell.replace(/\\[\\`*_[\]|~$!{}#+=-]/g, "x")).not.toMatch(/[`|*_[\]]|^[#+=-]/);
    }),
  );
  expect(escapeMarkdown("# a | b")).toBe("\\# a \\| b");
  expect(escapeMarkdown("1. x")).toBe("1\\. x");
  expect(escapeMarkdown("[a](javascript:alert(1))")).toBe("\\[a\\](javascript:alert(1))");
});

test("a fence is longer than any run of backticks inside", () => {
  fc.assert(
    fc.property(anything, (text) => {
      const lines = fenced(text).split("\n");
      const fence = lines[0]?.replace("text", "") ?? "";
      expect(fence).toMatch(/^`{3,}$/);
      expect(lines.at(-1)).toBe(fence);
      expect(lines.slice(1, -1).join("\n")).not.toContain(fence);
    }),
  );
});

test("no CSV cell starts a formula, and quotes are doubled", () => {
  for (const text of [
    "=1+1",
    "+1",
    "-1+cmd|' /C calc'!A0",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "＝1",
    "\x1b[1m=1",
    '"=1',
  ]) {
    expect(csvCell(text)).toMatch(/^"'/);
  }
  expect(csvCell('say "hi", you')).toBe('"say ""hi"", you"');
  expect(csvCell(-0.5)).toBe("-0.5");
  expect(csvCell(undefined)).toBe("");
  fc.assert(
    fc.property(
      anything,
      (text) => /^"([^"]|"")*"$/.test(csvCell(text)) && !/^"[=+\-@\t\r]/.test(csvCell(text)),
    ),
  );
});
