// hone data synth STUDY --out FOLDER

import { dirname } from "node:path";
import { exitCodes, HoneError } from "../core/errors.js";
import { plainText } from "../report/escape.js";
import { formatWhole } from "../report/format.js";
import { requireFolder } from "../store/place.js";
import { readStudy } from "../study/spec.js";
import { synthesizeFor } from "../study/synth.js";
import { type LimitFlags, stoppable } from "./conduct.js";
import { makeOutput } from "./output.js";
import { table } from "./table.js";

interface SynthFlags extends LimitFlags {
  out: string;
  by: "instructions" | "inputs" | "labels";
  pairs?: number;
  attempts?: number;
  domain?: string;
  seeds?: string;
  documents?: string;
  rows?: string;
  generator?: string;
  seed?: number;
  data?: string;
}

/** Milliseconds between lines of progress. */
const everyMs = 2000;

export async function synth(file: string, flags: SynthFlags): Promise<void> {
  const output = makeOutput(flags);
  if ((flags.by === "labels") !== (flags.rows !== undefined)) {
    throw new HoneError({
      what: flags.by === "labels" ? "There are no rows to label" : "--rows goes with --by labels",
      where: "--rows",
      next: "Write --by labels --rows file:rows.jsonl.",
      kind: "usage",
    });
  }
  const spec = await readStudy(file);
  requireFolder(flags.out, "--out");
  const { pairs, attempts, domain, seeds, documents, generator } = flags;
  const options = Object.fromEntries(
    Object.entries({
      pairs,
      attempts,
      domain,
      generator,
      seeds: seeds === undefined ? undefined : { source: seeds },
      corpus: documents === undefined ? undefined : { documents },
    }).filter(([, value]) => value !== undefined),
  );
  let last = 0;
  const result = await stoppable(flags, output.log, (limits, watch) => {
    // Work in flight can be finished quickly from here on.
    watch({ type: "phase", phase: "test" });
    return synthesizeFor(spec, {
      ...limits,
      base: flags.data ?? dirname(file),
      out: flags.out,
      by: flags.by,
      options,
      ...(flags.rows === undefined ? {} : { rows: flags.rows }),
      ...(flags.seed === undefined ? {} : { seed: flags.seed }),
      onWarning: (text) => output.log(plainText(`! ${text}`)),
      onProgress: (done, total, note) => {
        const now = Date.now();
        if (flags.quiet || (now - last < everyMs && done < total)) return;
        last = now;
        output.record({ type: "progress", done, total, note });
        output.log(plainText(`${Math.floor((100 * done) / Math.max(1, total))}%  ${note}`));
      },
    });
  });
  if (result === undefined) return;
  const { card, folder, stopped } = result;
  output.record({ type: "done", ...result });
  if (stopped !== null || card === null) {
    output.prose(`Stopped: ${stopped}. What was written is in the journal; the same command continues.`);
    process.exitCode ??= exitCodes.gate;
    return;
  }
  output.say(
    table(
      ["rule", "met", "refused", "most common reason"],
      card.funnel.map(({ rule, met, refused, reasons }) => [
        rule,
        formatWhole(met),
        formatWhole(refused),
        plainText(reasons[0]?.[0] ?? ""),
      ]),
      [1, 2],
    ),
  );
  output.prose(
    plainText(
      `\n${formatWhole(card.pairs)} pairs from ${formatWhole(card.attempts)} attempts in ${folder}. Browse them in index.html; README.md is their card.`,
    ),
  );
}
