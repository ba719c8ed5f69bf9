// Fits and evaluates branches: each is fitted without a part of train and evaluated on that part; the returned ones are
// fitted on all of train and evaluated on dev. Results are kept until the build is saved, so that a killed search pays for
// nothing twice; a resumed one is shown a kept answer, and its cost, only where it asks for it, and so takes the same course.

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
  /** What the branch has spent in the part, also on a fit that the budget ended. */
  spent: (specializer: LanguageSpecializer, part: Part) => Spent;
}

/** Samples that were answered together, as they are saved. */
type Block = { rows: Answered[]; spent: Spent };
/**
 * `blocks` are those of `rows`, then those that a killed process saved and that were not asked for yet; with `whole` no call of theirs
 * failed, and they are saved.
 */
type Kept = Work & { blocks: Block[]; shown: number; whole: boolean };

/** Number of samples between two saves of the answers. */
const block = 32;

export async function openLab(meter: Meter): Promise<Lab> {
  const { subject, given } = meter;
  const folder = await given.artifacts.scratch("search");
  const tools = { encoder: given.encoder, artifacts: given.artifacts };
  const all = new Map<string, Kept>();
  const lost = new Map<string, Spent>();
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
  const blocksOf = (key: string) => join(folder, `${key}.blocks.json`);

  /** Runs a piece of a branch's work; what it spends is counted also if it fails. `whole`: no call of it failed. */
  const run = async <T>(key: string, work: () => Promise<T>) => {
    const before = meter.spent();
    const lostBefore = meter.lost();
    try {
      const found = await meter.run(work);
      return { ...found, whole: meter.lost() === lostBefore };
    } catch (error) {
      lost.set(key, added(lost.get(key) ?? nothing, added(meter.spent(), before, -1)));
      throw error;
    }
  };

  const made = async (specializer: LanguageSpecializer, part: Part, key: string): Promise<Kept> => {
    const known = all.get(key);
    if (known) return known;
    const path = join(folder, `${key}.fit.json`);
    const kept = await read<{ state: Json; spent: Spent }>(path);
    const note = `${specializer.label}, ${part.name}`;
    let fit = kept;
    if (fit && isWhole(fit.state, given.artifacts)) meter.recall(`${key} fit`, fit.spent);
    else {
      const made = await run(key, () =>
        specializer.fit(meter.subject, partOf(meter.given, `search ${key}`, part.train, note)),
      );
      fit = { state: made.result, spent: made.spent };
      if (made.whole) await write(path, fit);
    }
    const work: Kept = {
      state: fit.state,
      specialist: meter.guarded(specializer.apply(meter.subject, fit.state, tools) as LanguageSubject),
      rows: [],
      spent: { fit: fit.spent, ask: nothing },
      blocks: (await read<Block[]>(blocksOf(key))) ?? [],
      shown: 0,
      whole: true,
    };
    all.set(key, work);
    return work;
  };

  return {
    known: (specializer, part) => all.get(keyOf(specializer, part)),
    spent: (specializer, part) => {
      const key = keyOf(specializer, part);
      const { fit, ask } = all.get(key)?.spent ?? { fit: nothing, ask: nothing };
      return added(added(fit, ask), lost.get(key) ?? nothing);
    },
    work: async (specializer, part, count) => {
      const key = keyOf(specializer, part);
      const work = await made(specializer, part, key);
      const upTo = Math.min(count, part.asked.length);
      while (work.rows.length < upTo) {
        const from = work.rows.length;
        let next = work.blocks[work.shown];
        if (next && from + next.rows.length <= upTo) meter.recall(`${key} from ${from}`, next.spent);
        else {
          const samples = part.asked.slice(from, Math.min(upTo, from + block));
          const asked = await run(key, () => askAll(work.specialist, samples, meter.given));
          next = { rows: asked.result, spent: asked.spent };
          work.blocks.splice(work.shown, work.blocks.length, next);
          work.whole &&= asked.whole;
          if (work.whole) await write(blocksOf(key), work.blocks);
        }
        work.shown++;
        work.rows.push(...next.rows);
        work.spent.ask = added(work.spent.ask, next.spent);
        meter.progress(work.rows.length, upTo, `${specializer.label}, ${part.name}`);
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

/**
 * Evaluates one sample, and records the options' scores behind the grade: only if they are of the sample's own query, and of no
 * other. A game asks several, and its answers cannot be pooled sample by sample.
 */
export async function askOne(
  specialist: LanguageSubject,
  sample: Sample,
  { task, context }: Pick<Given, "task" | "context">,
): Promise<Answered> {
  let options: Answered["options"] = null;
  let queries = 0;
  const own = JSON.stringify(task.query(sample));
  const heard: LanguageSubject = {
    ...specialist,
    respond: async (query, asked) => {
      const answer = await specialist.respond(query, asked);
      queries++;
      const usable = queries === 1 && JSON.stringify(query) === own;
      options = usable && Object.keys(answer.scores ?? {}).length > 0 ? { ...answer.scores } : null;
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
