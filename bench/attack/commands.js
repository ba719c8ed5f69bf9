// Attacks by command line: unknown flags and commands, values that are absurd, empty, very long or not numbers, names of
// prototype keys, too many or too few arguments. Each must end with exit 1 or 2 and one error, or do what was requested if
// possible; a number out of bounds is never accepted.

import { readdirSync, writeFileSync } from "node:fs";
import { runCases } from "./lib/cases.js";
import { longTexts, texts } from "./lib/hostile.js";
import { study, writeTones } from "./lib/tones.js";

const file = "sound.study.yaml";
/** Texts that must be refused where a number is expected, whatever its bounds. */
const noNumbers = [
  "",
  " ",
  "NaN",
  "Infinity",
  "-Infinity",
  "-1",
  "1e999",
  "x",
  "1,5",
  "0x",
  "--1",
  "１",
  "1 2",
  "null",
  "__proto__",
];
const numbers = [
  ...noNumbers,
  "0",
  "1",
  "1.5",
  "1e3",
  "0x10",
  "99999999999999999999",
  "1000000",
  "+1",
  "1_000",
  "007",
];

/** Options of each command: those that take a number, those that take a text, and those that take nothing. */
const options = {
  run: [
    ["--max-cost", "--max-time", "--concurrency"],
    ["--data", "--store"],
    ["--retry-errors", "--quiet", "--json", "--dry-run"],
  ],
  advise: [
    ["--labels", "--budget", "--answers", "--latency", "--hours", "--options"],
    [
      "--access",
      "--documents",
      "--price",
      "--task",
      "--strength",
      "--model",
      "--data",
      "--input",
      "--label",
      "--out",
    ],
    ["--own-options", "--calculates", "--force", "--json"],
  ],
  init: [
    ["--labels", "--budget", "--answers", "--latency", "--hours", "--options"],
    ["--access", "--documents", "--price", "--task", "--strength", "--model", "--data", "--input", "--label"],
    ["--own-options", "--calculates", "--force", "--json", "--advise", "--schema"],
  ],
  compare: [["--seed"], ["--predictions", "--answers", "--match", "--store"], ["--json"]],
  report: [[], ["--out", "--format", "--store"], ["--json"]],
  show: [[], ["--sample", "--subject", "--store"], ["--json"]],
  ls: [[], ["--store"], ["--json"]],
  "models show": [[], [], ["--json"]],
  "models list": [[], [], ["--json"]],
  "data show": [["--rows"], [], ["--json"]],
  "data count": [[], [], ["--json"]],
  "data split": [["--dev", "--test", "--seed"], ["--out", "--stratify", "--group", "--id"], ["--json"]],
  "data check": [[], ["--data"], ["--json"]],
};
const sound = {
  run: [file],
  advise: [],
  init: ["mine"],
  compare: ["tones"],
  report: ["tones"],
  show: ["tones"],
  ls: [],
  "models show": ["smollm2-135m-instruct"],
  "models list": [],
  "data show": ["tones.jsonl"],
  "data count": ["tones.jsonl"],
  "data split": ["tones.jsonl", "--out", "parts"],
  "data check": [file],
};
const names = Object.keys(options);
const typed = texts.filter((text) => !text.includes("\0"));

function prepare(attack) {
  writeTones(attack.path("tones.jsonl"), 40);
  writeFileSync(attack.path(file), JSON.stringify(study({ dev: 2, test: 4 })));
}

/** A store to inspect; without one most commands end before they read their arguments. */
async function withStore(attack) {
  prepare(attack);
  const made = await attack.hone(["run", file, "--quiet"]);
  attack.expect(!made.refused, `a sound study failed: ${made.stderr.slice(0, 300)}`);
}

/** A command with valid arguments. */
const typedFor = (name) => [...name.split(" "), ...sound[name]];

