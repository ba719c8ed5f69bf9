// Fits and evaluates branches: each is fitted without a part of train and evaluated on that part; the returned ones are
// fitted on all of train and evaluated on dev. Results are kept until the build is saved, so that a killed search pays for
// nothing twice.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isWhole } from "../../../core/artifacts.js";
import { CallError } from "../../../core/call.js";
import { fingerprint, type Json } from "../../../core/json.js";
import type { LanguageSubject } from "../../../core/kinds.js";
import { directionOf } from "../../../core/metric.js";
import { writeWhole } from "../../../core/place.js";
import type { Sample } from "../../../core/sample.js";
import type { Spent } from "../../../core/search.js";
import type { Given, LanguageSpecializer } from "../../../core/specializer.js";
import { partOf } from "../stack/folds.js";
import { added, type Meter, nothing } from "./meter.js";

/** How a branch answered a sample: its score, higher being better, null where none was given; the options' natural-log scores. */
export interface Answered {
  score: number | null;
  options: Record<string, number> | null;
}

/** What a branch is fitted on, and what it is then evaluated on. */
export interface Part {
  name: string;
  train: readonly Sample[];
  asked: readonly Sample[];
}

/** A branch's work in a part. */
export interface Work {
  state: Json;
  specialist: LanguageSubject;
  rows: Answered[];
  spent: { fit: Spent; ask: Spent };
}

export interface Lab {
  /** Fits a branch without a part and evaluates it on the part's first samples; nothing is redone. @throws BudgetEnded */
  work: (specializer: LanguageSpecializer, part: Part, count: number) => Promise<Work>;
  /** The work of a branch in a part so far. */
  known: (specializer: LanguageSpecializer, part: Part) => Work | undefined;
}

/** Number of samples between two saves of the answers. */
const block = 32;

export async function openLab(meter: Meter): Promise<Lab> {
  const { subject, given } = meter;
  const folder = await given.artifacts.scratch("search");
  const tools = { encoder: given.encoder, artifacts: given.artifacts };
  const all = new Map<string, Work>();
  const keyOf = ({ name, options }: LanguageSpecializer, { train, asked }: Part): string =>
    fingerprint(
      [
        subject.id,
        given.task.id,
        given.seed,
        name,
        options,
        ...[train, given.dev, asked].map((of) => of.map(({ id }) => id)),
      ],
      32,
    );
  const read = async <T>(path: string): Promise<T | undefined> =>
    existsSync(path) ? (JSON.parse(await readFile(path, "utf8")) as T) : undefined;
  const write = (path: string, value: unknown) => writeWhole(path, JSON.stringify(value));

  const made = async (specializer: LanguageSpecializer, part: Part): Promise<Work> => {
    const key = keyOf(specializer, part);
    const known = all.get(key);
    if (known) return known;
    const path = join(folder, `${key}.fit.json`);
    const kept = await read<{ state: Json; spent: Spent }>(path);
    const note = `${specializer.label}, ${part.name}`;
    let fit = kept;
    if (fit && isWhole(fit.state, given.artifacts)) meter.recall(`${key} fit`, fit.spent);
    else {
      const { result: state, spent } = await meter.run(() =>
        specializer.fit(meter.subject, partOf(meter.given, `search ${key}`, part.train, note)),
      );
      fit = { state, spent };
      await write(path, fit);
    }
    const rows = await read<{ rows: Answered[]; spent: Spent }>(join(folder, `${key}.rows.json`));
    if (rows) meter.recall(`${key} rows`, rows.spent);
    const work: Work = {
      state: fit.state,
      specialist: meter.guarded(specializer.apply(meter.subject, fit.state, tools) as LanguageSubject),
      rows: rows?.rows ?? [],
      spent: { fit: fit.spent, ask: rows?.spent ?? nothing },
    };
    all.set(key, work);
    return work;
  };

  return {
    known: (specializer, part) => all.get(keyOf(specializer, part)),
    work: async (specializer, part, count) => {
      const work = await made(specializer, part);
      const path = join(folder, `${keyOf(specializer, part)}.rows.json`);
      const upTo = Math.min(count, part.asked.length);
      while (work.rows.length < upTo) {
        const samples = part.asked.slice(work.rows.length, Math.min(upTo, work.rows.length + block));
        const { result, spent } = await meter.run(() => askAll(work.specialist, samples, meter.given));
        work.rows.push(...result);
        work.spent.ask = added(work.spent.ask, spent);
        await write(path, { rows: work.rows, spent: work.spent.ask });
        given.progress(work.rows.length, upTo, `${specializer.label}, ${part.name}`);
      }
      return work;
    },
  };
}

async function askAll(
  specialist: LanguageSubject,
  samples: readonly Sample[],
  { task, context }: Given,
): Promise<Answered[]> {
  const width = Math.max(1, specialist.model?.concurrency ?? 1);
  const rows: Answered[] = [];
  for (let start = 0; start < samples.length; start += width) {
    context.signal.throwIfAborted();
    const batch = await Promise.allSettled(
      samples.slice(start, start + width).map((sample) => askOne(specialist, sample, { task, context })),
    );
    // What is in flight is finished first.
    for (const one of batch) {
      if (one.status === "rejected") throw one.reason;
      rows.push(one.value);
    }
  }
  return rows;
}

/** Evaluates one sample, and records the options' scores behind the grade. */
export async function askOne(
  specialist: LanguageSubject,
  sample: Sample,
  { task, context }: Pick<Given, "task" | "context">,
): Promise<Answered> {
  let options: Answered["options"] = null;
  const heard: LanguageSubject = {
    ...specialist,
    respond: async (query, asked) => {
      const answer = await specialist.respond(query, asked);
      options = answer.scores && Object.keys(answer.scores).length > 0 ? { ...answer.scores } : null;
      return answer;
    },
  };
  try {
    const grade = await task.evaluate(heard, sample, context);
    return {
      score: grade.status === "scored" ? directionOf(task.metric) * grade.score : null,
      options,
    };
  } catch (error) {
    // A call that failed after its retries leaves this sample unscored; anything else is a fault.
    if (error instanceof CallError) return { score: null, options: null };
    throw error;
  }
}
