// The second specialist of a pair: it answers what the first one answered, after it and never in its way.

import type { z } from "zod";
import { answerOne, type Classified, type classifySchema, inputsOf, type ToAnswer } from "./classify.js";
import type { Served } from "./served.js";
import type { ShadowLog } from "./shadow.js";

type Asked = z.infer<typeof classifySchema>;

export interface Shadow {
  pair: string;
  take: (asked: Asked, answers: readonly Classified[]) => void;
  /** Records on disk since the start. */
  written: () => number;
  /** Waits for what is under way. */
  close: () => Promise<void>;
}

/** Second answers that wait; beyond that they are left out, so that a slow shadow cannot fill memory. */
const mostWaiting = 1_000;

/**
 * @param primary what answers the request
 * @param second what answers beside it
 */
export function makeShadow(
  primary: Served,
  second: Served,
  log: ShadowLog,
  options: { signal: AbortSignal; tell: (text: string) => void; failed: () => void },
): Shadow {
  const underWay = new Set<Promise<void>>();
  let written = 0;
  let told = false;
  const both = async (asked: Asked, input: ToAnswer, first: Classified, gold: string | undefined) => {
    const answer = () => answerOne(second, asked, input, 0, options.signal);
    const { prediction } = await second.queue.run(options.signal, answer);
    const said = (one: Classified["prediction"]) => one.label ?? one.text ?? "";
    await log.write({
      id: first.id,
      task: primary.predictor?.saved.task.name ?? primary.id,
      ...(gold === undefined ? {} : { gold }),
      answers: { [primary.id]: said(first.prediction), [second.id]: said(prediction) },
      input: first.input,
      at: new Date().toISOString(),
    });
    written++;
  };
  return {
    pair: second.id,
    take(asked, answers) {
      const inputs = inputsOf(asked);
      const golds = Array.isArray(asked.gold) ? asked.gold : [asked.gold];
      for (const [i, first] of answers.entries()) {
        if (underWay.size >= mostWaiting) {
          options.failed();
          if (!told) options.tell(`The shadow ${second.id} does not keep up: answers of it are left out.`);
          told = true;
          return;
        }
        const one: Promise<void> = both(asked, inputs[i] as ToAnswer, first, golds[i] ?? undefined)
          .catch((error: unknown) => {
            options.failed();
            if (!options.signal.aborted) options.tell(`The shadow ${second.id} failed: ${String(error)}`);
          })
          .finally(() => underWay.delete(one));
        underWay.add(one);
      }
    },
    written: () => written,
    async close() {
      await Promise.allSettled(underWay);
      await log.close();
    },
  };
}
