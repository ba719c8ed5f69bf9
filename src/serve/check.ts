// Checks that the served champion is the measured one: samples on which it was measured are sent over HTTP, and the answers are
// compared with the journal.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { cameBackUnusable } from "../core/language.js";
import type { Outcome } from "../core/outcome.js";
import { resultOf } from "../store/studies.js";
import { openStore } from "../study/open.js";
import type { Serving } from "./server.js";

export interface ServedCheck {
  model: string;
  /** Samples sent again, and those of them with the same prediction. */
  n: number;
  agree: number;
  /** Ids of samples with another prediction. */
  differing: string[];
}

/**
 * Sends samples of the test split to a served study's champion again.
 * @param name under which the study is served
 * @returns undefined if the store has no finished study of that name, or something else than its champion is served
 */
export async function checkServed(
  serving: Pick<Serving, "url" | "token">,
  name: string,
  options: {
    store: string;
    /** The study's own name. Default: `name`. */
    study?: string;
    /** How many samples. */
    most: number;
    /** Asks for no further sample. */
    signal?: AbortSignal;
  },
): Promise<ServedCheck | undefined> {
  if (!existsSync(join(options.store, "journal.db"))) return undefined;
  const journal = openStore(options.store);
  try {
    const row = journal.study(options.study ?? name);
    const record = row && resultOf(row, journal.path);
    const champion = record?.subjects.find(({ name: one }) => one === record.verdict?.champion);
    const task = record?.tasks[0];
    if (!champion || !task) return undefined;
    // A folder served under the study's name may hold another of its subjects.
    const served = await fetch(`${serving.url}/v1/models`, {
      headers: { authorization: `Bearer ${serving.token}` },
    });
    const { data = [] } = (await served.json()) as { data?: { id: string; specialist?: string }[] };
    if (data.find(({ id }) => id === name)?.specialist !== champion.name) return undefined;
    const seed = record.handOver?.seed ?? champion.seeds[0];
    const subject = record.handOver?.subject ?? champion.ids[0];
    if (subject === undefined) return undefined;
    const asked: { outcome: Outcome; sample: unknown }[] = [];
    for (const outcome of journal.outcomes({ subject, task: task.key, split: "test" })) {
      if (asked.length >= options.most) break;
      const text = outcome.seed === seed ? journal.sample(task.key, outcome.sample) : undefined;
      if (text !== undefined && outcome.grade.status === "scored")
        asked.push({ outcome, sample: JSON.parse(text) });
    }
    const check: ServedCheck = { model: name, n: 0, agree: 0, differing: [] };
    for (const { outcome, sample } of asked) {
      if (options.signal?.aborted) break;
      const response = await fetch(`${serving.url}/v1/classify`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${serving.token}` },
        body: JSON.stringify({ model: name, samples: [sample] }),
      });
      const body = (await response.json()) as {
        data?: { label?: string; text?: string; unscored?: string }[];
      };
      const [said] = body.data ?? [];
      const { grade } = outcome;
      // An open answer is compared by its text, a choice by its key.
      const measured = grade.status === "scored" ? [grade.prediction, grade.raw?.trim()] : [];
      // A call that failed is no answer; one that came back unusable was measured as empty.
      const failed = said?.unscored !== undefined && !cameBackUnusable.includes(said.unscored);
      const equal = said !== undefined && !failed && measured.includes(said.label ?? said.text?.trim() ?? "");
      check.n++;
      if (equal) check.agree++;
      else check.differing.push(outcome.sample);
    }
    return check;
  } finally {
    journal.close();
  }
}
