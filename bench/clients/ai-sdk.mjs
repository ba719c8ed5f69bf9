// Checks of the Vercel AI SDK against a server: text, stream, embeddings, a specialist. Run by bench/clients.js in a folder
// that has it.

import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embedMany, generateObject, generateText, jsonSchema, streamText, tool } from "ai";
import { run } from "./run.mjs";

const { BASE, TOKEN } = process.env;
const compatible = createOpenAICompatible({
  name: "hone",
  baseURL: BASE,
  apiKey: TOKEN,
  includeUsage: true,
  supportsStructuredOutputs: true,
});
const colour = jsonSchema({
  type: "object",
  properties: { colour: { type: "string", enum: ["red", "green"] } },
  required: ["colour"],
  additionalProperties: false,
});
const openai = createOpenAI({ baseURL: BASE, apiKey: TOKEN });

await run({
  "generateText by chat completions": async (is) => {
    const { text, usage, finishReason } = await generateText({
      model: compatible("small"),
      prompt: "Say hello.",
      maxOutputTokens: 8,
      temperature: 0,
    });
    is(text.length > 0 && usage.outputTokens > 0 && ["stop", "length"].includes(finishReason), {
      text,
      usage,
      finishReason,
    });
  },
  "streamText by chat completions": async (is) => {
    const result = streamText({
      model: compatible("small"),
      prompt: "Say hello.",
      maxOutputTokens: 8,
      temperature: 0,
    });
    let text = "";
    let parts = 0;
    for await (const part of result.textStream) {
      text += part;
      parts++;
    }
    const usage = await result.usage;
    is(parts > 1 && text.length > 0 && usage.outputTokens > 0, { text, parts, usage });
  },
  "generateText by completions": async (is) => {
    const { text } = await generateText({
      model: compatible.completionModel("small"),
      prompt: "The capital of France is",
      maxOutputTokens: 8,
      temperature: 0,
    });
    is(text.length > 0, { text });
  },
  "generateText by responses": async (is) => {
    const { text, usage } = await generateText({
      model: openai.responses("small"),
      prompt: "Say hello.",
      maxOutputTokens: 16,
      temperature: 0,
    });
    is(text.length > 0 && usage.outputTokens > 0, { text, usage });
  },
  "streamText by responses": async (is) => {
    let text = "";
    for await (const part of streamText({
      model: openai.responses("small"),
      prompt: "Say hello.",
      maxOutputTokens: 16,
    }).textStream)
      text += part;
    is(text.length > 0, { text });
  },
  "generateObject by a JSON schema": async (is) => {
    const { object } = await generateObject({
      model: compatible("small"),
      schema: colour,
      prompt: "Name a colour.",
      maxOutputTokens: 30,
      maxRetries: 0,
    });
    is(["red", "green"].includes(object.colour), { object });
  },
  "a tool that must be called": async (is) => {
    const { toolCalls, finishReason } = await generateText({
      model: compatible("small"),
      tools: { paint: tool({ description: "Paints the wall.", inputSchema: colour }) },
      toolChoice: "required",
      prompt: "Paint the wall.",
      maxOutputTokens: 40,
      maxRetries: 0,
    });
    is(finishReason === "tool-calls" && ["red", "green"].includes(toolCalls[0].input.colour), { toolCalls });
  },
  embedMany: async (is) => {
    const { embeddings } = await embedMany({
      model: compatible.textEmbeddingModel("enc"),
      values: ["a rose", "a stone"],
    });
    is(embeddings.length === 2 && embeddings[0].length === 384, {
      lengths: embeddings.map((one) => one.length),
    });
  },
  "a specialist answers with its label": async (is) => {
    const { text } = await generateText({ model: compatible("tones"), prompt: "A rude letter" });
    is(text === "r", { text });
  },
  "an unknown model is an error with the server's words": async (is) => {
    const error = await generateText({ model: compatible("nobody"), prompt: "x", maxRetries: 0 }).then(
      () => undefined,
      (one) => one,
    );
    is(/There is no model nobody/.test(error?.message), { message: error?.message });
  },
});
