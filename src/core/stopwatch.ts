// A stopwatch for work that may take several processes.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Given } from "./specializer.js";

export interface Stopwatch {
  /** Seconds so far, runs that were killed included, up to the last five of each. */
  readonly seconds: () => number;
  /** Forwards progress reports; the time is saved as they come. */
  readonly progress: Given["progress"];
}

/** Continues from what an earlier process saved in the scratch folder of this key. */
export async function stopwatch(
  { artifacts, progress }: Pick<Given, "artifacts" | "progress">,
  key: string,
): Promise<Stopwatch> {
  const file = join(await artifacts.scratch(key), "seconds");
  const before = existsSync(file) ? Number(readFileSync(file, "utf8")) || 0 : 0;
  const started = performance.now();
  let written = started;
  const seconds = () => before + (performance.now() - started) / 1000;
  return {
    seconds,
    progress: (...report) => {
      if (performance.now() - written > 5000) {
        written = performance.now();
        writeFileSync(file, String(seconds()));
      }
      progress(...report);
    },
  };
}
