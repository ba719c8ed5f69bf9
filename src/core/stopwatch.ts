// How long unfinished work has taken, over the processes that it was made in.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Given } from "./specializer.js";

export interface Stopwatch {
  /** Seconds so far, those before a kill included, to within the last five of each run. */
  readonly seconds: () => number;
  /** Passes reports on; the time is written down as they come. */
  readonly progress: Given["progress"];
}

/** Goes on from what an earlier process wrote down in the scratch folder of this key. */
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
