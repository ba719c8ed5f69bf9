// What a run would do and cost, found by running it with models that only count. Test stays sealed: its part is
// estimated from dev.

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { TaskCard } from "../core/record.js";
import { taskContext } from "../core/task.js";
import { formatCost, formatDuration, formatWhole } from "../report/format.js";
import { openArtifacts } from "../store/artifacts.js";
import { openJournal } from "../store/journal.js";
import { callKey } from "../store/journaled.js";
import { makeBudget } from "./budget.js";
import { type Asked, type CountedCall, counting } from "./counting.js";
import {
  answerEffort,
  asksWhileTrained,
  bytesPerToken,
  ceilingSeconds,
  fitSeconds,
  needsTraining,
  readingSeconds,
} from "./effort.js";
import { fitArm } from "./fit.js";
import { prepareStudy } from "./prepare.js";
import type { StudySpec } from "./spec.js";
import { tooLongWarning } from "./warnings.js";

/** Usual bytes per token: for telling which prompts are too long when only the provider can count tokens. */
const usualBytesPerToken = 4;

export interface PlannedSubject {
  subject: string;
  seeds: number;
  /** On test estimated from the mean on dev. A call that several subjects share, or the choice of a way of asking, counts for each. */
  calls: { fit: number; dev: number; test: number };
  /** Estimates over all of it; those of a specializer that chooses among several are for what it chose in the dry run. */
  tokens: number;
  usd: number;
  /** About how long its trainings and its answers take on this machine; null if unknown. */
  seconds: { training: number | null; answers: number | null };
}

export interface StudyPlan {
  type: "plan";
  study: string;
  model: string;
  tasks: TaskCard[];
  subjects: PlannedSubject[];
  calls: number;
  tokens: number;
  usd: number;
  /** False if the price of the model's tokens is unknown. */
  priced: boolean;
  /** Calls on dev to find the best way of prompting the generalist. */
  asking: number;
  /** How many of the fit and dev calls the journal already holds. */
  inJournal: number;
  /** Seconds of training and of answers, where they are known for every subject. */
  seconds: { training: number | null; answers: number | null };
  /** Warnings from the data, and from the length of their prompts. */
  warnings: string[];
}

interface Tally {
  calls: number;
  tokens: number;
  usd: number;
}

export async function planStudy(
  spec: StudySpec,
  options: { store: string; base: string },
): Promise<StudyPlan> {
  const signal = new AbortController().signal;
  const path = join(resolve(options.store), "journal.db");
  // A dry run leaves nothing behind, not even an empty store.
  const known = openJournal(existsSync(path) ? path : ":memory:");
  const scratch = openJournal(":memory:");
  const artifacts = openArtifacts();
  let tally: Tally = { calls: 0, tokens: 0, usd: 0 };
  let inJournal = 0;
  let priced = true;
  /** Whether a prompt exceeded the context since this was last unset; and whether the model's own tokens were counted. */
  let long: { exact: boolean } | undefined;
  const measure = async ({ contextTokens, weights }: Asked, prompt: CountedCall["prompt"]) => {
    // Hardly any token is shorter than a byte, so most prompts need no counting.
    if (!prompt || contextTokens === undefined) return;
    const bytes = Buffer.byteLength(prompt.text);
    if (bytes + prompt.room <= contextTokens) return;
    const tokens = weights
      ? (await weights.tokenize(prompt.request)).prompt.length
      : Math.ceil(bytes / usualBytesPerToken);
    if (tokens + prompt.room > contextTokens) long = { exact: weights !== undefined };
  };
  const count = <M extends Asked>(model: M): M => {
    if (!model.price && model.id.startsWith("openai:")) priced = false;
    return counting(model, async ({ model: asked, operation, request, text, output, prompt }) => {
      await measure(asked, prompt);
      const input = Math.ceil(Buffer.byteLength(text) / bytesPerToken);
      if (known.call(callKey(asked.id, operation, request))) inJournal++;
      tally.calls++;
      tally.tokens += input + output;
      tally.usd += asked.price ? (input * asked.price.input + output * asked.price.output) / 1e6 : 0;
      return { calls: 1, inputTokens: input, outputTokens: output, ms: 0, usd: 0 };
    });
  };
  try {
    const study = await prepareStudy(spec, {
      base: resolve(options.base),
      signal,
      journal: scratch,
      artifacts,
      budget: makeBudget(),
      wrap: count,
    });
    try {
      const { domain, elsewhere, arms } = study;
      const tests = [domain, ...elsewhere].reduce((sum, { card }) => sum + card.counts.test, 0);
      const asking = { ...tally };
      const subjects: PlannedSubject[] = [];
      const warnings = [...study.warnings];
      const asked = study.generalist.kind === "language" ? study.generalist.model : undefined;
      for (const { name, specializer, seeds } of arms) {
        const ceiling = specializer.ceiling?.(domain.dataset.train);
        tally = { calls: 0, tokens: 0, usd: 0 };
        let fit = 0;
        let dev = 0;
        let most = { tokens: 0, usd: 0 };
        let training: number | null = 0;
        let effort: number | undefined;
        let fitTokens = 0;
        let tooLong = 0;
        let exact = true;
        for (const seed of seeds) {
          const before = { ...tally };
          // Training makes no calls, and a dry run does not train: a trained specialist is then prompted as the generalist is.
          const { subject, state } =
            needsTraining(specializer) || ceiling
              ? { subject: study.generalist, state: "null" }
              : await fitArm(study, specializer, seed, scratch, signal, () => {});
          if (ceiling) tally.calls += ceiling.calls ?? 0;
          fit += tally.calls - before.calls;
          fitTokens += tally.tokens - before.tokens;
          effort ??= await answerEffort(study, specializer, state, signal);
          const lasts = !ceiling
            ? await fitSeconds(study, specializer, seed, known)
            : needsTraining(specializer)
              ? null
              : ceilingSeconds(ceiling, asked ?? {});
          training = training === null || lasts === null ? null : training + lasts;
          // A reference uses no model; the generalist in the place of one that was not made would.
          const asksNone = specializer.reference && needsTraining(specializer);
          for (const sample of asksNone ? [] : domain.dataset.dev) {
            const at = { ...tally };
            long = undefined;
            await domain.task.evaluate(subject, sample, taskContext(signal));
            const told = long as { exact: boolean } | undefined;
            if (told) tooLong++;
            exact &&= told?.exact ?? true;
            dev += tally.calls - at.calls;
            most = {
              tokens: Math.max(most.tokens, tally.tokens - at.tokens),
              usd: Math.max(most.usd, tally.usd - at.usd),
            };
          }
        }
        const of = domain.dataset.dev.length * seeds.length;
        const context = asked?.contextTokens;
        if (tooLong > 0 && context !== undefined)
          warnings.push(tooLongWarning(name, { tooLong, of, context, exact }));
        if (!ceiling && asksWhileTrained(specializer))
          warnings.push(
            `${name}: calls that it makes while it is built are not counted, because a dry run does not train.`,
          );
        const perAnswer = dev / Math.max(1, of);
        // Where it has no limit of its own, what its calls would cost if they were the generalist's.
        const own = (limit: number | undefined, each: number) =>
          ceiling
            ? seeds.length * Math.min(limit ?? Number.POSITIVE_INFINITY, (ceiling.calls ?? 0) * each)
            : 0;
        subjects.push({
          subject: name,
          seeds: seeds.length,
          calls: { fit, dev, test: Math.round(perAnswer * tests * seeds.length) },
          tokens: tally.tokens + own(ceiling?.tokens, most.tokens) + most.tokens * tests * seeds.length,
          usd: tally.usd + own(ceiling?.usd, most.usd) + most.usd * tests * seeds.length,
          seconds: {
            training,
            answers:
              asked && effort !== undefined
                ? readingSeconds(
                    asked,
                    fitTokens + effort * seeds.length * (domain.dataset.dev.length + tests),
                  )
                : null,
          },
        });
      }
      const total = (pick: (one: PlannedSubject) => number) =>
        subjects.reduce((sum, one) => sum + pick(one), 0);
      return {
        type: "plan",
        study: spec.study,
        model: study.model.name,
        tasks: [domain, ...elsewhere].map(({ card }) => card),
        subjects,
        calls: asking.calls + total(({ calls }) => calls.fit + calls.dev + calls.test),
        tokens: asking.tokens + total(({ tokens }) => tokens),
        usd: asking.usd + total(({ usd }) => usd),
        asking: asking.calls,
        priced,
        inJournal,
        warnings,
        seconds: {
          training: sumOf(subjects.map(({ seconds }) => seconds.training)),
          answers: sumOf(subjects.map(({ seconds }) => seconds.answers)),
        },
      };
    } finally {
      await study.close();
    }
  } finally {
    known.close();
    scratch.close();
    await artifacts.close();
  }
}

