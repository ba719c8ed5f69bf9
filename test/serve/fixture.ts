// Servers for tests: over mock models, and over a small study's specialists.

import { join } from "node:path";
import { type ServeOptions, type Serving, serve } from "../../src/serve/server.js";
import { runStudy } from "../../src/study/run.js";
import { toneSpec, writeTones } from "../study/fixture.js";

// biome-ignore lint/suspicious/noExplicitAny: bodies are read as they come, and what is not there fails the test
export type Loose = any;

export interface Asking extends Serving {
  /** One request with the token. */
  ask: (path: string, body?: unknown, init?: RequestInit) => Promise<Response>;
  json: (path: string, body?: unknown) => Promise<{ status: number; body: Loose }>;
}

export async function serving(refs: string[], options: ServeOptions = {}): Promise<Asking> {
  const started = await serve(refs, options);
  const ask: Asking["ask"] = (path, body, init = {}) =>
    fetch(`${started.url}${path}`, {
      ...(body === undefined
        ? {}
        : { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) }),
      ...init,
      headers: {
        authorization: `Bearer ${started.token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(init.headers as Record<string, string>),
      },
    });
  const json: Asking["json"] = async (path, body) => {
    const response = await ask(path, body);
    return { status: response.status, body: await response.json() };
  };
  return { ...started, ask, json };
}

/** Runs a study of tones in a folder; its champion is `linear`. */
export async function toneStore(
  folder: string,
  name = "tones",
  specialists: unknown[] = ["linear", "majority"],
) {
  writeTones(join(folder, "tones.jsonl"), 300);
  const spec = toneSpec({ name, model: "mock:?skill=0.4&seed=1", specialists });
  return runStudy(spec, { store: join(folder, ".hone"), base: folder });
}

/** The events of a stream, as they came. */
export async function eventsOf(response: Response): Promise<{ event?: string; data: Loose }[]> {
  const blocks = (await response.text()).split("\n\n").filter((block) => block !== "");
  return blocks.map((block) => {
    const line = (name: string) =>
      block
        .split("\n")
        .find((one) => one.startsWith(`${name}: `))
        ?.slice(name.length + 2);
    const data = line("data") ?? "";
    const event = line("event");
    return { ...(event === undefined ? {} : { event }), data: data === "[DONE]" ? data : JSON.parse(data) };
  });
}