const classes = {
  async "numbers that are none"(attack) {
    const name = attack.pick(names.filter((one) => options[one][0].length > 0));
    prepare(attack);
    const flag = attack.pick(options[name][0]);
    const value = attack.pick(noNumbers);
    const result = await attack.hone([
      ...typedFor(name),
      flag,
      value,
      ...(name === "run" ? ["--dry-run"] : []),
    ]);
    attack.expect(result.code === 2, `${flag} ${JSON.stringify(value)} ended with ${result.code}`);
    return result;
  },

  async "odd numbers"(attack) {
    const name = attack.pick(names.filter((one) => options[one][0].length > 0));
    prepare(attack);
    const more = options[name][0].flatMap((flag) => (attack.chance(0.5) ? [flag, attack.pick(numbers)] : []));
    return attack.hone([...typedFor(name), ...more]);
  },

  async "odd texts for options"(attack) {
    const name = attack.pick(names.filter((one) => options[one][1].length > 0));
    await withStore(attack);
    const flag = attack.pick(options[name][1]);
    return attack.hone([...typedFor(name), `${flag}=${attack.pick([...typed, ...longTexts])}`]);
  },

  async "odd arguments"(attack) {
    const name = attack.pick(names);
    await withStore(attack);
    const many = Array.from({ length: attack.pick([1, 1, 1, 2, 500]) }, () =>
      attack.pick([...typed, ...longTexts.slice(2)]),
    );
    const dashes = attack.chance(0.5) ? ["--"] : [];
    if (name === "init") many.splice(1);
    return attack.hone([...name.split(" "), ...dashes, ...many.map((text) => text.slice(0, 2_000))]);
  },

  async "unknown flags"(attack) {
    const name = attack.pick(names);
    prepare(attack);
    const flag = attack.pick([
      "--nope",
      "-z",
      "--__proto__",
      "--constructor=x",
      "--toString",
      "--no-json",
      "---json",
      "--js0n",
      "-jjj",
      `--${"x".repeat(50_000)}`,
      "--é",
    ]);
    const result = await attack.hone([...typedFor(name), flag]);
    attack.expect(result.code === 2, `${flag.slice(0, 20)} ended with ${result.code}`);
    return result;
  },

  async "unknown commands"(attack) {
    const words = attack.pick([
      ["nope"],
      ["__proto__"],
      ["constructor"],
      ["toString"],
      ["data"],
      ["data", "nope"],
      ["models", "__proto__"],
      ["models", "show", "constructor"],
      ["models", "pull", "__proto__"],
      ["reproduce", "__proto__"],
      ["reproduce", "constructor"],
      ["reproduce", "nope", "--smoke"],
      ["run"],
      ["show"],
      [attack.pick(typed)],
      ["", ""],
      ["x".repeat(100_000)],
      ["help", "nope"],
    ]);
    return attack.hone(words);
  },

  async "missing and repeated values"(attack) {
    const name = attack.pick(names);
    prepare(attack);
    const [numbered, texted, bare] = options[name];
    const flags = [...numbered, ...texted, ...bare];
    if (flags.length === 0) return attack.hone(name.split(" "));
    const flag = attack.pick(flags);
    const tail = attack.pick([
      [flag],
      [flag, flag],
      [flag, "1", flag, "2"],
      [`${flag}=`],
      [flag, "--"],
      [flag, "--json"],
    ]);
    return attack.hone([...typedFor(name), ...tail, ...(name === "run" ? ["--dry-run"] : [])]);
  },

  async "flags that exclude each other, and many at once"(attack) {
    const name = attack.pick(names);
    await withStore(attack);
    const [numbered, texted, bare] = options[name];
    const more = [
      ...numbered.flatMap((flag) => (attack.chance(0.3) ? [flag, attack.pick(numbers)] : [])),
      ...texted.flatMap((flag) => (attack.chance(0.3) ? [`${flag}=${attack.pick(typed)}`] : [])),
      ...bare.filter(() => attack.chance(0.5)),
    ];
    return attack.hone([...typedFor(name), ...more]);
  },

  async "what --json prints"(attack) {
    const name = attack.pick(names.filter((one) => one !== "init"));
    await withStore(attack);
    const more = attack.chance(0.5) ? [attack.pick([...options[name][1], "--nope"]), attack.pick(typed)] : [];
    const result = await attack.hone([...typedFor(name), ...more, "--json"]);
    const lines = result.stdout.split("\n").filter(Boolean);
    for (const line of lines) {
      try {
        JSON.parse(line);
      } catch {
        attack.expect(
          name === "report" && more[0] === "--format",
          `--json printed ${JSON.stringify(line.slice(0, 200))}`,
        );
      }
    }
    attack.expect(result.refused || lines.length > 0, "--json printed nothing");
    return result;
  },

  async "models that are none"(attack) {
    const { pick } = attack;
    prepare(attack);
    const scheme = pick([
      "mock",
      "openai",
      "llama",
      "motor",
      "encoder",
      "hf",
      "__proto__",
      "constructor",
      "",
      "x".repeat(1_000),
    ]);
    const rest = pick([
      "",
      ":",
      ":?",
      ":?skill=2",
      ":?skill=NaN",
      ":?skill=.5&skill=.6",
      ":?latency=-1",
      ":?errors=500:2",
      ":?errors=__proto__:1",
      ":?nope=1",
      ":?__proto__=1",
      ":?base=ftp://x",
      ":m?base=http://u:p@h/v1",
      ":m?base=x",
      ":m?key=lower",
      ":m?key=UNSET_KEY",
      ":m?concurrency=1000000",
      ":m?timeout=0",
      ":m?extra.model=x&base=http://127.0.0.1:9",
      ":file:none.gguf",
      ":file:tones.jsonl",
      ":file:/dev/zero",
      ":hf:../../x",
      `:${pick(typed)}`,
      `:?skill=${pick(typed)}`,
    ]);
    writeFileSync(attack.path(file), JSON.stringify(study({ model: `${scheme}${rest}`, dev: 2, test: 4 })));
    return attack.hone(["run", file, ...(attack.chance(0.5) || scheme === "hf" ? ["--dry-run"] : [])]);
  },

  async "studies that init names"(attack) {
    prepare(attack);
    const name = attack.pick([
      ...typed,
      ...longTexts,
      "../outside",
      "/outside",
      "a/b",
      "a/../../b",
      "x.yaml",
      ".yaml",
      "..yaml",
      "tones.jsonl",
    ]);
    const result = await attack.hone([
      "init",
      ...(attack.chance(0.5) ? ["--data", "tones.jsonl"] : []),
      "--",
      name,
    ]);
    if (result.refused) {
      const left = readdirSync(attack.folder).filter((one) => one !== file && one !== "tones.jsonl");
      attack.expect(left.length === 0, `init refused, and left ${left.join(", ")}`);
    }
    return result;
  },
};

export default {
  name: "commands",
  count: 660,
  run: (given) => runCases({ name: "commands", classes, ...given }),
};
