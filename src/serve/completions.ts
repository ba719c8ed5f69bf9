// POST /v1/completions: text that continues a prompt. With `echo` and `logprobs` it returns the log-probability of each token of
// the prompt, by which evaluation harnesses score given answers.

import type { z } from "zod";
import type { Message, ReadText } from "../core/model.js";
import { type completionSchema, type Writing, writingOf } from "./asked.js";
import type { Send } from "./events.js";
import { Problem } from "./problem.js";
import type { Served } from "./served.js";
import { newId, now, readWritten, type Usage, write } from "./write.js";

type Asked = z.infer<typeof completionSchema>;

/** One prompt: a text, or its tokens. */
interface Prompt {
  messages: Message[];
  tokens?: number[];
}

interface Choice {
  index: number;
  text: string;
  logprobs: object | null;
  finish_reason: "stop" | "length";
}

function promptsOf({ prompt }: Asked): Prompt[] {
  const list =
    typeof prompt === "string" ? [prompt] : typeof prompt[0] === "number" ? [prompt as number[]] : prompt;
  return (list as (string | number[])[]).map((one) =>
    typeof one === "string"
      ? { messages: [{ role: "user", content: one }] }
      : { messages: [{ role: "user", content: "" }], tokens: one },
  );
}

/** Tokens of a text in the protocol's parallel lists. */
function listsOf(tokens: ReadText["tokens"], top: number) {
  let offset = 0;
  const offsets = tokens.map(({ text }) => {
    const at = offset;
    offset += [...text].length;
    return at;
  });
  return {
    tokens: tokens.map(({ text }) => text),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: tokens.map(({ logprob, text, top: likely }) => {
      if (logprob === null) return null;
      const shown = likely.slice(0, Math.max(1, top)).map((one) => [one.text, one.logprob] as const);
      return Object.fromEntries(top === 0 ? [[text, logprob]] : shown);
    }),
    text_offset: offsets,
  };
}

/** Answers one prompt. @returns its choice, and the numbers of tokens read and written */
async function complete(
  served: Served,
  asked: Asked,
  prompt: Prompt,
  how: Writing,
  index: number,
  signal: AbortSignal,
  put?: (piece: string) => void,
): Promise<{ choice: Choice; input: number; output: number }> {
  const echo = asked.echo === true;
  const top = typeof asked.logprobs === "number" ? asked.logprobs : asked.logprobs ? 1 : undefined;
  const most = how.maxTokens ?? 16;
  const ask = {
    messages: prompt.messages,
    format: "plain" as const,
    ...(prompt.tokens ? { tokens: prompt.tokens } : {}),
  };
  const own = prompt.messages[0]?.content ?? "";

  // The prompt alone, with at most the likeliest next token: harnesses' requests need one pass.
  if (echo && top !== undefined && most <= 1 && how.temperature === 0) {
    const { tokens, next, cost } = await readWritten(served, ask, "", top, signal);
    const [first] = most === 1 ? next : [];
    const all = first ? [...tokens, { id: -1, ...first, top: next }] : [...tokens];
    const text = all.map((one) => one.text).join("");
    const choice = { index, text, logprobs: listsOf(all, top), finish_reason: "length" as const };
    put?.(text);
    return { choice, input: cost.inputTokens, output: first ? 1 : 0 };
  }
  if (prompt.tokens)
    throw new Problem(
      400,
      "A prompt of token ids can only be scored (echo, logprobs, max_tokens 0 or 1): send text to have it continued.",
      {
        param: "prompt",
        code: "unsupported",
      },
    );
  // The prompt comes with the first text: before it, a failure has its own status.
  let before = echo ? own : "";
  const grow = (text: string) => {
    put?.(before + text);
    before = "";
  };
  const written = await write(served, ask, { ...how, maxTokens: most }, signal, put && grow);
  if (before !== "") grow("");
  let logprobs: object | null = null;
  if (top !== undefined && !written.prediction) {
    const { tokens, prompt: read } = await readWritten(served, ask, written.text, top, signal);
    logprobs = listsOf(echo ? tokens : tokens.slice(read), top);
  }
  const choice = {
    index,
    text: `${echo ? own : ""}${written.text}`,
    logprobs,
    finish_reason: written.finish,
  };
  return { choice, input: written.cost.inputTokens, output: written.cost.outputTokens };
}

function jobsOf(asked: Asked): { prompt: Prompt; how: Writing; index: number }[] {
  if (asked.suffix)
    throw new Problem(400, "Text before a suffix cannot be written.", {
      param: "suffix",
      code: "unsupported",
    });
  const how = writingOf(asked, asked.max_tokens);
  return promptsOf(asked).flatMap((prompt, i) =>
    Array.from({ length: how.n }, (_, k) => ({
      prompt,
      how: { ...how, seed: how.seed + k },
      index: i * how.n + k,
    })),
  );
}

/** A prompt with several choices is read once, as in chat. */
function usageFrom(done: readonly { input: number; output: number }[], { n }: Asked): Usage {
  const prompt_tokens = done.reduce((sum, { input }, i) => sum + (i % (n ?? 1) === 0 ? input : 0), 0);
  const completion_tokens = done.reduce((sum, { output }) => sum + output, 0);
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}

export async function completions(
  served: Served,
  asked: Asked,
  signal: AbortSignal,
): Promise<{ body: object; usage: Usage }> {
  const done = await Promise.all(
    jobsOf(asked).map(({ prompt, how, index }) => complete(served, asked, prompt, how, index, signal)),
  );
  const usage = usageFrom(done, asked);
  const choices = done.map(({ choice }) => choice);
  return {
    body: {
      id: newId("cmpl-"),
      object: "text_completion",
      created: now(),
      model: asked.model,
      system_fingerprint: served.fingerprint,
      choices,
      usage,
    },
    usage,
  };
}

export async function streamCompletions(
  served: Served,
  asked: Asked,
  signal: AbortSignal,
  send: Send,
): Promise<Usage> {
  const withUsage = asked.stream_options?.include_usage === true;
  const head = {
    id: newId("cmpl-"),
    object: "text_completion",
    created: now(),
    model: asked.model,
    system_fingerprint: served.fingerprint,
  };
  const chunk = (choices: object[], usage: Usage | null = null) =>
    send({ ...head, choices, ...(withUsage ? { usage } : {}) });
  const done = await Promise.all(
    jobsOf(asked).map(async ({ prompt, how, index }) => {
      const put = (text: string) => chunk([{ index, text, logprobs: null, finish_reason: null }]);
      const one = await complete(served, asked, prompt, how, index, signal, put);
      chunk([{ ...one.choice, text: "" }]);
      return one;
    }),
  );
  const usage = usageFrom(done, asked);
  if (withUsage) chunk([], usage);
  return usage;
}
