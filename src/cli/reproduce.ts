// hone reproduce PAPER: repeats a paper's studies, with its claims beside our figures. Without a paper: lists them.

import { exitCodes, HoneError } from "../core/errors.js";
import { papers } from "../papers/index.js";
import type { PaperEvent } from "../papers/plans.js";
import { requireFile, writeOut } from "../store/place.js";
import { type LimitFlags, stoppable } from "./conduct.js";
import { makeOutput, type Output } from "./output.js";
import { markdownReproduction, renderReproduction } from "./reproduction.js";
import { table } from "./table.js";

export interface ReproduceFlags extends LimitFlags {
  smoke?: boolean;
  original?: boolean;
  data?: string;
  model?: string[];
  out?: string;
}

export async function reproduce(name: string | undefined, flags: ReproduceFlags): Promise<void> {
  const output = makeOutput(flags);
  if (name === undefined) {
    output.record({
      type: "done",
      papers: papers.map(({ name: paper, summary, paper: title }) => ({ paper, summary, title })),
    });
    if (!flags.json)
      output.say(
        table(
          ["paper", "question", "source"],
          papers.map((one) => [one.name, one.summary, one.paper]),
        ),
      );
    return;
  }
  const entry = papers.find((one) => one.name === name);
  if (!entry) {
    throw new HoneError({
      what: `There is no paper "${name.slice(0, 64)}" here`,
      why: `known: ${papers.map((one) => one.name).join(", ")}`,
      next: "Write one of the known names, or `hone reproduce` alone to see what each asks.",
      kind: "usage",
    });
  }
  if (flags.smoke && flags.original) {
    throw new HoneError({
      what: "--smoke and --original exclude each other",
      next: "Give one of them, or neither for this project's own sizes.",
      kind: "usage",
    });
  }
  if (flags.out !== undefined) requireFile(flags.out, "--out");
  const result = await stoppable(flags, output.log, (limits, watch) =>
    entry.reproduce({
      ...limits,
      preset: flags.smoke ? "smoke" : flags.original ? "original" : "full",
      onEvent: (event) => {
        watch(event);
        show(event, output);
      },
      ...(flags.data === undefined ? {} : { data: flags.data }),
      ...(flags.model === undefined ? {} : { models: flags.model }),
    }),
  );
  if (result === undefined) return;
  output.prose(renderReproduction(result));
  if (flags.out !== undefined) {
    const whole = flags.out.endsWith(".md") ? markdownReproduction(result) : JSON.stringify(result, null, 2);
    await writeOut(flags.out, `${whole}\n`);
    output.prose(`\nWritten to ${flags.out}`);
  }
  output.record(result);
  if (result.stopped !== null) process.exitCode ??= exitCodes.gate;
}

function show(event: PaperEvent, output: Output): void {
  if (event.type === "stage") {
    output.record(event);
    output.log(`\nStudy ${event.stage} of ${event.of}: ${event.title}`);
  } else output.event(event);
}
