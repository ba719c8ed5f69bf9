// Runs the cases of an attack: each has its own folder, a class of attack, and random draws that are fixed by seed and
// number. Cases run two at a time; a case ends as refused (one clear error), passed, or killed.

import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { randomFor } from "../../../dist/core/random.js";
import { commandLine, deathOf, inProcess, Killed, openHost } from "./cli.js";

/** One in this many commands runs in its own process from the start: only there it shows if something keeps the process alive. */
const ownProcessEvery = 25;

/**
 * Runs `count` cases, or the one numbered `only`.
 * @param {{name: string, classes: Record<string, (attack: any) => Promise<{refused: boolean}>>, count: number, seed: number,
 *   workdir: string, log: (text: string) => void, only?: number, atOnce?: number}} given
 *   `atOnce`: concurrent cases; more than two if they mostly wait
 *   `classes`: by name, what a case of that class does; a throw is a kill
 * @returns counts of all cases, and of each class under `classes`; `notes` say what was killed and how
 */
export async function runCases({ name, classes, count, seed, workdir, log, only, atOnce = 2 }) {
  const names = Object.keys(classes);
  // If there are fewer cases than classes, they are spread across all classes.
  const stride = Math.max(1, Math.floor(names.length / count));
  const numbers = only === undefined ? Array.from({ length: count }, (_, i) => i * stride) : [only];
  const tally = { tried: 0, refused: 0, passed: 0, killed: 0, notes: [], classes: {} };
  let next = 0;
  const worker = async () => {
    const host = openHost();
    try {
      for (let place = next++; place < numbers.length; place = next++) {
        const number = numbers[place];
        const kind = names[number % names.length];
        const attack = openCase({
          name,
          kind,
          number,
          seed,
          workdir,
          host,
          note,
          log,
          keep: only !== undefined,
        });
        let ending;
        try {
          ending = (await classes[kind](attack)).refused ? "refused" : "passed";
          attack.checkOutside();
        } catch (error) {
          ending = "killed";
          const words = error instanceof Killed ? error.message : (error?.stack ?? String(error));
          note(`case ${number} (${kind}): ${words}${attack.last ? `\n    ${attack.last}` : ""}`);
        }
        if (only !== undefined) log(`case ${number} (${kind}) ${ending}, in ${attack.folder}`);
        tally.classes[kind] ??= { tried: 0, refused: 0, passed: 0, killed: 0 };
        for (const count of [tally, tally.classes[kind]]) {
          count[ending]++;
          count.tried++;
        }
        attack.close();
      }
    } finally {
      host.close();
    }
  };
  function note(text) {
    tally.notes.push(text);
    log(`${name}: ${text}`);
  }
  await Promise.all(Array.from({ length: atOnce }, worker));
  return tally;
}

let commands = 0;

function openCase({ name, kind, number, seed, workdir, host, note, log, keep }) {
  const outer = join(workdir, name, String(number));
  const levels = ["a", "b", "c", "in"];
  const folder = join(outer, ...levels);
  rmSync(outer, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const random = randomFor(seed, "attack", name, number);
  const int = (least, most) => least + Math.floor(random() * (most - least + 1));
  const attack = {
    kind,
    number,
    folder,
    outer,
    random,
    int,
    /** The last command, for reproduction. */
    last: undefined,
    pick: (list) => list[int(0, list.length - 1)],
    chance: (share) => random() < share,
    path: (...parts) => join(folder, ...parts),
    /** Runs a command; throws if it is killed. */
    async hone(args, options = {}) {
      attack.last = commandLine(args);
      const given = { cwd: folder, ...options };
      let result;
      if (options.own || ++commands % ownProcessEvery === 0) result = await inProcess(args, given);
      else {
        result = await host.run(args, given);
        const death = deathOf(result);
        if (death !== undefined) {
          result = await inProcess(args, given);
          if (deathOf(result) === undefined) note(`case ${number} (${kind}): only in a series: ${death}`);
        }
      }
      if (keep)
        log(
          `${attack.last}\n    ended with ${result.code}: ${result.stderr.trim().slice(0, 1_000).replaceAll("\n", "\n    ")}`,
        );
      const death = deathOf(result);
      if (death !== undefined) throw new Killed(death);
      return { ...result, refused: result.code !== 0 };
    },
    expect(condition, words) {
      if (!condition) throw new Killed(words);
    },
    /** Checks that nothing was written outside the case's folder, except the folders that lead to it. */
    checkOutside() {
      let at = outer;
      for (const level of levels) {
        const beside = readdirSync(at).filter((entry) => entry !== level);
        if (beside.length > 0) throw new Killed(`it wrote outside of its folder: ${beside.join(", ")}`);
        at = join(at, level);
      }
    },
    close() {
      if (!keep) rmSync(outer, { recursive: true, force: true });
    },
  };
  return attack;
}

/** Parses the last line of `--json`. */
export function lastRecord({ stdout }) {
  return JSON.parse(stdout.trimEnd().split("\n").at(-1));
}
