// Defines a tool: a typed function with a name that a model may call, and its identity. Calls are made elsewhere.

import { z } from "zod";
import { HoneError } from "../../../core/errors.js";
import { fingerprint } from "../../../core/json.js";

/** A function that the model may call, with its parameters as a zod object. */
export interface ToolDefinition<Parameters extends z.ZodObject> {
  /** What the model writes: a letter, then at most 63 letters, digits, `_` or `-`. */
  name: string;
  /** What it does, for the model: one line. */
  description: string;
  parameters: Parameters;
  /** Arguments shown to the model as an example. */
  example?: z.input<Parameters>;
  /** Returns the text that goes back to the model. What it throws goes back too. The signal aborts it when its time is up. */
  run: (args: z.output<Parameters>, at: { signal: AbortSignal }) => string | Promise<string>;
}

/** A tool as `tools` offers it; made by {@link defineTool}. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly parameters: z.ZodObject;
  /** The parameters' JSON schema, one line. */
  readonly schema: string;
  /** One line of JSON. */
  readonly example?: string;
  /** Fingerprint of name, description, parameters and the source of `run`. */
  readonly id: string;
  run(args: unknown, at: { signal: AbortSignal }): string | Promise<string>;
}

/** A name that can be written in a call. */
export const toolName = z
  .string()
  .regex(/^[A-Za-z][\w-]{0,63}$/, "must be a letter with at most 63 letters, digits, _ or - after it");

const made = new WeakSet<object>();

/**
 * Makes a tool from a function.
 *
 * Its identity includes the source of `run`, not what `run` refers to: change the description when that changes.
 *
 * @throws HoneError where the name cannot be written in a call, the description is empty, the parameters have no JSON
 * schema or the example does not fit them
 * @example
 * import { defineTool } from "@honelab/hone";
 * import { z } from "zod";
 * const days = defineTool({
 *   name: "days",
 *   description: "Days from one date to another",
 *   parameters: z.object({ from: z.iso.date(), to: z.iso.date() }),
 *   run: ({ from, to }) => String((Date.parse(to) - Date.parse(from)) / 86_400_000),
 * });
 * days.name; // "days"
 */
export function defineTool<Parameters extends z.ZodObject>(definition: ToolDefinition<Parameters>): Tool {
  const { name, description, parameters, example, run } = definition;
  const named = toolName.safeParse(name);
  if (!named.success) throw refuse(name, `its name ${named.error.issues[0]?.message}`);
  const line = description.replace(/\s+/g, " ").trim();
  if (!line) throw refuse(name, "its description is empty");
  const schema = schemaOf(name, parameters);
  if (example !== undefined && !parameters.safeParse(example).success) {
    throw refuse(name, "its example does not fit its parameters");
  }
  const tool: Tool = {
    name,
    description: line,
    parameters,
    schema,
    ...(example === undefined ? {} : { example: JSON.stringify(example) }),
    id: `${name}:${fingerprint([name, line, schema, String(run)])}`,
    run: (args, at) => run(args as z.output<Parameters>, at),
  };
  made.add(tool);
  return tool;
}

/** Whether {@link defineTool} made it. */
export function isTool(value: unknown): value is Tool {
  return typeof value === "object" && value !== null && made.has(value);
}

function schemaOf(name: string, parameters: z.ZodObject): string {
  try {
    const {
      $schema: _schema,
      additionalProperties: _more,
      ...schema
    } = z.toJSONSchema(parameters, {
      io: "input",
    });
    return JSON.stringify(schema);
  } catch (cause) {
    throw refuse(name, "its parameters cannot be expressed as a JSON schema", cause);
  }
}

function refuse(name: string, why: string, cause?: unknown): HoneError {
  return new HoneError({
    what: "This is not a tool",
    where: `defineTool, ${JSON.stringify(String(name).slice(0, 64))}`,
    why,
    next: "Give it a name, a description, and parameters that are strings, numbers, booleans or lists.",
    kind: "usage",
    ...(cause === undefined ? {} : { cause }),
  });
}
