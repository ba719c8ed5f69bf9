// hone show STUDY [--sample ID]: the verdict again, or one sample with the exact prompts and raw answers.

import { HoneError } from "../core/errors.js";
import type { Step } from "../core/language.js";
import type { Message } from "../core/model.js";
import type { Outcome } from "../core/outcome.js";
import type { StudyRecord } from "../core/record.js";
import { plainText } from "../report/escape.js";
import { formatDuration } from "../report/format.js";
import { renderSummary } from "../report/terminal.js";
import { requireSubject } from "../study/choose-subject.js";
import { openStudy } from "../study/open.js";
import { makeOutput } from "./output.js";

export function show(
  name: string,
  flags: { store: string; sample?: string; subject?: string; json?: boolean },
): void {
  const output = makeOutput(flags);
  const study = openStudy(flags.store, name);
  try {
    const { record } = study;
    if (flags.subject !== undefined) requireSubject(record, flags.subject);
    if (flags.sample === undefined) {
      const shown = only(record, flags.subject);
      output.record(shown);
      if (flags.json) return;
      output.say(renderSummary(shown, { colour: output.colour, width: output.width }));
      if (record.handOver) output.prose(plainText(`\nSaved specialist: ${record.handOver.path}`));
      for (const { subject, path } of record.handOver?.others ?? [])
        output.prose(plainText(`Also saved, but not chosen: ${subject} in ${path}`));
      return;
    }
    const subjects = record.subjects.filter(
      (card) => flags.subject === undefined || card.name === flags.subject,
    );
    const found: { subject: string; outcome: Outcome }[] = [];
    const damaged = (why: string) =>
      output.log(
        plainText(`! A damaged record is skipped: ${why}. See \`hone doctor --store ${flags.store}\`.`),
      );
    for (const outcome of study.outcomes((error) => damaged(error.failure.why ?? ""))) {
      const subject = subjects.find(({ ids }) => ids.includes(outcome.subject));
      if (subject && outcome.sample === flags.sample) found.push({ subject: subject.name, outcome });
    }
    const first = found[0];
    if (!first) {
      throw new HoneError({
        what: `The study ${name} has no sample ${flags.sample}`,
        where: `${name}, test split${flags.subject === undefined ? "" : `, subject ${flags.subject}`}`,
        next: "See the samples' ids in the report, or with `hone report STUDY --format csv`.",
        kind: "usage",
      });
    }
    const sample = study.sample(first.outcome.task, flags.sample);
    const answers = found.map(({ subject, outcome }) => ({
      ...outcome,
      subject,
      calls: outcome.calls.flatMap((key) => {
        const call = study.call(key);
        if (!call) damaged(`call ${key} of ${subject}`);
        return call ?? [];
      }),
    }));
    output.record({ type: "sample", study: name, id: flags.sample, sample, answers });
    if (flags.json) return;
    const print = (text: string) => output.say(plainText(text));
    print(`${name}, sample ${flags.sample}; gold: ${first.outcome.gold}\n`);
    for (const { subject, seed, grade, cost, calls } of answers) {
      const result =
        grade.status === "scored"
          ? `${grade.prediction} (score ${grade.score})`
          : `unscored: ${grade.cause}${grade.detail === undefined ? "" : ` (${grade.detail})`}`;
      print(
        `== ${subject}, seed ${seed}: ${result}; ${formatDuration(cost.ms)}, ${cost.inputTokens} tokens in`,
      );
      for (const step of grade.trail ?? []) print(toldStep(step));
      for (const call of calls) {
        if (call.operation === "embed") continue;
        const { messages = [], options = [] } = call.request as { messages?: Message[]; options?: string[] };
        for (const { role, content } of messages) print(`-- ${role}\n${content}`);
        const { options: scored, text } = call.response as { options?: { logprob: number }[]; text?: string };
        if (text !== undefined) print(`-- answer\n${text}`);
        scored?.forEach(({ logprob }, i) => {
          print(`   ${logprob.toFixed(3).padStart(9)}  ${JSON.stringify(options[i])}`);
        });
      }
      print("");
    }
  } finally {
    study.close();
  }
}

/** The record reduced to the figures and comparisons of one subject. */
function only(record: StudyRecord, subject: string | undefined): StudyRecord {
  if (subject === undefined) return record;
  return {
    ...record,
    results: record.results.filter((result) => result.subject === subject),
    comparisons: record.comparisons.filter(({ a, b }) => a === subject || b === subject),
  };
}

/** One step of the evidence behind an answer; passages begin with their document's id and similarity. */
function toldStep(step: Step): string {
  switch (step.kind) {
    case "passage":
      return `-- passage ${step.id}, score ${step.score.toPrecision(4)}\n${step.text}`;
    case "rationale":
      return `-- rationale\n${step.text}`;
    case "tool": {
      const outcome = step.error === undefined ? (step.result ?? "") : `error: ${step.error}`;
      return `-- tool ${step.name} ${JSON.stringify(step.arguments)}\n${outcome}`;
    }
    case "movement": {
      const { hand, dt } = step.movement;
      const end = hand
        .at(-1)
        ?.map((part) => part.toFixed(3))
        .join(", ");
      return `movement of ${((hand.length - 1) * dt).toFixed(2)} s; the hand ends at (${end}) m`;
    }
    case "episode": {
      const { game, seat, moves, payoff, illegal } = step;
      const mended = illegal.map(
        ({ at, wrote, again, by }) =>
          `\n   move ${at + 1}, ${by}: ${[wrote, ...(again === undefined ? [] : [again])].map((text) => JSON.stringify(text)).join(", then ")}`,
      );
      return `-- ${game} in seat ${seat}: ${moves.join(", ")}; payoff ${payoff}${mended.join("")}`;
    }
    case "vote": {
      const order = step.order ? ` (options seen as ${step.order.join(", ")})` : "";
      return `-- vote ${step.choice ?? "none"}${order}`;
    }
  }
}
