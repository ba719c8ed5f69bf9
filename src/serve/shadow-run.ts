// The second of a shadow pair: answers the requests that the first has answered, without delaying it.

import type { z } from "zod";
import { answerOne, type Classified, type classifySchema, inputsOf, type ToAnswer } from "./classify.js";
import type { Served } from "./served.js";
import type { ShadowLog, ShadowRecord } from "./shadow.js";
import { type Exchange, type Written, write } from "./write.js";

type Asked = z.infer<typeof classifySchema>;

export interface Shadow {
  pair: string;
  /** Takes a classification request; if the second one only writes there is nothing to compare. */
  take: (asked: Asked, answers: readonly Classified[]) => void;
  takeChat: (asked: { task?: unknown; gold?: unknown }, exchange: Exchange) => void;
  /** Records on disk since the start, and answers that failed or were left out. */
  written: () => number;
  failed: () => number;
  /** Waits for answers in flight. */
  close: () => Promise<void>;
}

/** Most second answers that wait; more are dropped, so that a slow shadow cannot fill memory. */
const mostWaiting = 1_000;

/**
 * @param primary answers the request
 * @param second answers beside it
 */
export function makeShadow(
  primary: Served,
  second: Served,
  log: ShadowLog,
  options: { signal: AbortSignal; tell: (text: string) => void },
): Shadow {
  const underWay = new Set<Promise<void>>();
  let written = 0;
  let failed = 0;
  let told = false;
  const keep = async (record: Omit<ShadowRecord, "kind" | "at">): Promise<void> => {
    await log.write({ kind: "shadow", ...record, at: new Date().toISOString() });
    written++;
  };
  const taskOf = (task?: unknown) =>
    typeof task === "string" && task !== "" ? task : (primary.predictor?.saved.task.name ?? primary.id);
  const classifyToo = async (asked: Asked, input: ToAnswer, first: Classified, gold: string | null) => {
    const answer = () => answerOne(second, asked, input, 0, options.signal);
    const { prediction } = await second.queue.run(options.signal, answer);
    const said = (one: Classified["prediction"]) => one.label ?? one.text ?? "";
    await keep({
      id: first.id,
      task: taskOf(),
      gold,
      answers: { [primary.id]: said(first.prediction), [second.id]: said(prediction) },
      input: first.input,
    });
  };
  const chatToo = async (
    { messages, how, form, written: first, id }: Exchange,
    task: string,
    gold: string | null,
  ) => {
    const answer = () => write(second, { messages, form }, how, options.signal);
    const other = await second.queue.run(options.signal, answer);
    const said = ({ text, calls }: Pick<Written, "text" | "calls">) =>
      calls ? JSON.stringify(calls.map((call) => ({ name: call.name, arguments: call.arguments }))) : text;
    await keep({
      ...{ id, task, gold },
      answers: { [primary.id]: said(first), [second.id]: said(other) },
      input: messages.findLast(({ role }) => role === "user")?.content ?? "",
      ...(messages.length > 1 ? { messages } : {}),
    });
  };
  const begin = (work: () => Promise<void>): void => {
    if (underWay.size >= mostWaiting) {
      failed++;
      if (!told) options.tell(`The shadow ${second.id} does not keep up: some of its answers are left out.`);
      told = true;
      return;
    }
    const one: Promise<void> = work()
      .catch((error: unknown) => {
        failed++;
        if (!options.signal.aborted) options.tell(`The shadow ${second.id} failed: ${String(error)}`);
      })
      .finally(() => underWay.delete(one));
    underWay.add(one);
  };
  return {
    pair: second.id,
    take(asked, answers) {
      if (!second.predictor) return;
      const inputs = inputsOf(asked);
      const golds = Array.isArray(asked.gold) ? asked.gold : [asked.gold];
      for (const [i, first] of answers.entries())
        begin(() => classifyToo(asked, inputs[i] as ToAnswer, first, golds[i] ?? null));
    },
    takeChat({ task, gold }, exchange) {
      begin(() => chatToo(exchange, taskOf(task), typeof gold === "string" ? gold : null));
    },
    written: () => written,
    failed: () => failed,
    async close() {
      await Promise.allSettled(underWay);
      await log.close();
    },
  };
}
