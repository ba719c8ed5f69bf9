// From messages to tokens: the chat template or the plain form, then the model's tokenizer.

import { CallError } from "../../core/call.js";
import type { Message, OpenWeights, PromptFormat, ScoreRequest, ToolSpec } from "../../core/model.js";
import type { GgufFile } from "../../tensor/gguf.js";
import {
  type ChatTemplate,
  compileTemplate,
  knowsTools,
  plainSegments,
  type Segment,
  switchesThinking,
} from "../template.js";
import { plainMessages, withTools } from "../tool-calls.js";
import { inertTokens, promptTokenizer, type Vocabulary } from "./tokens.js";
import type { Weights } from "./weights.js";

/** Tokenizes a prompt and its options as they are evaluated. */
export type RequestTokens = (
  request: ScoreRequest,
  weights: Pick<Weights, "vocabulary" | "continuation">,
) => ReturnType<OpenWeights["tokenize"]>;

/** How one model's prompts become tokens. */
export interface Prompts {
  /** Whether the template describes tools to the model. */
  toolTemplate: boolean;
  /** Whether the model may think although it was told not to. */
  mayThink: boolean;
  /** @throws CallError `unsupported` where the prompt is empty, or the model has no template for `chat` */
  promptTokens: (
    vocabulary: Vocabulary,
    messages: readonly Message[],
    format: PromptFormat,
    tools?: readonly ToolSpec[],
  ) => Promise<number[]>;
  /** @throws CallError `unsupported` where an option is empty, or as above */
  requestTokens: RequestTokens;
  /** Tokens of a text that is no part of a template. */
  textTokens: (vocabulary: Vocabulary, text: string) => number[];
}

/**
 * @param name what errors call the model
 * @param prefix token ids that follow the begin token of every prompt
 */
export function promptsOf(gguf: GgufFile, name: string, prefix: readonly number[]): Prompts {
  const source = gguf.metadata.get("tokenizer.chat_template");
  const tokenizers = new WeakMap<Vocabulary, ReturnType<typeof promptTokenizer>>();
  let template: Promise<ChatTemplate> | undefined;
  const toolTemplate = typeof source === "string" && knowsTools(source);
  const mayThink = typeof source === "string" && switchesThinking(source);
  const segments = async (
    given: readonly Message[],
    format: PromptFormat,
    tools?: readonly ToolSpec[],
  ): Promise<Segment[]> => {
    const told = format === "chat" && toolTemplate;
    const messages = told ? given : plainMessages(tools ? withTools(given, tools) : given);
    if (format === "plain") return plainSegments(messages);
    if (typeof source !== "string" || source === "") {
      throw new CallError("unsupported", `${name} has no chat template; use the format \`plain\`.`);
    }
    template ??= compileTemplate(source, specialTexts(gguf));
    return (await template)(messages, told ? tools : undefined);
  };
  const tokenize = (vocabulary: Vocabulary, parts: readonly Segment[]): number[] => {
    let tokenizer = tokenizers.get(vocabulary);
    if (!tokenizer) {
      tokenizer = promptTokenizer(vocabulary);
      tokenizers.set(vocabulary, tokenizer);
    }
    return tokenizer(parts);
  };
  const promptTokens = async (
    vocabulary: Vocabulary,
    messages: readonly Message[],
    format: PromptFormat,
    tools?: readonly ToolSpec[],
  ) => {
    const tokens = tokenize(vocabulary, await segments(messages, format, tools));
    if (tokens.length === 0) throw new CallError("unsupported", "The prompt is empty.");
    tokens.splice(vocabulary.bos === undefined ? 0 : 1, 0, ...prefix);
    return tokens;
  };
  const requestTokens: RequestTokens = async (request, { vocabulary, continuation }) => {
    const prompt = await promptTokens(vocabulary, request.messages, request.format);
    const options = request.options.map((option, i) => {
      const found = inertTokens(option, { ...vocabulary, tokenize: continuation });
      if (found.length === 0) throw new CallError("unsupported", `Option ${i + 1} is empty.`);
      return found;
    });
    return { prompt, options, begin: vocabulary.bos === undefined ? 0 : 1 };
  };
  const textTokens = (vocabulary: Vocabulary, text: string) =>
    tokenize(vocabulary, [{ text, template: false }]);
  return { toolTemplate, mayThink, promptTokens, requestTokens, textTokens };
}

function specialTexts(gguf: GgufFile): { bosToken: string; eosToken: string } {
  const texts = gguf.metadata.get("tokenizer.ggml.tokens");
  const text = (key: string): string => {
    const id = gguf.metadata.get(`tokenizer.ggml.${key}`);
    const found: unknown = Array.isArray(texts) && typeof id === "number" ? texts[id] : undefined;
    return typeof found === "string" ? found : "";
  };
  return { bosToken: text("bos_token_id"), eosToken: text("eos_token_id") };
}
