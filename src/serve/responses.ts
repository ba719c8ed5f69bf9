// POST /v1/responses: the same answers in the form of the Responses protocol. Nothing is kept, so no earlier response can be
// continued.

import type { z } from "zod";
import { messagesOf, refuseForms, type responseSchema, writingOf } from "./asked.js";
import type { Send } from "./events.js";
import { Problem } from "./problem.js";
import type { Served } from "./served.js";
import { newId, now, type Usage, usageOf, write } from "./write.js";

type Asked = z.infer<typeof responseSchema>;

function prepared(asked: Asked) {
  if (asked.previous_response_id != null)
    throw new Problem(400, "Responses are not kept: send the whole conversation as input.", {
      param: "previous_response_id",
      code: "unsupported",
    });
  const { text, ...forms } = asked as Asked & { text?: { format?: unknown } };
  refuseForms({ ...forms, response_format: text?.format });
  const given =
    typeof asked.input === "string" ? [{ role: "user" as const, content: asked.input }] : asked.input;
  const foreign = given.find(({ role }) => role === undefined);
  if (foreign || given.length === 0)
    throw new Problem(400, foreign ? "Only messages can be input." : "The input is empty.", {
      param: "input",
      code: "unsupported",
    });
  const system = asked.instructions ? [{ role: "system" as const, content: asked.instructions }] : [];
  const id = newId("resp");
  const item = newId("msg");
  const created = now();
  const shell = (status: string, output: object[], usage: Usage | null, reason?: string) => ({
    id,
    object: "response",
    created_at: created,
    status,
    error: null,
    incomplete_details: reason === undefined ? null : { reason },
    instructions: asked.instructions ?? null,
    max_output_tokens: asked.max_output_tokens ?? null,
    model: asked.model,
    output,
    output_text: undefined,
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    store: false,
    temperature: asked.temperature ?? 0,
    text: { format: { type: "text" } },
    tool_choice: "auto",
    tools: [],
    top_p: asked.top_p ?? 1,
    truncation: "disabled",
    usage: usage && {
      input_tokens: usage.prompt_tokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: usage.completion_tokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: usage.total_tokens,
    },
    user: null,
    metadata: {},
  });
  const part = (said: string) => ({ type: "output_text", text: said, annotations: [], logprobs: [] });
  const message = (status: string, content: object[]) => ({
    id: item,
    type: "message",
    status,
    role: "assistant",
    content,
  });
  return {
    ask: { messages: messagesOf([...system, ...given]) },
    how: writingOf({ temperature: asked.temperature, top_p: asked.top_p }, asked.max_output_tokens),
    shell,
    part,
    message,
    item,
  };
}

export async function responses(
  served: Served,
  asked: Asked,
  signal: AbortSignal,
): Promise<{ body: object; usage: Usage }> {
  const { ask, how, shell, part, message } = prepared(asked);
  const { text, finish, cost } = await write(served, ask, how, signal);
  const usage = usageOf([cost]);
  const whole = finish === "stop";
  const output = [message(whole ? "completed" : "incomplete", [part(text)])];
  return {
    body: shell(whole ? "completed" : "incomplete", output, usage, whole ? undefined : "max_output_tokens"),
    usage,
  };
}

export async function streamResponses(
  served: Served,
  asked: Asked,
  signal: AbortSignal,
  sendAny: Send,
): Promise<Usage> {
  const { ask, how, shell, part, message, item } = prepared(asked);
  let number = 0;
  const send = (type: string, more: object) => sendAny({ type, sequence_number: number++, ...more }, type);
  const place = { item_id: item, output_index: 0, content_index: 0 };
  send("response.created", { response: shell("in_progress", [], null) });
  send("response.in_progress", { response: shell("in_progress", [], null) });
  send("response.output_item.added", { output_index: 0, item: message("in_progress", []) });
  send("response.content_part.added", { ...place, part: part("") });
  const { text, finish, cost } = await write(served, ask, how, signal, (delta) =>
    send("response.output_text.delta", { ...place, delta, logprobs: [] }),
  );
  const usage = usageOf([cost]);
  const status = finish === "stop" ? "completed" : "incomplete";
  send("response.output_text.done", { ...place, text, logprobs: [] });
  send("response.content_part.done", { ...place, part: part(text) });
  const output = message(status, [part(text)]);
  send("response.output_item.done", { output_index: 0, item: output });
  send(`response.${status}`, {
    response: shell(status, [output], usage, status === "completed" ? undefined : "max_output_tokens"),
  });
  return usage;
}
