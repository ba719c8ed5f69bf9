// Answers as server-sent events, and the text of an answer as pieces that are final when they are sent.

import type { Context } from "hono";
import { stream } from "hono/streaming";
import { type Problem, problemBody } from "./problem.js";

export type Send = (data: unknown, event?: string) => void;

/**
 * Answers with a stream of events. It begins with the first event, or when the answer is complete: an earlier failure is an
 * ordinary error response with its status. A later failure is sent as an event with the error, and the stream ends without `[DONE]`.
 * @param run sends events; its signal is aborted when the client goes away
 * @param problem converts anything thrown into the error shown
 */
export async function events(
  c: Context,
  gone: AbortController,
  run: (send: Send) => Promise<void>,
  problem: (error: unknown) => Problem,
  done: string | undefined,
): Promise<Response> {
  const held: string[] = [];
  let out: { write: (text: string) => Promise<unknown>; aborted: boolean } | undefined;
  let written: Promise<unknown> = Promise.resolve();
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const put = (text: string) => {
    if (!out) {
      held.push(text);
      begin();
      return;
    }
    const to = out;
    written = written
      // Nobody takes what is written to a client that went away.
      .then(() => (to.aborted ? undefined : to.write(text)))
      .catch(() => gone.abort());
  };
  const send: Send = (data, event) =>
    put(`${event === undefined ? "" : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`);
  const running = run(send).then(() => {
    if (done !== undefined) put(`data: ${done}\n\n`);
  });
  // Errors are handled below, here or in the stream.
  running.catch(() => {});
  await Promise.race([begun, running]);
  c.header("content-type", "text/event-stream; charset=utf-8");
  c.header("x-accel-buffering", "no");
  return stream(c, async (body) => {
    body.onAbort(() => gone.abort());
    out = body;
    for (const text of held.splice(0)) put(text);
    try {
      await running;
    } catch (error) {
      send(problemBody(problem(error)), done === undefined ? "error" : undefined);
    }
    await written;
  });
}

/**
 * Turns the growing text of an answer into pieces. A possible beginning of a stop sequence and half a character are held back.
 * @param put receives each piece
 * @returns `grow` with the text so far, and `end` with the whole of it
 */
export function pieces(stops: readonly string[], put: (piece: string) => void) {
  let sent = 0;
  return {
    grow(text: string): void {
      let safe = text.length;
      while (safe > sent && text[safe - 1] === "\ufffd") safe--;
      for (const stop of stops)
        for (let n = Math.min(stop.length - 1, safe); n > 0; n--)
          if (stop.startsWith(text.slice(safe - n, safe))) {
            safe -= n;
            break;
          }
      if (safe <= sent) return;
      put(text.slice(sent, safe));
      sent = safe;
    },
    end(text: string): void {
      if (text.length > sent) put(text.slice(sent));
      sent = text.length;
    },
  };
}
