// Checks of openai-node as its users call it: chat, stream, completions, embeddings (base64), responses, errors. Run by
// bench/clients.js.

import OpenAI from "openai";
import { run } from "./run.mjs";

const { BASE, TOKEN } = process.env;
const client = new OpenAI({ apiKey: TOKEN, baseURL: BASE, maxRetries: 0 });
const messages = [{ role: "user", content: "Say hello." }];

const colour = {
  type: "object",
  properties: { colour: { type: "string", enum: ["red", "green"] } },
  required: ["colour"],
  additionalProperties: false,
};

await run({
  "chat.completions.create": async (is) => {
    const { choices, usage } = await client.chat.completions.create({
      model: "small",
      messages,
      max_tokens: 8,
    });
    is(choices[0].message.content.length > 0 && usage.completion_tokens > 0, { choices, usage });
  },
  "chat.completions.stream and its helper": async (is) => {
    const stream = client.chat.completions.stream({
      model: "small",
      messages,
      max_tokens: 8,
      stream_options: { include_usage: true },
    });
    let text = "";
    stream.on("content", (delta) => {
      text += delta;
    });
    const done = await stream.finalChatCompletion();
    is(done.choices[0].message.content === text && text.length > 0 && done.usage.completion_tokens > 0, {
      text,
      done,
    });
  },
  "completions with echo and logprobs": async (is) => {
    const { choices } = await client.completions.create({
      model: "small",
      prompt: "The capital of France is",
      echo: true,
      logprobs: 1,
      max_tokens: 1,
      temperature: 0,
    });
    is(choices[0].text.endsWith(" Paris") && choices[0].logprobs.token_logprobs.length === 6, choices);
  },
  "embeddings, base64 by its default": async (is) => {
    const packed = await client.embeddings.create({ model: "enc", input: "a rose" });
    const plain = await client.embeddings.create({ model: "enc", input: "a rose", encoding_format: "float" });
    const [a, b] = [packed, plain].map(({ data }) => data[0].embedding);
    is(a.length === 384 && a.every((one, i) => Math.abs(one - b[i]) < 1e-6), {
      a: a.slice(0, 3),
      b: b.slice(0, 3),
    });
  },
  "responses.create and stream": async (is) => {
    const whole = await client.responses.create({
      model: "small",
      input: "Say hello.",
      max_output_tokens: 8,
    });
    let text = "";
    for await (const event of await client.responses.create({
      model: "small",
      input: "Say hello.",
      max_output_tokens: 8,
      stream: true,
    }))
      if (event.type === "response.output_text.delta") text += event.delta;
    is(whole.output_text === text && text.length > 0, { whole: whole.output_text, text });
  },
  "chat.completions.parse with a JSON schema": async (is) => {
    const done = await client.chat.completions.parse({
      model: "small",
      messages: [{ role: "user", content: "Name a colour as JSON." }],
      max_tokens: 30,
      response_format: { type: "json_schema", json_schema: { name: "colour", strict: true, schema: colour } },
    });
    is(["red", "green"].includes(JSON.parse(done.choices[0].message.content).colour), done.choices);
  },
  "a function that must be called, streamed": async (is) => {
    const stream = client.chat.completions.stream({
      model: "small",
      messages: [{ role: "user", content: "Paint the wall." }],
      max_tokens: 40,
      tools: [{ type: "function", function: { name: "paint", parameters: colour } }],
      tool_choice: "required",
    });
    const done = await stream.finalChatCompletion();
    const [call] = done.choices[0].message.tool_calls;
    is(
      done.choices[0].finish_reason === "tool_calls" &&
        call.function.name === "paint" &&
        ["red", "green"].includes(JSON.parse(call.function.arguments).colour),
      done.choices,
    );
  },
  "models.list": async (is) => {
    const { data } = await client.models.list();
    is(
      data.some(({ id }) => id === "tones"),
      data,
    );
  },
  "errors have their classes": async (is) => {
    const wrong = await client.chat.completions.create({ model: "nobody", messages }).catch((error) => error);
    const key = await new OpenAI({ apiKey: "sk-wrong", baseURL: BASE, maxRetries: 0 }).models
      .list()
      .catch((error) => error);
    is(wrong instanceof OpenAI.NotFoundError && key instanceof OpenAI.AuthenticationError, [
      String(wrong),
      String(key),
    ]);
  },
});
