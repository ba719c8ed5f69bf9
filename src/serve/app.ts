// The server's routes. Each finds what is served under the model's name, waits for its turn, and answers. Errors, metrics and
// limits are handled here for all of them.

import type { HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { type Context, Hono } from "hono";
import type { z } from "zod";
import { chatSchema, completionSchema, embeddingSchema, ignoredIn, responseSchema, textOf } from "./asked.js";
import { readBody } from "./body.js";
import { chat, streamChat } from "./chat.js";
import { type Classified, classifyAll, classifySchema, inputsOf } from "./classify.js";
import { completions, streamCompletions } from "./completions.js";
import { embeddings } from "./embeddings.js";
import { events, type Send } from "./events.js";
import { type AskedForm, chatForm, responseForm } from "./forms.js";
import { type GuardOptions, guard, headers } from "./guard.js";
import { makeMetrics } from "./metrics.js";
import { Problem, problemBody, problemOf } from "./problem.js";
import { responses, streamResponses } from "./responses.js";
import { makeRouter, routerName } from "./router.js";
import type { Served } from "./served.js";
import { makeStatus, type StatusOptions } from "./status.js";
import type { Exchange, Usage } from "./write.js";

export interface AppOptions extends GuardOptions, Pick<StatusOptions, "served" | "shadows" | "version"> {
  /** Milliseconds that an answer may take. */
  timeoutMs: number;
  /** Receives failures on our side. */
  log: (text: string) => void;
}

interface Vars {
  /** `whole`: the response is written, with all its headers. */
  Variables: { model: string; began: number; whole: boolean };
}

/** Passes on an exchange that a shadow is to answer too. */
type Tell = (exchange: Exchange) => void;

interface Route<T> {
  schema: z.ZodType<T>;
  answer: (
    served: Served,
    asked: T,
    signal: AbortSignal,
    tell: Tell,
  ) => Promise<{ body: object; usage: Usage; answers?: Classified[] }>;
  stream?: (served: Served, asked: T, signal: AbortSignal, send: Send, tell: Tell) => Promise<Usage>;
  /** The event that ends its stream. */
  done?: string;
  /** The text by which a router chooses. */
  input: (asked: T) => string;
  /** The answer's form, refused here if the model cannot produce it. */
  form?: (served: Served, asked: T) => Pick<AskedForm, "loose">;
}

export function makeApp(options: AppOptions): Hono<Vars> {
  const { served, shadows, timeoutMs, log, version } = options;
  const metrics = makeMetrics();
  const router = makeRouter(served);
  const app = new Hono<Vars>();

  app.use(async (c, next) => {
    c.set("began", performance.now());
    c.set("model", "");
    c.set("whole", false);
    await next();
    if (!c.get("whole")) for (const [name, value] of Object.entries(headers)) c.res.headers.set(name, value);
  });
  app.onError((error, c) => {
    const problem = problemOf(error, log);
    if (problem.status === 401 || problem.status === 403) metrics.count("refused");
    const { began, model } = c.var;
    metrics.request(
      { route: routeOf(c), model, status: problem.status },
      (performance.now() - (began ?? performance.now())) / 1000,
    );
    if (problem.retryAfter !== undefined) c.header("retry-after", String(problem.retryAfter));
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
    // The unread rest of a body must not be taken for the next request.
    if (problem.status === 413) c.header("connection", "close");
    return c.json(problemBody(problem), problem.status as 400);
  });
  app.notFound((c) => {
    throw new Problem(404, `There is no ${c.req.method} ${c.req.path.slice(0, 100)} here.`, {
      code: "not_found",
    });
  });
  app.use(guard(options));

  const find = (id: string, input: () => string, task: string | undefined): Served => {
    if (id === "") {
      const [only, ...others] = served;
      if (only && others.length === 0) return only;
      throw new Problem(400, "Several models are served: name one, see /v1/models.", { param: "model" });
    }
    const found = served.find((one) => one.id === id);
    if (found) return found;
    if (id === routerName && router) return router.choose(input(), task);
    throw new Problem(404, `There is no model ${id.slice(0, 100)}; see /v1/models.`, {
      param: "model",
      code: "model_not_found",
    });
  };

  const route = <T extends { model: string; stream?: boolean | null | undefined }>(
    path: string,
    spec: Route<T>,
  ): void => {
    app.post(path, async (c) => {
      const given = await readBody(c, spec.schema);
      const task = (given as { task?: unknown }).task;
      const one = find(given.model, () => spec.input(given), typeof task === "string" ? task : undefined);
      const asked = given.model === "" ? { ...given, model: one.id } : given;
      c.set("model", one.id);
      const loose = spec.form?.(one, asked).loose ?? [];
      const ignored = [...ignoredIn(asked as Record<string, unknown>), ...loose];
      const told = {
        ...(one.id === asked.model ? {} : { "x-hone-model": one.id }),
        ...(ignored.length > 0 ? { "x-hone-ignored": ignored.join(", ") } : {}),
      };
      const gone = new AbortController();
      const leave = () => gone.abort(new Problem(499, "The client went away."));
      const { outgoing } = c.env as HttpBindings;
      outgoing.once("close", () => {
        if (!outgoing.writableFinished) leave();
      });
      const late = setTimeout(
        () =>
          gone.abort(new Problem(504, `No answer within ${timeoutMs / 1000} seconds.`, { code: "timeout" })),
        timeoutMs,
      );
      const settle = (usage: Usage | undefined, status: number) => {
        clearTimeout(late);
        if (usage) metrics.tokens(one.id, usage.prompt_tokens, usage.completion_tokens);
        metrics.request({ route: path, model: one.id, status }, (performance.now() - c.get("began")) / 1000);
      };
      const own = shadows.get(one.id) ?? [];
      const tell: Tell = (exchange) => {
        for (const shadow of own) shadow.takeChat(asked as { task?: unknown }, exchange);
      };
      const { stream } = spec;
      try {
        if (asked.stream && stream) {
          for (const [name, value] of Object.entries(told)) c.header(name, value);
          return await events(
            c,
            gone,
            (send) =>
              one.queue.run(gone.signal, async () => {
                const usage = await stream(one, asked, gone.signal, send, tell);
                settle(usage, 200);
              }),
            (error) => {
              const problem = problemOf(gone.signal.aborted ? gone.signal.reason : error, log);
              settle(undefined, problem.status);
              return problem;
            },
            spec.done,
          );
        }
        const { body, usage, answers } = await one.queue.run(gone.signal, () =>
          spec.answer(one, asked, gone.signal, tell),
        );
        settle(usage, 200);
        if (answers) for (const shadow of own) shadow.take(asked as z.infer<typeof classifySchema>, answers);
        // Straight to the connection: a platform Response object would cost as much as the answer.
        c.set("whole", true);
        const bytes = Buffer.from(JSON.stringify(body));
        const head = { "content-type": "application/json", "content-length": bytes.length };
        outgoing.writeHead(200, { ...headers, ...told, ...head }).end(bytes);
        return RESPONSE_ALREADY_SENT;
      } catch (error) {
        clearTimeout(late);
        throw gone.signal.aborted ? gone.signal.reason : error;
      }
    });
  };

  const lastUser = (
    messages: readonly { role?: string | undefined; content?: Parameters<typeof textOf>[0] }[],
  ) => textOf(messages.findLast(({ role }) => role === "user")?.content);
  route("/v1/chat/completions", {
    schema: chatSchema,
    answer: chat,
    stream: streamChat,
    done: "[DONE]",
    input: ({ messages }) => lastUser(messages),
    form: chatForm,
  });
  route("/v1/completions", {
    schema: completionSchema,
    answer: completions,
    stream: streamCompletions,
    done: "[DONE]",
    input: ({ prompt }) =>
      [prompt]
        .flat()
        .filter((one) => typeof one === "string")
        .join("\n"),
  });
  route("/v1/responses", {
    schema: responseSchema,
    answer: responses,
    stream: streamResponses,
    input: ({ input }) => (typeof input === "string" ? input : lastUser(input)),
    form: responseForm,
  });
  route("/v1/embeddings", { schema: embeddingSchema, answer: embeddings, input: () => "" });
  route("/v1/classify", {
    schema: classifySchema,
    answer: classifyAll,
    input: (asked) =>
      inputsOf(asked)
        .map((one) => (typeof one === "string" ? one : JSON.stringify(Object.values(one))))
        .join("\n"),
  });

  app.route("/", makeStatus({ served, shadows, metrics, version }));
  return app;
}

/** The known route that a request matched: metrics must not grow with requested paths. */
function routeOf(c: Context): string {
  const known = [
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/responses",
    "/v1/embeddings",
    "/v1/classify",
    "/v1/models",
    "/health",
    "/metrics",
    "/",
  ];
  return known.find((path) => path === c.req.path) ?? "other";
}
