// tools: typed functions that the model may call before it answers (Toolformer, ReAct and similar methods; "tools called
// by the model" on the map). The protocol is plain text lines, so that a model without native tool calling can use it. No
// built-in tool changes anything outside itself.
//
// The model writes either `CALL name {…}` or anything else. Results are put above the input as passages, and the input
// stays as it is, so that examples chosen by it underneath are the same with and without calls. When the model makes no
// further call, it is queried in the ordinary way, so that options are scored as always and a model that makes no call
// answers as if there were no tools.

import { z } from "zod";
import { HoneError } from "../../core/errors.js";
import type { Json } from "../../core/json.js";
import type { Passage, Query } from "../../core/language.js";
import type { Given, LanguageSpecializer } from "../../core/specializer.js";
import { defineSpecializer } from "../parts/define.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";
import { calculate } from "./tools/calculator.js";
import { type CallLimits, readCall, runCall, type ToolStep } from "./tools/call.js";
import { type CodesOptions, codesOptions, codesTool } from "./tools/codes.js";
import { defineTool, isTool, type Tool } from "./tools/define.js";
import { type KeptRows, keepRows } from "./tools/rows.js";
import { type TableOptions, tableOptions, tableTool } from "./tools/table.js";

const toolsOptions = z.strictObject({
  offer: z
    .array(z.unknown())
    .min(1)
    .max(32)
    .default(["calculator"])
    .describe('the tools: "calculator", { table: … }, { codes: … }; in programs also what defineTool makes'),
  maxCalls: z.int().min(1).max(20).default(3).describe("maximum calls before an answer, 1 to 20"),
  maxTokens: z.int().min(8).max(4096).default(96).describe("maximum tokens to write for one call"),
  timeout: z.int().min(1).max(600_000).default(5000).describe("maximum milliseconds that one call may take"),
  maxOutput: z
    .int()
    .min(100)
    .max(100_000)
    .default(2000)
    .describe("maximum characters of a result that are shown to the model"),
});

/** A tool as a study names it. */
export type Offered = "calculator" | { table: TableOptions } | { codes: CodesOptions } | Tool;
/** Options of `tools`. */
export type ToolsOptions = Omit<z.input<typeof toolsOptions>, "offer"> & { offer?: readonly Offered[] };

/** A tool on offer: the rows it reads at fit, and the tool made from them. */
interface Offer {
  name: string;
  /** Part of the specialist's identity. */
  options: Json;
  keep?: (given: Given) => Promise<KeptRows>;
  open: (kept: KeptRows | null) => Tool;
}

/** One entry per offer: its rows, or null if it reads no file. */
type State = (KeptRows | null)[];

const calculator = defineTool({
  name: "calculator",
  description: "Calculates: + - * / % ^, parentheses, sqrt ln log10 exp abs round min max, pi, e",
  parameters: z.object({ expression: z.string() }),
  example: { expression: "(3 + 4) * 2" },
  run: ({ expression }) => String(Number(calculate(expression).toPrecision(15))),
});

/**
 * Lets the model call tools before it answers. Files are read at fit and kept in the state (at most 50,000 rows).
 *
 * @throws HoneError where a tool is unknown, badly described, or two have the same name
 * @example
 * import { tools } from "@honelab/hone";
 * tools({ offer: ["calculator", { table: { name: "doses", source: "file:doses.csv", key: "drug" } }] });
 */
export function tools(options: ToolsOptions = {}): LanguageSpecializer {
  const { offer, maxCalls, maxTokens, timeout, maxOutput } = readOptions(toolsOptions, "tools", options);
  const offers = offer.map((offered, i) => readOffer(offered, `tools, offer.${i}`));
  const names = offers.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw unreadable("tools, offer", `two tools are called "${twice}"`);
  return defineSpecializer<State>({
    name: "tools",
    label: `tools(${names.join(", ")}${maxCalls === 3 ? "" : `, maxCalls=${maxCalls}`})`,
    options: { offer: offers.map((one) => one.options), maxCalls, maxTokens, timeout, maxOutput },
    needs: ["text"],
    fit: async (_subject, given) => {
      const kept: State = [];
      for (const { keep } of offers) kept.push(keep ? await keep(given) : null);
      return kept;
    },
    behave: (state, inner) => {
      const made = offers.map(({ open }, i) => open(state[i] ?? null));
      const known = new Map(made.map((tool) => [tool.name, tool]));
      const manual = describeTools(made);
      const limits: CallLimits = { timeout, output: maxOutput };
      return {
        respond: async (query, context) => {
          const steps: ToolStep[] = [];
          const asked = new Set<string>();
          while (steps.length < maxCalls) {
            const { text = "" } = await inner.respond(toWrite(query, manual, steps, maxTokens), context);
            const call = readCall(text);
            // A repeated call would be repeated forever.
            if (!call || asked.has(`${call.name} ${call.json}`)) break;
            asked.add(`${call.name} ${call.json}`);
            steps.push(await runCall(call, known, limits, context.signal));
          }
          const results = steps.filter(({ result }) => result !== undefined);
          const answer = await inner.respond(withPassages(query, results), context);
          return steps.length === 0 ? answer : { ...answer, trail: [...steps, ...(answer.trail ?? [])] };
        },
      };
    },
  });
}

