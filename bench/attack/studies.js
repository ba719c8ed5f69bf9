// Attacks by study file: damaged, odd or malicious files: bytes changed, values of wrong types at every place, YAML's
// own hazards (aliases, depth, tags), names that are paths or prototype keys. Most get a dry run; some are run with the
// mock and shown again. A study that runs must count every test sample, and write only into its store.

import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { stringify } from "yaml";
import { shuffled } from "../../dist/core/random.js";
import { lastRecord, runCases } from "./lib/cases.js";
import { mutate, texts, values } from "./lib/hostile.js";
import { study, writeTones } from "./lib/tones.js";

const file = "attacked.study.yaml";

function prepare(attack, text) {
  writeTones(attack.path("tones.jsonl"), 120);
  writeFileSync(attack.path(file), text);
}

const dryRun = (attack) => attack.hone(["run", file, "--dry-run"]);

/** A full run; it must count the whole test split, for every subject. */
async function runWhole(attack) {
  const result = await attack.hone(["run", file, "--json", "--quiet"]);
  if (result.refused) return result;
  const record = lastRecord(result);
  attack.expect(record.type === "done", "its last record is not the done record");
  for (const { subject, task, n, unscored } of record.results) {
    const counts = record.tasks.find(({ name }) => name === task)?.counts;
    attack.expect(
      n + unscored === counts?.test,
      `${subject} has ${n} + ${unscored} of ${counts?.test} samples`,
    );
  }
  const inside = readdirSync(attack.folder).filter((name) => ![file, "tones.jsonl", ".hone"].includes(name));
  attack.expect(inside.length === 0, `it wrote ${inside.join(", ")} beside its store`);
  for (const args of [["show", record.study], ["ls"], ["report", record.study, "--format", "md"]]) {
    const shown = await attack.hone(args);
    attack.expect(!shown.refused, `${args[0]} refused what run had made: ${shown.stderr.slice(0, 300)}`);
  }
  return result;
}

/** Every place in a value, as `[holder, key]`. */
function places(value, found = []) {
  if (value === null || typeof value !== "object") return found;
  for (const key of Object.keys(value)) {
    found.push([value, key]);
    places(value[key], found);
  }
  return found;
}

const specializerNames =
  "zeroShot fewShot knn calibrate cot ensemble medprompt portfolio bestOf stack probe linear majority bm25 retrieve tools perStratum subset knnLm lora full adapter bitfit softPrompt lesion bilateral".split(
    " ",
  );
const keysOfPrototypes = ["__proto__", "constructor", "toString", "valueOf", "hasOwnProperty", "then"];
const names = [
  ...texts,
  ...keysOfPrototypes,
  "../outside",
  "/outside",
  "a/../../b",
  "CON",
  "nul.txt",
  "a".repeat(65),
];