/** The sum, or null where one of them is not known. */
function sumOf(parts: readonly (number | null)[]): number | null {
  return parts.reduce<number | null>((sum, part) => (sum === null || part === null ? null : sum + part), 0);
}

/** Renders the plan for people. */
export function renderPlan(plan: StudyPlan): string {
  const task = plan.tasks[0];
  const lines = [
    `${plan.study}: ${plan.subjects.length} subjects of ${plan.model}`,
    ...plan.tasks.map(
      ({ name, source, counts }) =>
        `  ${name}: train ${counts.train}, dev ${counts.dev}, test ${counts.test} (stays sealed), from ${source}`,
    ),
    "",
    ...plan.subjects.map(
      ({ subject, seeds, calls, tokens }) =>
        `  ${subject}: ${formatWhole(calls.fit)} calls to make it, ${formatWhole(calls.dev)} on dev, ${formatWhole(calls.test)} on test${seeds > 1 ? ` (${seeds} seeds)` : ""}; about ${formatWhole(tokens)} tokens`,
    ),
    "",
    ...(plan.asking > 0
      ? [`  ${formatWhole(plan.asking)} calls on dev to find out how best to ask the generalist`, ""]
      : []),
    `${formatWhole(plan.calls)} calls, about ${formatWhole(plan.tokens)} tokens (one for every ${bytesPerToken} bytes)`,
    plan.priced
      ? `Cost about ${formatCost(plan.usd)}; --max-cost limits it`
      : `Cost unknown: give the price of tokens with ?price=IN,OUT (dollars per million)`,
  ];
  const { training, answers } = plan.seconds;
  const times = [
    training !== null && training > 0 && `${formatDuration(1000 * training)} of training`,
    answers !== null && answers > 0 && `${formatDuration(1000 * answers)} of answers`,
  ].filter(Boolean);
  if (times.length > 0)
    lines.push(`Takes about ${times.join(" and ")} on this machine, going by the model's size`);
  if (training === null) lines.push("How long training takes is not known beforehand.");
  if (answers === null) lines.push("How long the answers take depends on the endpoint.");
  if (plan.inJournal > 0)
    lines.push(`${formatWhole(plan.inJournal)} of these calls are in the journal and cost nothing.`);
  for (const text of plan.warnings) lines.push(`! ${text}`);
  if (task && task.counts.dev === 0)
    lines.push("There is no dev split, so the calls on test could not be estimated.");
  return lines.join("\n");
}
