// The requested form of an answer: plain text, JSON of a schema, tool calls. A form that the model cannot be held to is refused
// before the request waits for its turn.

import type { z } from "zod";
import type { Json } from "../core/json.js";
import type { ToolCall } from "../core/model.js";
import { heldForm } from "../models/tool-calls.js";
import type { chatSchema, responseSchema } from "./asked.js";
import { Problem } from "./problem.js";
import type { Served } from "./served.js";
import { type Form, newId } from "./write.js";

export interface AskedForm {
  form: Form;
  /** At most one call is wanted. */
  single: boolean;
  /** Keywords of schemas that are not enforced. */
  loose: readonly string[];
}

const unsupported = (message: string, param: string) =>
  new Problem(400, message, { param, code: "unsupported" });

/** The form of a chat's answer. @throws Problem if this model cannot be held to it, or no model to its schema */
export function chatForm(served: Served, asked: z.infer<typeof chatSchema>): AskedForm {
  const { functions, function_call: old, modalities } = asked as Record<string, unknown>;
  const may = old !== "none" && asked.tool_choice !== "none";
  if (Array.isArray(functions) && functions.length > 0 && may)
    throw unsupported("`functions` is the older form of `tools`: send tools.", "functions");
  if (Array.isArray(modalities) && modalities.some((one) => one !== "text"))
    throw unsupported("This model writes only text.", "modalities");
  const { response_format: format, tool_choice: choice, parallel_tool_calls: parallel } = asked;
  const form = formOf(served, {
    format: format?.type === "json_schema" ? { ...format.json_schema, type: "json_schema" } : format,
    at: "response_format",
    tools: asked.tools?.map((tool) => tool.function),
    choice: typeof choice === "object" ? choice?.function : choice,
    parallel,
  });
  // A text is scored again without the tools with which it was written: its log-probabilities would be those of another prompt.
  return asked.logprobs && form.form.tools ? { ...form, loose: [...form.loose, "logprobs"] } : form;
}

/** The form of a response. @throws Problem as `chatForm` */
export function responseForm(served: Served, asked: z.infer<typeof responseSchema>): AskedForm {
  const { text, tools, tool_choice: choice, parallel_tool_calls: parallel } = asked;
  return formOf(served, { format: text?.format, at: "text.format", tools, choice, parallel });
}

interface Wanted {
  format:
    | {
        type: string;
        name?: string | null | undefined;
        schema?: unknown;
        strict?: boolean | null | undefined;
      }
    | null
    | undefined;
  at: string;
  tools:
    | readonly {
        name: string;
        description?: string | null | undefined;
        parameters?: object | null | undefined;
      }[]
    | null
    | undefined;
  choice: string | { name: string } | null | undefined;
  parallel: boolean | null | undefined;
}

function formOf(served: Served, { format, at, tools, choice, parallel }: Wanted): AskedForm {
  const form: Form = {};
  const loose = new Set<string>();
  const offered = tools?.length && choice !== "none" ? tools : undefined;
  const forced = choice === "required" || typeof choice === "object";
  if (offered) {
    form.tools = offered.map(({ name, description, parameters }) => ({
      name,
      ...(description == null ? {} : { description }),
      ...(parameters == null ? {} : { parameters: parameters as Json }),
    }));
    if (new Set(offered.map(({ name }) => name)).size < offered.length)
      throw new Problem(400, "Two tools have the same name.", { param: "tools" });
    const toolChoice = choice === "required" || (typeof choice === "object" && choice) ? choice : "auto";
    form.toolChoice = typeof toolChoice === "object" ? { name: toolChoice.name } : toolChoice;
  }
  if (format && format.type !== "text") {
    if (format.type === "json_schema" && format.schema === undefined)
      throw new Problem(400, "The format has no schema.", { param: at });
    // A forced call replaces the answer that would have this form.
    if (!(offered && forced))
      form.json = {
        ...(format.schema === undefined ? {} : { schema: format.schema as Json }),
        ...(format.name == null ? {} : { name: format.name }),
        ...(format.strict == null ? {} : { strict: format.strict }),
      };
  }
  const can = served.model?.forms;
  if (form.json && !can?.has("json"))
    throw unsupported(
      served.predictor
        ? `${served.id} is a specialist: it answers with its label.`
        : `${served.id} cannot be held to JSON; ask it for text.`,
      at,
    );
  if (form.tools && !can?.has("tools") && !(forced && can?.has("json")))
    throw unsupported(
      served.predictor
        ? `${served.id} is a specialist and calls no tools.`
        : can?.has("json")
          ? `${served.id} was not made to call tools as it sees fit; with tool_choice "required" or a function's name it makes a call.`
          : `${served.id} calls no tools.`,
      "tools",
    );
  for (const word of heldForm(form)?.loose ?? []) loose.add(word);
  return { form, single: parallel === false, loose: [...loose].map((word) => `schema.${word}`) };
}

/** Calls with new unique ids: models give equal calls equal ids. */
export function callsOf(calls: readonly ToolCall[] | undefined, single: boolean): ToolCall[] {
  return (calls ?? []).slice(0, single ? 1 : undefined).map((call) => ({ ...call, id: newId("call_") }));
}
