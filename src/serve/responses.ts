// POST /v1/responses: the same answers in the form of the Responses protocol. Nothing is stored, so no earlier response can
// be continued.

import type { z } from "zod";
import type { ToolCall } from "../core/model.js";
import { messagesOf, type responseSchema, type Turn, writingOf } from "./asked.js";
import type { Send } from "./events.js";
import { callsOf, responseForm } from "./forms.js";
import { Problem } from "./problem.js";
import type { Served } from "./served.js";
import { type Exchange, newId, now, type Usage, usageOf, write } from "./write.js";

type Asked = z.infer<typeof responseSchema>;
type Item = Exclude<Asked["input"], string>[number];

/** Items of the input as a chat's turns: consecutive calls are one turn of the assistant. */
function turnsOf(items: readonly Item[]): Turn[] {
  const turns: Turn[] = [];
  for (const [i, item] of items.entries()) {
    const { type, role, call_id: id, name, arguments: given } = item;
    if (type === "function_call" && id !== undefined && name !== undefined && given !== undefined) {
      const call = { id, function: { name, arguments: given } };
      const last = turns.at(-1);
      if (last?.role === "assistant") last.tool_calls = [...(last.tool_calls ?? []), call];
      else turns.push({ role: "assistant", tool_calls: [call] });
    } else if (type === "function_call_output" && id !== undefined)
      turns.push({ role: "tool", content: item.output, tool_call_id: id });
    else if (role !== undefined) turns.push({ role, content: item.content });
    else
      throw new Problem(400, "Only messages, function calls and their outputs can be input.", {
        param: `input.${i}`,
        code: "unsupported",
      });
  }
  return turns;
}

function prepared(served: Served, asked: Asked) {
  if (asked.previous_response_id != null)
    throw new Problem(400, "Responses are not kept: send the whole conversation as input.", {
      param: "previous_response_id",
      code: "unsupported",
    });
  const { form, single } = responseForm(served, asked);
  const given: Turn[] =
    typeof asked.input === "string" ? [{ role: "user", content: asked.input }] : turnsOf(asked.input);
  if (given.length === 0) throw new Problem(400, "The input is empty.", { param: "input" });
  const system: Turn[] = asked.instructions ? [{ role: "system", content: asked.instructions }] : [];
  const id = newId("resp_");
  const item = newId("msg_");
  const created = now();
  const shell = (status: string, output: object[], usage: Usage | null) => ({
    id,
    object: "response",
    created_at: created,
    status,
    error: null,
    incomplete_details: status === "incomplete" ? { reason: "max_output_tokens" } : null,
    instructions: asked.instructions ?? null,
    max_output_tokens: asked.max_output_tokens ?? null,
    model: asked.model,
    output,
    output_text: undefined,
    parallel_tool_calls: asked.parallel_tool_calls ?? true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    store: false,
    temperature: asked.temperature ?? 0,
    text: { format: asked.text?.format ?? { type: "text" } },
    tool_choice: asked.tool_choice ?? "auto",
    tools: asked.tools ?? [],
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
    id,
    ask: { messages: messagesOf([...system, ...given]), form },
    how: writingOf({ temperature: asked.temperature, top_p: asked.top_p }, asked.max_output_tokens),
    single,
    shell,
    part,
    message,
    item,
  };
}

const callItem = (call: ToolCall, id: string, status: string, given = call.arguments) => ({
  ...{ id, type: "function_call", status, call_id: call.id, name: call.name, arguments: given },
});

export async function responses(
  served: Served,
  asked: Asked,
  signal: AbortSignal,
  tell: (exchange: Exchange) => void,
): Promise<{ body: object; usage: Usage }> {
  const { id, ask, how, single, shell, part, message } = prepared(served, asked);
  const written = await write(served, ask, how, signal);
  const { text, calls, finish, cost } = written;
  tell({ id, ...ask, how, written });
  const usage = usageOf([cost]);
  const status = finish === "stop" ? "completed" : "incomplete";
  const called = callsOf(calls, single).map((call) => callItem(call, newId("fc_"), "completed"));
  const said = text === "" && called.length > 0 ? [] : [message(status, [part(text)])];
  return { body: shell(status, [...said, ...called], usage), usage };
}

export async function streamResponses(
  served: Served,
  asked: Asked,
  signal: AbortSignal,
  sendAny: Send,
  tell: (exchange: Exchange) => void,
): Promise<Usage> {
  const { id: own, ask, how, single, shell, part, message, item } = prepared(served, asked);
  let number = 0;
  const send = (type: string, more: object) => sendAny({ type, sequence_number: number++, ...more }, type);
  const place = { item_id: item, output_index: 0, content_index: 0 };
  // All of it waits for the answer's first piece: before that, a failure has its own status.
  const open = () => {
    if (number > 0) return;
    send("response.created", { response: shell("in_progress", [], null) });
    send("response.in_progress", { response: shell("in_progress", [], null) });
  };
  // An answer of calls alone has no message.
  let begun = false;
  const begin = () => {
    if (begun) return;
    begun = true;
    open();
    send("response.output_item.added", { output_index: 0, item: message("in_progress", []) });
    send("response.content_part.added", { ...place, part: part("") });
  };
  const written = await write(served, ask, how, signal, (delta) => {
    begin();
    send("response.output_text.delta", { ...place, delta, logprobs: [] });
  });
  const { text, calls, finish, cost } = written;
  tell({ id: own, ...ask, how, written });
  const usage = usageOf([cost]);
  const status = finish === "stop" ? "completed" : "incomplete";
  const output: object[] = [];
  const called = callsOf(calls, single);
  open();
  if (called.length === 0) begin();
  if (begun) {
    send("response.output_text.done", { ...place, text, logprobs: [] });
    send("response.content_part.done", { ...place, part: part(text) });
    output.push(message(status, [part(text)]));
    send("response.output_item.done", { output_index: 0, item: output[0] });
  }
  for (const call of called) {
    const [id, index] = [newId("fc_"), output.length];
    const at = { item_id: id, output_index: index };
    send("response.output_item.added", { output_index: index, item: callItem(call, id, "in_progress", "") });
    send("response.function_call_arguments.delta", { ...at, delta: call.arguments });
    send("response.function_call_arguments.done", { ...at, name: call.name, arguments: call.arguments });
    output.push(callItem(call, id, "completed"));
    send("response.output_item.done", { output_index: index, item: output[index] });
  }
  send(`response.${status}`, { response: shell(status, output, usage) });
  return usage;
}