const classes = {
  async "damaged text"(attack) {
    const text = attack.pick([stringify(study()), JSON.stringify(study()), JSON.stringify(study(), null, 2)]);
    prepare(attack, mutate(Buffer.from(text), attack, attack.int(1, 2)));
    return dryRun(attack);
  },

  async "one value of another type"(attack) {
    const spec = study({
      specialists: ["majority", { fewShot: { k: 2 } }, { linear: { features: "tfidf" } }],
    });
    const [holder, key] = attack.pick(places(spec));
    holder[key] = attack.pick(values);
    prepare(attack, JSON.stringify(spec));
    return dryRun(attack);
  },

  async "several places changed"(attack) {
    const spec = study();
    for (let i = attack.int(2, 5); i > 0; i--) {
      const [holder, key] = attack.pick(places(spec));
      const change = attack.pick(["value", "text", "drop", "add", "swap"]);
      if (change === "value") holder[key] = attack.pick(values);
      else if (change === "text") holder[key] = attack.pick(texts);
      else if (change === "drop") delete holder[key];
      else if (change === "swap") {
        const [other, place] = attack.pick(places(spec));
        [holder[key], other[place]] = [structuredClone(other[place]), structuredClone(holder[key])];
      } else {
        const name = attack.pick([...keysOfPrototypes, ...texts]);
        const value = attack.pick(values);
        Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true });
      }
    }
    prepare(attack, attack.chance(0.5) ? JSON.stringify(spec) : stringify(spec));
    return dryRun(attack);
  },

  async "keys of prototypes, written as text"(attack) {
    const text = JSON.stringify(study());
    const key = attack.pick(keysOfPrototypes);
    const value = attack.pick(['{"polluted":1}', "null", "[]", '"x"', '{"__proto__":{"polluted":1}}']);
    const open = [...text.matchAll(/\{/g)].map(({ index }) => index);
    const at = attack.pick(open) + 1;
    prepare(attack, `${text.slice(0, at)}"${key}":${value},${text.slice(at)}`);
    return dryRun(attack);
  },

  async "YAML's own"(attack) {
    const { pick, int } = attack;
    const plain = stringify(study());
    const deep = int(100, 30_000);
    const text = pick([
      () => {
        const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"];
        for (let i = 1; i < 12; i++)
          lines.push(
            `a${i}: &a${i} [${Array(9)
              .fill(`*a${i - 1}`)
              .join(", ")}]`,
          );
        return `${lines.join("\n")}\n${plain}`;
      },
      () => `description: &a [*a]\n${plain}`,
      () => `description: &a {b: *a}\n${plain}`,
      () => `description: *nowhere\n${plain}`,
      () => `description: ${"[".repeat(deep)}${"]".repeat(deep)}\n${plain}`,
      () => `description: ${"[".repeat(deep)}\n${plain}`,
      () => `description: ${"{a: ".repeat(deep)}\n${plain}`,
      () =>
        `${plain}description:\n${Array.from({ length: Math.min(deep, 3000) }, (_, i) => `${" ".repeat(i + 1)}a:`).join("\n")}`,
      () => `${"- ".repeat(deep)}x\n`,
      () => `${"? ".repeat(deep)}x\n`,
      () => `--- \n${plain}\n---\n${plain}`,
      () => `%YAML 9.9\n---\n${plain}`,
      () => `%TAG ! tag:x,2000:\n---\n!x ${plain}`,
      () => `!!binary ${plain}`,
      () => plain.replace("study: tones", "study: !!binary AAAA"),
      () => plain.replace("study: tones", "study: !!set {a, b}"),
      () => plain.replace("study: tones", "study: !!timestamp 2001-01-01"),
      () => plain.replace("study: tones", "study: !!js/function 'x'"),
      () => plain.replace("study: tones", "? [a, b]\n: c\nstudy: tones"),
      () => plain.replace("study: tones", "? {a: b}\n: c\nstudy: tones"),
      () => plain.replace("study: tones", "<<: {study: other}\nstudy: tones"),
      () => plain.replace("study: tones", "<<: [1, 2]\nstudy: tones"),
      () => `${plain}study: again\n`,
      () => `\t${plain}`,
      () => `\ufeff${plain}`,
      () => plain.replaceAll("\n", "\r"),
      () => plain.replaceAll("\n", "\0\n"),
      () => `description: ${"x".repeat(5_000_000)}\n${plain}`,
      () => `# ${"x".repeat(5_000_000)}\n${plain}`,
      () => `description: "\\ud800\\U00110000\\x"\n${plain}`,
      () => `description: |9\n x\n${plain}`,
      () =>
        pick([
          "",
          " ",
          "null",
          "42",
          "[]",
          "{}",
          "x",
          "- a",
          "\0",
          "~",
          '"x',
          "&a",
          "*a",
          "!",
          "|",
          ">",
          "%",
          "---",
          "...",
        ]),
    ])();
    prepare(attack, text);
    return dryRun(attack);
  },

  async "odd numbers"(attack) {
    const spec = stringify(study({ seeds: "SEEDS", handOver: "HANDOVER", dev: "DEV", test: "TEST" }));
    const odd = () =>
      attack.pick([
        ".inf",
        "-.inf",
        ".nan",
        "1e999",
        "-0",
        "0x10",
        "0o17",
        "1_000",
        "9007199254740993",
        "1e15",
        "-1",
        "0",
        "1.5",
      ]);
    const fill = {
      SEEDS: () => `[${attack.chance(0.2) ? Array.from({ length: 101 }, (_, i) => i) : odd()}]`,
    };
    prepare(
      attack,
      spec.replace(/"?\b(SEEDS|HANDOVER|DEV|TEST)\b"?/g, (_, word) => (fill[word] ?? odd)()),
    );
    return dryRun(attack);
  },

  async "specialists that are none"(attack) {
    const { pick, int } = attack;
    const inner = () => {
      const name = pick([...specializerNames, ...keysOfPrototypes, ...texts]);
      return pick([
        name,
        { [name]: pick(values) },
        { [name]: { k: pick(values), use: name, n: pick(values) } },
        { [name]: {}, [pick(specializerNames)]: {} },
        [name, name],
        [[name]],
        { use: pick(["./none.js", "../../x.js", "/etc/passwd", "data:text/javascript,1", "node:fs", name]) },
      ]);
    };
    prepare(attack, stringify(study({ specialists: Array.from({ length: int(1, 3) }, inner) })));
    return dryRun(attack);
  },

  async "many specialists, deep and repeated"(attack) {
    const { pick, int } = attack;
    const n = int(50, 1_000);
    let nested = "majority";
    for (let i = 0; i < n; i++)
      nested = pick([[nested], { ensemble: { use: nested } }, { subset: { n: 5, use: nested } }]);
    const specialists = pick([
      () => [nested],
      () => Array(n).fill("majority"),
      () => Array.from({ length: n }, (_, i) => ({ fewShot: { k: 1 + (i % 60) } })),
      () => [Array(n).fill("calibrate")],
      () => [{ fewShot: { k: 10 ** int(2, 15) } }],
      () => [{ ensemble: { use: "zeroShot", members: 10 ** int(2, 9) } }],
    ])();
    prepare(attack, JSON.stringify(study({ specialists })));
    return dryRun(attack);
  },

  async "names that are paths"(attack) {
    const { pick } = attack;
    const name = pick(names);
    const task = pick(["tone", pick(names)]);
    const text = stringify(study({ study: name, task: { name: task } }));
    prepare(attack, text);
    return runWhole(attack);
  },

  async "ids and labels that are paths"(attack) {
    const { pick } = attack;
    const odd = shuffled(
      names.filter((name) => name.trim() !== ""),
      attack.random,
    );
    const labels = odd.slice(0, 3);
    const rows = Array.from({ length: 60 }, (_, i) =>
      JSON.stringify({ id: `${odd[i % odd.length]}${i}`, text: `${pick(odd)} ${i}`, tone: labels[i % 3] }),
    );
    const options = Object.fromEntries(labels.map((label, i) => [label, `${label} ${i}`]));
    prepare(attack, stringify(study({ data: { options, leakage: "off" }, dev: 5, test: 10 })));
    writeFileSync(attack.path("tones.jsonl"), `${rows.join("\n")}\n`);
    return runWhole(attack);
  },

  async "sound, with odd options"(attack) {
    const { pick, int, chance } = attack;
    const specialists = [
      { fewShot: { k: int(1, 4) } },
      pick([
        "majority",
        "calibrate",
        "linear",
        { knn: { k: 2, by: "bm25" } },
        { ensemble: { use: "zeroShot", members: 3 } },
      ]),
    ];
    const seeds = pick([[0], [1, 2], [2 ** 31], [1, 1]]);
    const gate = pick([undefined, { atLeast: 1 }, { beats: "majority" }, { beats: pick(texts) }]);
    const errors = pick(["", "&errors=500:0.3&backoff=0&retries=0", "&errors=refused:1", "&grants=text"]);
    const spec = study({
      model: `mock:?skill=0.8&seed=${int(0, 9)}${errors}`,
      specialists,
      seeds,
      dev: int(1, 8),
      test: int(1, 20),
      handOver: int(0, 30),
      scoring: pick(["sum", "mean", "prior", "parse"]),
      ...(gate && { gate }),
      ...(chance(0.3) && { description: pick(texts) }),
    });
    prepare(attack, chance(0.5) ? JSON.stringify(spec) : stringify(spec));
    const result = await runWhole(attack);
    if (errors === "&errors=refused:1")
      attack.expect([1, 2].includes(result.code), `every call failed, and it ended with ${result.code}`);
    return result;
  },

  async "stores that are no folders"(attack) {
    const { pick } = attack;
    prepare(attack, stringify(study({ dev: 2, test: 4 })));
    writeFileSync(attack.path("file"), "x");
    const store = pick([
      "",
      "file",
      "file/x",
      "/dev/null",
      "/dev/null/x",
      "/proc/x",
      "/sys/x",
      "x".repeat(300),
      "\u0007",
    ]);
    const args = pick([
      ["run", file],
      ["run", file, "--dry-run"],
      ["ls"],
      ["show", "tones"],
      ["report", "tones"],
      ["compare", "tones"],
    ]);
    const result = await attack.hone([...args, "--store", store]);
    const ran = args[0] === "run" && args.length === 2;
    if (ran && store !== "\u0007")
      attack.expect(result.refused, `it took ${JSON.stringify(store)} for a store`);
    attack.expect(!existsSync(attack.path("journal.db")), "it made a store of the working folder");
    return result;
  },
};

export default {
  name: "studies",
  count: 720,
  run: (given) => runCases({ name: "studies", classes, ...given }),
};
