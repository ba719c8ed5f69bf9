// What a tool is: a typed function with a name that a model may call, and its identity. It calls nothing itself.
import { z } from "zod";
import { HoneError } from "../../../core/errors.js";
import { fingerprint } from "../../../core/json.js";
/** A name that can be written in a call. */
export const toolName = z
  .string()
  .regex(/^[A-Za-z][\w-]{0,63}$/, "must be a letter with at most 63 letters, digits, _ or - after it");
const made = new WeakSet();
/**
 * Makes a tool of a function.
 *
 * Its identity holds the text of `run`, not what `run` refers to: change the description where that changes.
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
export function defineTool(definition) {
  const { name, description, parameters, example, run } = definition;
  const named = toolName.safeParse(name);
  if (!named.success) throw refuse(name, `its name ${named.error.issues[0]?.message}`);
  const line = description.replace(/\s+/g, " ").trim();
  if (!line) throw refuse(name, "its description is empty");
  const schema = schemaOf(name, parameters);
  if (example !== undefined && !parameters.safeParse(example).success) {
    throw refuse(name, "its example does not fit its parameters");
  }
  const tool = {
    name,
    description: line,
    parameters,
    schema,
    ...(example === undefined ? {} : { example: JSON.stringify(example) }),
    id: `${name}:${fingerprint([name, line, schema, String(run)])}`,
    run: (args, at) => run(args, at),
  };
  made.add(tool);
  return tool;
}
/** Whether {@link defineTool} made it. */
export function isTool(value) {
  return typeof value === "object" && value !== null && made.has(value);
}
function schemaOf(name, parameters) {
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
    throw refuse(name, "its parameters cannot be said as a JSON schema", cause);
  }
}
function refuse(name, why, cause) {
  return new HoneError({
    what: "This is not a tool",
    where: `defineTool, ${JSON.stringify(String(name).slice(0, 64))}`,
    why,
    next: "Give it a name, a description, and parameters of texts, numbers, truth values and lists.",
    kind: "usage",
    ...(cause === undefined ? {} : { cause }),
  });
}
