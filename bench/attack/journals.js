// Attacks by damaged journal: bits flipped, files truncated, pages overwritten, swapped and zeroed, logs broken. `hone ls`,
// `show`, `report` and `doctor` read each in a process of their own; none may die, hang, or report a bug, and `doctor --repair`
// must leave an intact journal.

import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { randomFor } from "../../dist/core/random.js";

const bin = fileURLToPath(new URL("../../bin/hone.js", import.meta.url));
const journalModule = new URL("../../dist/store/journal.js", import.meta.url).href;
const pageSize = 4096;
const limitMs = 60_000;

const commands = [
  ["ls"],
  ["show", "one"],
  ["show", "two", "--sample", "row-7"],
  ["report", "one", "--format", "csv"],
  ["doctor"],
];

/** Ways of damaging a file, by name. `draw(n)` returns an integer below n. */
const damages = {
  "one bit": (bytes, draw) => flip(bytes, draw),
  "ten bits": (bytes, draw) => {
    for (let i = 0; i < 10; i++) flip(bytes, draw);
    return bytes;
  },
  "one bit of the first page": (bytes, draw) => flip(bytes.subarray(0, pageSize), draw) && bytes,
  "a byte that UTF-8 does not have": (bytes, draw) => {
    bytes[draw(bytes.length)] = 0xff;
    return bytes;
  },
  "cut off": (bytes, draw) => bytes.subarray(0, draw(bytes.length)),
  "cut off at a page": (bytes, draw) => bytes.subarray(0, pageSize * draw(bytes.length / pageSize)),
  "a page of zeros": (bytes, draw) => pageOf(bytes, draw).fill(0) && bytes,
  "a page of noise": (bytes, draw) => {
    const page = pageOf(bytes, draw);
    for (let i = 0; i < page.length; i++) page[i] = draw(256);
    return bytes;
  },
  "two pages swapped": (bytes, draw) => {
    const [one, two] = [pageOf(bytes, draw), pageOf(bytes, draw)];
    const kept = Buffer.from(one);
    two.copy(one);
    kept.copy(two);
    return bytes;
  },
  "something behind it": (bytes, draw) => Buffer.concat([bytes, Buffer.alloc(draw(3 * pageSize), "x")]),
};

function flip(bytes, draw) {
  bytes[draw(bytes.length)] ^= 1 << draw(8);
  return bytes;
}

function pageOf(bytes, draw) {
  const start = pageSize * draw(Math.max(1, Math.floor(bytes.length / pageSize)));
  return bytes.subarray(start, start + pageSize);
}

export default {
  name: "journals",
  count: 100,

  /** @returns {Promise<{tried: number, refused: number, passed: number, killed: number}>} */
  async run({ count, seed, workdir, log }) {
    const bases = await makeJournals(join(workdir, "journals"));
    const names = Object.keys(damages);
    const tally = { tried: 0, refused: 0, passed: 0, killed: 0 };
    let next = 0;
    const worker = async (place) => {
      mkdirSync(place, { recursive: true });
      for (let i = next++; i < count; i = next++) {
        const random = randomFor(seed, "journals", i);
        const draw = (n) => Math.floor(random() * n);
        const name = names[i % names.length];
        const base = bases[draw(bases.length)];
        const target = base.log && draw(2) === 0 ? "-wal" : "";
        const path = join(place, "journal.db");
        for (const end of ["", "-wal", "-shm"]) rmSync(path + end, { force: true });
        copyFileSync(base.path, path);
        if (base.log) copyFileSync(`${base.path}-wal`, `${path}-wal`);
        writeFileSync(path + target, damages[name](Buffer.from(readFileSync(base.path + target)), draw));

        const command = commands[draw(commands.length)];
        const death = [];
        const first = await hone([...command, "--store", place]);
        if (first.death) death.push(`${command.join(" ")}: ${first.death}`);
        if (draw(4) === 0) {
          for (const args of [["doctor", "--repair"], ["ls"], ["doctor"]]) {
            const after = await hone([...args, "--store", place]);
            if (after.death) death.push(`${args.join(" ")}: ${after.death}`);
            else if (args[0] !== "doctor" && after.code !== 0)
              death.push(`${args.join(" ")} after the repair: ${after.stderr.slice(0, 400)}`);
          }
        }
        tally.tried++;
        if (death.length > 0) {
          tally.killed++;
          log(`journals: case ${i} (${name}${target}): ${death.join("; ")}`);
        } else if (first.code === 0) tally.passed++;
        else tally.refused++;
      }
    };
    await Promise.all([0, 1].map((n) => worker(join(workdir, `journals-${n}`))));
    return tally;
  },
};

