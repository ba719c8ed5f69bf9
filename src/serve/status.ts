// What the server says of itself: its models, health and metrics.

import { Hono } from "hono";
import type { Metrics } from "./metrics.js";
import { Problem } from "./problem.js";
import type { Served } from "./served.js";
import type { Shadow } from "./shadow-run.js";

export interface StatusOptions {
  served: readonly Served[];
  /** Shadows, by the id of the model or specialist that answers first. */
  shadows: ReadonlyMap<string, readonly Shadow[]>;
  metrics: Metrics;
  version: string;
}

/** The routes that are asked with GET. */
export function makeStatus({ served, shadows, metrics, version }: StatusOptions): Hono {
  const app = new Hono();
  const started = Date.now();
  app.get("/v1/models", (c) => c.json({ object: "list", data: served.map(card) }));
  app.get("/v1/models/:id{.+}", (c) => {
    const found = served.find(({ id }) => id === c.req.param("id"));
    if (!found)
      throw new Problem(404, "There is no such model; see /v1/models.", { code: "model_not_found" });
    return c.json(card(found));
  });
  app.get("/health", (c) =>
    c.json({
      status: "ok",
      version,
      seconds: Math.floor((Date.now() - started) / 1000),
      models: served.map(({ id }) => id),
    }),
  );
  const ofShadows = (value: (shadow: Shadow) => number) =>
    [...shadows].flatMap(([id, own]) =>
      own.map((shadow) => [{ model: id, pair: shadow.pair }, value(shadow)] as const),
    );
  app.get("/metrics", (c) =>
    c.text(
      metrics.text([
        {
          name: "active",
          help: "Requests being answered.",
          values: served.map(({ id, queue }) => [{ model: id }, queue.active] as const),
        },
        {
          name: "waiting",
          help: "Requests waiting for their turn.",
          values: served.map(({ id, queue }) => [{ model: id }, queue.waiting] as const),
        },
        {
          name: "shadow_records_total_by_pair",
          help: "Shadow records on disk since the start.",
          values: ofShadows(({ written }) => written()),
        },
        {
          name: "shadow_failures_total_by_pair",
          help: "Shadow answers that failed or were left out since the start.",
          values: ofShadows(({ failed }) => failed()),
        },
      ]),
      200,
      { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
    ),
  );
  app.get("/", (c) =>
    c.text(
      [
        `Hone ${version} serves`,
        ...served.map(({ id }) => `  ${id}`),
        "",
        "POST /v1/chat/completions, /v1/completions, /v1/responses, /v1/embeddings, /v1/classify",
        "GET  /v1/models, /health, /metrics",
        "",
      ].join("\n"),
    ),
  );
  return app;
}

/** A model as OpenAI lists it, with what it can do; of a specialist also its task and what it scored. */
const card = ({ id, created, predictor, model, embeds }: Served) => ({
  id,
  object: "model",
  created,
  owned_by: "hone",
  capabilities: [
    ...(predictor ? ["classify", "chat"] : []),
    ...(model ? ["chat", "completions", ...(model.read ? ["logprobs"] : []), ...(model.forms ?? [])] : []),
    ...(embeds ? ["embeddings"] : []),
  ],
  ...(predictor
    ? {
        task: predictor.saved.task.name,
        labels: predictor.saved.task.labels,
        specialist: predictor.saved.name,
        expected: predictor.saved.measured ?? null,
      }
    : {}),
});
