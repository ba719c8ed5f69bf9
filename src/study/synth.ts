// Makes synthetic data without training on it: from a study's task, model and seeds, into a folder that others can train on.

import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { HoneError } from "../core/errors.js";
import type { LanguageSubject, Subject } from "../core/kinds.js";
import type { Given } from "../core/specializer.js";
import type { SyntheticCard } from "../core/synthetic.js";
import { hasQueries, taskContext } from "../core/task.js";
import { openModel } from "../models/registry.js";
import { writeSyntheticPage } from "../report/synthetic.js";
import { dataFiles, type MakeOptions, makeData, makeShape } from "../specializers/data/parts/make.js";
import { asChat, asInstruction, type Pair } from "../specializers/data/parts/pair.js";
import { readUnlabelled } from "../specializers/data/parts/seeds.js";
import { readOptions } from "../specializers/parts/options.js";
import { openArtifacts } from "../store/artifacts.js";
import { openJournalWhenFree } from "../store/journal.js";
import { journaled } from "../store/journaled.js";
import { lockStudy } from "../store/lock.js";
import { requireStore } from "../store/place.js";
import { tasks } from "../tasks/index.js";
import { Draining, makeBudget } from "./budget.js";
import { begin } from "./kinds.js";
import { modelOpener } from "./prepare.js";
import { prepareTask } from "./prepare-task.js";
import type { RunOptions } from "./run.js";
import type { StudySpec } from "./spec.js";

export interface SynthOptions
  extends Pick<RunOptions, "store" | "base" | "signal" | "drain" | "maxUsd" | "maxSeconds" | "open"> {
  out: string;
  by: "instructions" | "inputs" | "labels";
  /** Rows to be labelled, for `labels`. */
  rows?: string;
  /** Replaces options of the study's first `selfSpecialize` one by one. */
  options: Readonly<Record<string, unknown>>;
  seed?: number;
  onProgress?: (done: number, total: number, note: string) => void;
  onWarning?: (text: string) => void;
}

export interface SynthResult {
  /** Null if it was stopped before the end. */
  card: SyntheticCard | null;
  folder: string;
  /** Names of the folder's files. */
  files: string[];
  /** Why it was stopped, by a limit or by hand; the same command continues. */
  stopped: string | null;
}

/**
 * Makes data from a study's task and model, or continues where it was stopped: every call is in the store's journal.
 * @throws HoneError for a task without queries, seeds or rows that cannot be read, and if nothing passes the filter
 */
export async function synthesizeFor(spec: StudySpec, options: SynthOptions): Promise<SynthResult> {
  const store = resolve(options.store ?? ".hone");
  requireStore(store);
  const base = resolve(options.base ?? ".");
  const signal = options.signal ?? new AbortController().signal;
  const folder = resolve(options.out);
  const budget = makeBudget(options);
  const warn = options.onWarning ?? (() => {});
  const journal = await openJournalWhenFree(join(store, "journal.db"), { signal, onWait: warn });
  const models = modelOpener(
    { signal, open: options.open ?? ((ref) => openModel(ref, { signal })) },
    (model) => {
      budget.expect(model);
      return journaled(model, journal, budget);
    },
  );
  let unlock: (() => void) | undefined;
  try {
    unlock = await lockStudy(journal, `synthetic data ${folder}`, {
      signal,
      onWait({ pid, host, first }) {
        if (first) warn(`Process ${pid} on ${host} is writing this folder; waiting for it.`);
      },
    });
    const domain = await prepareTask(spec.task, tasks, { base, signal }, () => {});
    const { task, dataset } = domain;
    if (!hasQueries(task)) throw noQueries(task.name);
    const context = taskContext(signal, {
      seed: options.seed ?? (spec.seeds[0] as number),
      open: async (ref) => ({
        subject: (await models.open(ref).then((one) => begin(one))) as Subject,
        context: { signal },
      }),
    });
    const given: Given = {
      task,
      train: dataset.train,
      dev: dataset.dev,
      seed: context.seed,
      encoder: () => models.encoder(spec.encoder),
      artifacts: openArtifacts(join(store, "artifacts")),
      ...(dataset.screen ? { screen: dataset.screen } : {}),
      base,
      context,
      progress: (done, total, note) => options.onProgress?.(done, total, note ?? ""),
    };
    const subject = begin(await models.open(spec.model)) as LanguageSubject;
    const rows = options.rows === undefined ? undefined : await readUnlabelled(options.rows, given);
    await mkdir(folder, { recursive: true });
    const chosen = optionsOf(
      spec,
      rows === undefined ? options.options : { ...options.options, pairs: rows.length },
    );
    const { card } = await makeData(folder, {
      options: chosen,
      by: options.by,
      base: subject,
      given,
      ...(rows ? { rows } : {}),
    });
    await writeForms(folder);
    await writeFile(join(folder, "README.md"), cardMarkdown(card, spec.study));
    await writeSyntheticPage(folder, spec.study, card, join(folder, dataFiles.pairs));
    return {
      card,
      folder,
      files: [...Object.values(dataFiles), ...forms.map(([name]) => name), "README.md", "index.html"],
      stopped: null,
    };
  } catch (error) {
    if (!(error instanceof Draining)) throw error;
    return { card: null, folder, files: [], stopped: error.message };
  } finally {
    unlock?.();
    await models.close();
    journal.close();
  }
}