/** A journal of two studies, cleanly closed; and the same as a killed process leaves it, with a log. */
async function makeJournals(folder) {
  mkdirSync(folder, { recursive: true });
  const tones = ["polite", "rude", "neutral"];
  const rows = Array.from({ length: 300 }, (_, i) => {
    const tone = tones[(i * 7) % 3];
    return JSON.stringify({
      id: `row-${i}`,
      text: `A ${tone} letter, number ${i}, about ${(i * 7919) % 997} cafés`,
      tone,
    });
  });
  writeFileSync(join(folder, "tones.jsonl"), `${rows.join("\n")}\n`);
  for (const study of ["one", "two"]) {
    const data = {
      ...{ source: "file:tones.jsonl", input: "text", label: "tone", leakage: "off" },
      options: Object.fromEntries(tones.map((tone) => [tone, tone])),
      split: { by: "hash", seed: 3 },
      limit: { dev: 20, test: 60 },
    };
    const task = { name: "tone", kind: "choice", instruction: "What is the tone?", data };
    const spec = {
      study,
      model: "mock:?skill=0.9",
      task,
      specialists: [{ fewShot: { k: 3 } }, "majority"],
      seeds: [1],
    };
    writeFileSync(join(folder, `${study}.study.json`), JSON.stringify(spec));
    const made = await hone(["run", join(folder, `${study}.study.json`), "--quiet", "--store", folder]);
    if (made.code !== 0) throw new Error(`the study that the journals are made from failed: ${made.stderr}`);
  }
  const path = join(folder, "journal.db");
  const killed = join(folder, "killed.db");
  copyFileSync(path, killed);
  // A process that ends without closing leaves its writes in the log.
  const write = `
    const { openJournal } = await import(${JSON.stringify(journalModule)});
    const journal = openJournal(${JSON.stringify(killed)});
    for (let i = 0; i < 40; i++) {
      const request = { messages: [{ role: "user", content: "text ".repeat(50) + i }] };
      await journal.recordCall({ key: String(i), model: "m", operation: "generate", request, response: { text: "B" },
        cost: { calls: 1, inputTokens: 1, outputTokens: 1, ms: 1, usd: 0 } });
    }
    process.kill(process.pid, "SIGKILL");`;
  await run(process.execPath, ["--input-type=module", "-e", write]);
  return [{ path }, { path: killed, log: existsSync(`${killed}-wal`) }];
}

async function hone(args) {
  const ended = await run(process.execPath, [bin, ...args]);
  const { code, signal, stderr, hung } = ended;
  if (hung) return { ...ended, death: `hangs for ${limitMs / 1000} s` };
  if (signal || code === 134 || code === 139)
    return { ...ended, death: `died by ${signal ?? code}: ${stderr.slice(0, 400)}` };
  if (/This is a bug/.test(stderr)) return { ...ended, death: stderr.slice(0, 400) };
  return [0, 1, 2].includes(code) ? ended : { ...ended, death: `exit ${code}` };
}

function run(program, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    let hung = false;
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    const timer = setTimeout(() => {
      hung = true;
      child.kill("SIGKILL");
    }, limitMs);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stderr, hung });
    });
  });
}
