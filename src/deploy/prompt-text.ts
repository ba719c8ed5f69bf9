// The prompt of a specialist as text: what its model actually receives for one input, recorded from its calls. No model is loaded.

import type { Callable, GenerateRequest, Message, ScoreRequest } from "../core/model.js";
import { isTemplate } from "../data/template.js";
import { openPredictor, type PredictorOptions } from "./predictor.js";

/** Placeholder for a row's text. */
const placeholder = "{{input}}";

/** Most calls that are shown: a specialist may make many. */
const mostShown = 4;

/**
 * Every distinct request that one answer sends to the language model; undefined if it sends none.
 * @param path of a saved specialist
 */
export async function promptText(
  path: string,
  options: Omit<PredictorOptions, "wrap">,
): Promise<string | undefined> {
  const heard: string[] = [];
  const hear = ({ messages, format }: GenerateRequest | ScoreRequest, ends: readonly string[]): void => {
    const text = [
      `# ${format === "chat" ? "chat" : "plain text"}`,
      ...messages.map(({ role, content }: Message) =>
        format === "chat" ? `[${role}]\n${content}` : content,
      ),
      ends.length > 0
        ? `# continuations that are scored\n${ends.map((end) => JSON.stringify(end)).join("\n")}`
        : "",
    ];
    heard.push(text.filter(Boolean).join("\n\n"));
  };
  const cost = { calls: 1, inputTokens: 0, outputTokens: 0, ms: 0, usd: 0 };
  // Only for models that write: encoders really answer, so that examples are retrieved as in use.
  const wrap = <M extends Callable>(model: M): M =>
    model.generate === undefined
      ? model
      : {
          ...model,
          generate: async (request: GenerateRequest) => {
            hear(request, []);
            return { text: "…", finish: "stop" as const, cost };
          },
          score: async (request: ScoreRequest) => {
            hear(request, request.options);
            return { options: request.options.map(() => ({ logprob: -1, tokens: 1 })), cost };
          },
          ...(model.weights && {
            weights: { ...model.weights, specialize: (change) => wrap(model.weights!.specialize(change)) },
          }),
        };
  const predictor = await openPredictor(path, { ...options, wrap }).catch(() => undefined);
  if (!predictor) return undefined;
  try {
    const { task, rows } = predictor.saved;
    const own = task.labels
      ? {}
      : {
          options: [
            { key: "A", text: "{{option A}}" },
            { key: "B", text: "{{option B}}" },
          ],
        };
    // What a row's own fields say is shown by name.
    const slots = Object.entries({ question: rows?.question, instruction: rows?.instruction })
      .filter(([, text]) => text !== undefined && isTemplate(text))
      .map(([name]) => [name, `{{${name}}}`]);
    await predictor.answer(
      {
        ...predictor.sampleOf(placeholder),
        ...(rows?.options !== undefined ? own : {}),
        ...Object.fromEntries(slots),
      },
      options.signal,
    );
  } catch {
    // The calls recorded until then can still be shown.
  } finally {
    await predictor.close();
  }
  const shown = [...new Set(heard)];
  if (shown.length === 0) return undefined;
  const head = `What ${predictor.saved.model} receives for the input ${placeholder}. Examples that are chosen for each input are those chosen for this one.`;
  const more =
    shown.length > mostShown ? [`(${shown.length - mostShown} more requests for the same input)`] : [];
  return `${[head, ...shown.slice(0, mostShown), ...more].join("\n\n----\n\n")}\n`;
}
