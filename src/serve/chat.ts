// POST /v1/chat/completions: an answer to messages, whole or as a stream. The stream's first piece gives the role; usage comes
// only on request; one id throughout.

import type { z } from "zod";
import type { LikelyToken } from "../core/model.js";
import { wireCall } from "../models/openai-forms.js";
import { type chatSchema, messagesOf, writingOf } from "./asked.js";
import type { Send } from "./events.js";
import { callsOf, chatForm } from "./forms.js";
import type { Served } from "./served.js";
import {
  type Exchange,
  likelyLabels,
  newId,
  now,
  readWritten,
  type Usage,
  usageOf,
  type Written,
  write,
} from "./write.js";

type Asked = z.infer<typeof chatSchema>;

export interface ChatAnswer {
  body: object;
  usage: Usage;
}

const entryOf = ({ text, logprob }: LikelyToken) => ({ token: text, logprob, bytes: [...Buffer.from(text)] });

async function logprobsOf(
  served: Served,
  asked: Asked,
  form: Exchange["form"],
  written: Written,
  signal: AbortSignal,
) {
  if (!asked.logprobs || form.tools) return null;
  const top = asked.top_logprobs ?? 0;
  if (written.prediction) {
    const labels = likelyLabels(written.prediction);
    const [first] = labels;
    if (!first) return null;
    return {
      content: [{ ...entryOf(first), top_logprobs: labels.slice(0, top).map(entryOf) }],
      refusal: null,
    };
  }
  const ask = { messages: messagesOf(asked.messages) };
  const { tokens, prompt } = await readWritten(served, ask, written.text, top, signal);
  const content = tokens
    .slice(written.text === "" ? tokens.length : prompt)
    .map(({ text, logprob, top: likely }) => ({
      ...entryOf({ text, logprob: logprob ?? 0 }),
      top_logprobs: likely.slice(0, top).map(entryOf),
    }));
  return { content, refusal: null };
}

/** The whole answer. */
export async function chat(
  served: Served,
  asked: Asked,
  signal: AbortSignal,
  tell: (exchange: Exchange) => void,
): Promise<ChatAnswer> {
  const { form, single } = chatForm(served, asked);
  const how = writingOf(asked, asked.max_completion_tokens ?? asked.max_tokens);
  const messages = messagesOf(asked.messages);
  const written = await Promise.all(
    Array.from({ length: how.n }, (_, i) =>
      write(served, { messages, form }, { ...how, seed: how.seed + i }, signal),
    ),
  );
  const choices = [];
  for (const [index, one] of written.entries()) {
    const calls = callsOf(one.calls, single).map(wireCall);
    choices.push({
      index,
      message: {
        ...{ role: "assistant", content: calls.length > 0 && one.text === "" ? null : one.text },
        ...(calls.length > 0 ? { tool_calls: calls } : {}),
        ...{ refusal: null, annotations: [] },
      },
      logprobs: calls.length === 0 ? await logprobsOf(served, asked, form, one, signal) : null,
      finish_reason: calls.length > 0 ? "tool_calls" : one.finish,
    });
  }
  const usage = usageOf(written.map(({ cost }) => cost));
  const id = newId("chatcmpl-");
  tell({ id, messages, form, how, written: written[0] as Written });
  const body = {
    id,
    object: "chat.completion",
    created: now(),
    model: asked.model,
    system_fingerprint: served.fingerprint,
    choices,
    usage,
  };
  return { body, usage };
}

/** The answer in pieces. */
export async function streamChat(
  served: Served,
  asked: Asked,
  signal: AbortSignal,
  send: Send,
  tell: (exchange: Exchange) => void,
): Promise<Usage> {
  const { form, single } = chatForm(served, asked);
  const how = writingOf(asked, asked.max_completion_tokens ?? asked.max_tokens);
  const messages = messagesOf(asked.messages);
  const withUsage = asked.stream_options?.include_usage === true;
  const head = {
    id: newId("chatcmpl-"),
    object: "chat.completion.chunk",
    created: now(),
    model: asked.model,
    system_fingerprint: served.fingerprint,
  };
  const chunk = (choices: object[], usage: Usage | null = null) =>
    send({ ...head, choices, ...(withUsage ? { usage } : {}) });
  const piece = (
    index: number,
    delta: object,
    finish: string | null = null,
    logprobs: object | null = null,
  ) => chunk([{ index, delta, logprobs, finish_reason: finish }]);
  const written = await Promise.all(
    Array.from({ length: how.n }, async (_, i) => {
      // The role comes with the first text: before it, a failure has its own status.
      let begun = false;
      const begin = () => {
        if (!begun) piece(i, { role: "assistant", content: "" });
        begun = true;
      };
      const put = (content: string) => {
        begin();
        piece(i, { content });
      };
      const one = await write(served, { messages, form }, { ...how, seed: how.seed + i }, signal, put);
      begin();
      const calls = callsOf(one.calls, single);
      for (const [index, call] of calls.entries()) piece(i, { tool_calls: [{ index, ...wireCall(call) }] });
      if (calls.length > 0) piece(i, {}, "tool_calls");
      else piece(i, {}, one.finish, await logprobsOf(served, asked, form, one, signal));
      return one;
    }),
  );
  const usage = usageOf(written.map(({ cost }) => cost));
  if (withUsage) chunk([], usage);
  tell({ id: head.id, messages, form, how, written: written[0] as Written });
  return usage;
}
