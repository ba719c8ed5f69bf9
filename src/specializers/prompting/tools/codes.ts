// The built-in tool `codes`: a list of codes, found by code, by a code's beginning, or by words of their texts (BM25).

import { z } from "zod";
import { bm25 } from "../../../learn/bm25.js";
import { defineTool, type Tool, toolName } from "./define.js";
import { type KeptRows, plain } from "./rows.js";

export const codesOptions = z.strictObject({
  name: toolName.describe("the name that the model calls it by"),
  source: z.string().min(1).describe("the file: file:…, hf:… or pip:…, as for data sets"),
  code: z.string().min(1).describe("the column of the codes"),
  text: z.string().min(1).describe("the column that says what a code means"),
  description: z.string().min(1).optional().describe("what the codes stand for, as told to the model"),
});
export type CodesOptions = z.input<typeof codesOptions>;

/** How many codes are listed if none matches exactly. */
const most = 5;

/** The tool over rows that were kept: code and text. */
export function codesTool({ name, description }: CodesOptions, { rows }: KeptRows): Tool {
  const codes = rows.map(([code]) => plain(code as string));
  let score: ((query: string) => ArrayLike<number>) | undefined;
  const byWords = (asked: string): string[][] => {
    // Built on the first search, because indexing a long list takes a while.
    score ??= bm25(rows.map(([, text]) => text as string));
    const scores = score(asked);
    return rows
      .map((row, i) => ({ row, score: scores[i] as number }))
      .filter((found) => found.score > 0)
      .sort((a, b) => b.score - a.score)
      .slice(0, most)
      .map(({ row }) => row);
  };
  return defineTool({
    name,
    description: description ?? "Finds codes by code or by words",
    parameters: z.object({ find: z.string().describe("a code, its beginning, or words") }),
    example: { find: rows[0]?.[0] ?? "" },
    run: ({ find }) => {
      const wanted = plain(find);
      const exact = rows.filter((_, i) => codes[i] === wanted);
      const begun = wanted ? rows.filter((_, i) => codes[i]?.startsWith(wanted)).slice(0, most) : [];
      const found = [exact, begun].find((some) => some.length > 0) ?? byWords(find);
      return found.length > 0
        ? found.map(([code, text]) => `${code}: ${text}`).join("\n")
        : "No code has this beginning, and no text these words.";
    },
  });
}
