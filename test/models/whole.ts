// Opens models of endpoints as what they are unless `grants=` says otherwise: able to write, score and embed.

import { requireCapability } from "../../src/core/capabilities.js";
import type { PromptModel } from "../../src/core/model.js";
import { openMock } from "../../src/models/mock.js";
import { openOpenAI } from "../../src/models/openai.js";

function whole<M extends PromptModel>(model: M) {
  const scorer = requireCapability(requireCapability(model, "text"), "logprobs");
  return requireCapability(scorer, "embeddings");
}

export const wholeMock = async (...given: Parameters<typeof openMock>) => whole(await openMock(...given));
export const wholeOpenAI = async (...given: Parameters<typeof openOpenAI>) =>
  whole(await openOpenAI(...given));
export type Whole = Awaited<ReturnType<typeof wholeMock>>;