/** The options of the study's first `selfSpecialize` that concern making data, with `others` overriding them. */
function optionsOf(spec: StudySpec, others: Readonly<Record<string, unknown>>): MakeOptions {
  const found = spec.specialists
    .flat()
    .find(
      (one): one is { selfSpecialize: Record<string, unknown> } =>
        typeof one === "object" && one !== null && "selfSpecialize" in one,
    );
  const own = Object.entries(found?.selfSpecialize ?? {}).filter(([name]) => Object.hasOwn(makeShape, name));
  return readOptions(
    z.strictObject(makeShape),
    "hone data synth",
    { ...Object.fromEntries(own), ...others },
    "options",
  );
}

const forms = [
  ["chat.jsonl", asChat],
  ["instructions.jsonl", asInstruction],
] as const;

/** Writes the kept pairs in the formats that training tools read, line by line. */
async function writeForms(folder: string): Promise<void> {
  const outs = forms.map(([name, form]) => ({
    form,
    stream: createWriteStream(join(folder, name), { mode: 0o600 }),
  }));
  const input = createInterface({
    input: createReadStream(join(folder, dataFiles.pairs)),
    crlfDelay: Infinity,
  });
  for await (const line of input) {
    const { pair } = JSON.parse(line) as { pair: Pair };
    for (const { form, stream } of outs)
      if (!stream.write(`${JSON.stringify(form(pair))}\n`)) await once(stream, "drain");
  }
  for (const { stream } of outs) {
    stream.end();
    await once(stream, "finish");
  }
}

/** The card for readers who get the folder alone. */
function cardMarkdown(card: SyntheticCard, study: string): string {
  const list = (items: readonly [string | number, number][]) =>
    items.map(([name, n]) => `${String(name).replaceAll("|", "\\|").replace(/\s+/g, " ")} ${n}`).join(", ") ||
    "–";
  const { sampling, diversity, overlap, tokens, lengths } = card;
  const who = card.self
    ? "Written and answered by the model that is to be trained on it (self-specialization)."
    : `Written by ${card.writers.join(", ")}${card.responders.length > 0 ? `, answered by ${card.responders.join(", ")}` : ""} (for another model: distillation).`;
  return `# Synthetic data: ${study}

${card.pairs} pairs of ${card.attempts} attempts (${card.way}${card.domain ? `, ${card.domain}` : ""}). ${who}
Sampled at temperature ${sampling.temperature}, top-p ${sampling.topP}, seed ${sampling.seed}, after ${card.seeds} seeds; ${tokens.read} tokens read, ${tokens.written} written.

| file | what |
|---|---|
| pairs.jsonl | each kept pair with its lineage: seeds, passages, models, sampling, calls, decisions |
| refused.jsonl | every other attempt, with the rule that refused it |
| chat.jsonl, instructions.jsonl | the pairs as chat messages, and as instruction, input and output |
| card.json | what this page says, for programs |

| rule | met | refused | reasons |
|---|---:|---:|---|
${card.funnel.map(({ rule, met, refused, reasons }) => `| ${rule} | ${met} | ${refused} | ${list(reasons)} |`).join("\n")}

- Forms: ${list(card.forms)}
- Answers: ${list(card.answers)}
- Topics: ${list(card.topics)}
- Instructions: ${card.instructions.distinct} different; ${list(card.instructions.commonest)}
- Words asked (from, pairs): ${list(lengths.asked)}
- Words of responses: ${list(lengths.response)}
- Diversity: ${diversity.words} different words, distinct-1 ${diversity.distinct1.toFixed(3)}, distinct-2 ${diversity.distinct2.toFixed(3)}
- Refused for repeating dev ${overlap.dev}, test ${overlap.test}; ${overlap.passages} pairs were answered with passages.
`;
}

function noQueries(name: string): HoneError {
  return new HoneError({
    what: "No data can be written for this task",
    where: `task ${name}`,
    why: "it asks no questions in words",
    next: "Name a study with a choice or answer task.",
    kind: "usage",
  });
}