function readOffer(offered: unknown, where: string): Offer {
  if (isTool(offered)) return { name: offered.name, options: { tool: offered.id }, open: () => offered };
  if (offered === "calculator") return { name: "calculator", options: "calculator", open: () => calculator };
  const [[kind, written] = [], ...more] = Object.entries(
    typeof offered === "object" && offered !== null ? offered : {},
  );
  if (more.length > 0 || (kind !== "table" && kind !== "codes")) {
    throw unreadable(where, "it is neither a built-in tool nor made by defineTool");
  }
  if (kind === "table") {
    const table = readOptions(tableOptions, "table", written, where) as TableOptions;
    return {
      name: table.name,
      options: { table: { ...table } as Json },
      keep: (given) => keepRows(table.source, table.key, table.columns, given),
      open: (kept) => tableTool(table, rowsOf(kept, table.name)),
    };
  }
  const codes = readOptions(codesOptions, "codes", written, where) as CodesOptions;
  return {
    name: codes.name,
    options: { codes: { ...codes } as Json },
    keep: (given) => keepRows(codes.source, codes.code, [codes.text], given),
    open: (kept) => codesTool(codes, rowsOf(kept, codes.name)),
  };
}

function rowsOf(kept: KeptRows | null, name: string): KeptRows {
  if (kept) return kept;
  throw new HoneError({
    what: "The saved specialist is damaged",
    why: `the rows of the tool "${name}" are missing`,
    next: "Make the specialist again from its study.",
  });
}

/** The prompt that explains the tools. */
function describeTools(all: readonly Tool[]): string {
  const example = all.find((tool) => tool.example !== undefined) ?? (all[0] as Tool);
  return [
    "You can use these tools before you answer:",
    ...all.map((tool) => `- ${tool.name}: ${tool.description}. Arguments: ${tool.schema}`),
    "To use one, write a single line and nothing else, for example:",
    `CALL ${example.name} ${example.example ?? "{}"}`,
    "Its result is then shown to you. When you need no tool, write your answer.",
  ].join("\n");
}

/** The query that asks for a call. Options stay in the prompt but are not scored, because text is wanted. */
function toWrite(query: Query, manual: string, steps: readonly ToolStep[], maxTokens: number): Query {
  const { reason: _reason, ...rest } = query;
  return withPassages(
    {
      ...rest,
      instruction: query.instruction ? `${query.instruction}\n\n${manual}` : manual,
      maxTokens,
      ...(query.options ? { scoring: "parse" as const } : {}),
    },
    steps,
  );
}

function withPassages(query: Query, steps: readonly ToolStep[]): Query {
  if (steps.length === 0) return query;
  return { ...query, passages: [...(query.passages ?? []), ...steps.map(passageOf)] };
}

function passageOf({ name, arguments: args, result, error }: ToolStep): Passage {
  const call = typeof args === "string" ? args : JSON.stringify(args);
  const end = result === undefined ? `ERROR ${name}: ${error}` : `RESULT ${name}: ${result}`;
  return { id: `tool:${name}`, text: `CALL ${name} ${call}\n${end}` };
}

function unreadable(where: string, why: string): HoneError {
  return new HoneError({
    what: "This cannot be offered as a tool",
    where,
    why,
    next: 'Write "calculator", { table: { name, source, key } } or { codes: { name, source, code, text } }.',
    kind: "usage",
  });
}

/** Its entry in the table of specializers. */
export const toolsEntry = {
  make: (options: ToolsOptions) => tools(options),
  options: toolsOptions,
  summary: "Functions that the model may call before it answers: a calculator, tables, codes",
  paper:
    "Schick et al. 2023, Toolformer (arXiv 2302.04761); Yao et al. 2023, ReAct (arXiv 2210.03629): the idea, not their training",
  leaf: "tools called by the model",
} satisfies SpecializerEntry;
