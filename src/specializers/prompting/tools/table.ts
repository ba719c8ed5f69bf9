// The built-in tool `table`: looks up a row of a file by its key. It does not search; if the key is missing it lists
// the nearest keys.

import { z } from "zod";
import { nearest } from "../../parts/options.js";
import { defineTool, type Tool, toolName } from "./define.js";
import { type KeptRows, plain } from "./rows.js";

export const tableOptions = z.strictObject({
  name: toolName.describe("the name that the model calls it by"),
  source: z.string().min(1).describe("the file: file:…, hf:… or pip:…, as for data sets"),
  key: z.string().min(1).describe("the column that is looked up"),
  columns: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe("the columns whose values are shown; by default all"),
  description: z.string().min(1).optional().describe("what the table holds, as told to the model"),
});
export type TableOptions = z.input<typeof tableOptions>;

/** The tool over rows that were kept; keys are compared ignoring case and surrounding white space. */
export function tableTool({ name, key, description }: TableOptions, { columns, rows }: KeptRows): Tool {
  const byKey = new Map<string, string[][]>();
  for (const row of rows) {
    const at = plain(row[0] as string);
    const same = byKey.get(at);
    if (same) same.push(row);
    else byKey.set(at, [row]);
  }
  return defineTool({
    name,
    description: description ?? `Looks up ${columns.slice(1).join(", ")} by ${key}`,
    parameters: z.object({ key: z.string().or(z.number()).describe(key) }),
    example: { key: rows[0]?.[0] ?? "" },
    run: ({ key: asked }) => {
      const wanted = plain(String(asked));
      const found = byKey.get(wanted);
      if (found) {
        return found
          .map((cells) => columns.map((column, i) => `${column}: ${cells[i]}`).join("; "))
          .join("\n");
      }
      const keys = [...byKey.keys()];
      const holding = wanted ? keys.filter((known) => known.includes(wanted)).slice(0, 5) : [];
      const near = holding.length > 0 ? holding : [nearest(wanted, keys) ?? []].flat();
      const shown = near.map((known) => byKey.get(known)?.[0]?.[0]);
      return `No row has this key.${shown.length > 0 ? ` Nearest keys: ${shown.join(", ")}` : ""}`;
    },
  });
}
