// Checks of LangChain JS against a server: invoke, stream, batch, embeddings. Run by bench/clients.js in a folder that
// has it.

import { ChatOpenAI, OpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { run } from "./run.mjs";

const { BASE, TOKEN } = process.env;
const configuration = { baseURL: BASE };
const chat = (model, more = {}) =>
  new ChatOpenAI({
    model,
    apiKey: TOKEN,
    configuration,
    temperature: 0,
    maxTokens: 8,
    maxRetries: 0,
    ...more,
  });

const colour = {
  title: "colour",
  type: "object",
  properties: { colour: { type: "string", enum: ["red", "green"] } },
  required: ["colour"],
  additionalProperties: false,
};

await run({
  "ChatOpenAI.invoke": async (is) => {
    const { content, usage_metadata } = await chat("small").invoke("Say hello.");
    is(content.length > 0 && usage_metadata.output_tokens > 0, { content, usage_metadata });
  },
  "ChatOpenAI.stream": async (is) => {
    let text = "";
    let parts = 0;
    for await (const chunk of await chat("small").stream("Say hello.")) {
      text += chunk.content;
      parts++;
    }
    is(parts > 2 && text.length > 0, { text, parts });
  },
  "ChatOpenAI.batch": async (is) => {
    const answers = await chat("tones").batch(["A rude letter", "A polite letter", "A neutral letter"]);
    is(
      answers.map(({ content }) => content).join() === "r,p,n",
      answers.map(({ content }) => content),
    );
  },
  "ChatOpenAI with logprobs": async (is) => {
    const { response_metadata } = await chat("small", { logprobs: true, topLogprobs: 2 }).invoke(
      "Say hello.",
    );
    is(response_metadata.logprobs.content.length > 0, response_metadata);
  },
  "ChatOpenAI by responses": async (is) => {
    const { text } = await chat("small", { useResponsesApi: true, maxTokens: 16 }).invoke("Say hello.");
    is(text.length > 0, { text });
  },
  "withStructuredOutput by a JSON schema": async (is) => {
    const made = await chat("small", { maxTokens: 30 })
      .withStructuredOutput(colour, { method: "jsonSchema", name: "colour" })
      .invoke("Name a colour.");
    is(["red", "green"].includes(made.colour), made);
  },
  "bindTools, one that must be called": async (is) => {
    const paint = { type: "function", function: { name: "paint", parameters: colour } };
    const { tool_calls: calls } = await chat("small", { maxTokens: 40 })
      .bindTools([paint], { tool_choice: "required" })
      .invoke("Paint the wall.");
    is(calls[0].name === "paint" && ["red", "green"].includes(calls[0].args.colour), calls);
  },
  "OpenAI (completions)": async (is) => {
    const text = await new OpenAI({
      model: "small",
      apiKey: TOKEN,
      configuration,
      temperature: 0,
      maxTokens: 4,
    }).invoke("The capital of France is");
    is(text.includes("Paris"), { text });
  },
  OpenAIEmbeddings: async (is) => {
    const vectors = await new OpenAIEmbeddings({ model: "enc", apiKey: TOKEN, configuration }).embedDocuments(
      ["a rose", "a stone"],
    );
    is(vectors.length === 2 && vectors[0].length === 384, { lengths: vectors.map((one) => one.length) });
  },
});
