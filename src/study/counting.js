// A model that answers nothing and counts what it is asked: for dry runs, and to know before a run what answers will take.
/** @param add told of every call; what it gives stands as the call's cost */
export function counting(model, add) {
  const promptText = (messages) => messages.map(({ content }) => content).join("\n");
  const { weights } = model;
  return {
    ...model,
    ...(weights && {
      weights: { ...weights, specialise: (change) => counting(weights.specialise(change), add) },
    }),
    ...(model.generate && {
      generate: async (request) => ({
        text: "",
        finish: "stop",
        cost: await add({
          model,
          operation: "generate",
          request,
          text: promptText(request.messages),
          output: request.maxTokens,
          prompt: {
            request: { ...request, options: [] },
            text: promptText(request.messages),
            room: request.maxTokens,
          },
        }),
      }),
    }),
    ...(model.score && {
      score: async (request) => ({
        options: request.options.map(() => ({ logprob: -1, tokens: 1 })),
        cost: await add({
          model,
          operation: "score",
          request,
          text: promptText(request.messages) + request.options.join(""),
          output: 0,
          prompt: { request, text: promptText(request.messages), room: 1 },
        }),
      }),
    }),
    ...(model.embed && {
      embed: async (texts) => ({
        vectors: texts.map(() => Array.from({ length: 8 }, (_, i) => (i === 0 ? 1 : 0))),
        cost: await add({
          model,
          operation: "embed",
          request: { text: texts[0] },
          text: texts.join("\n"),
          output: 0,
        }),
      }),
    }),
    close: () => model.close(),
  };
}
