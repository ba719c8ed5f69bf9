// Attacks by data file: damaged, odd or malicious files through `hone data`, `hone init` and dry runs: every format with
// bytes changed, encodings, depth and size, file names and patterns, templates, archives, pipes. What is read must be what
// the file says: valid files are read back value by value, and damaged ones are never read as something else.

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { HoneError } from "../../dist/core/errors.js";
import { openZip } from "../../dist/data/zip.js";
import { lastRecord, runCases } from "./lib/cases.js";
import { longTexts, mutate, texts, values } from "./lib/hostile.js";
import { makeWorkbook, makeZip } from "./lib/zip.js";

/** Valid rows: texts with characters that trip parsers, three labels. */
function rowsOf({ pick, int }, count = int(10, 30)) {
  return Array.from({ length: count }, (_, i) => ({
    id: `r${i}`,
    text: `number ${i} ${pick(texts).slice(0, 200)}`,
    tone: pick(["kind", "rude", "plain"]),
  }));
}

const csvField = (text) => (/[",\r\n;\t]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const writers = {
  jsonl: (rows) => `${rows.map((row) => JSON.stringify(row)).join("\n")}\n`,
  json: (rows) => JSON.stringify(rows, null, 1),
  csv: (rows) => `${table(rows, (cells) => cells.map(csvField).join(","))}\n`,
  tsv: (rows) => `${table(rows, (cells) => cells.map(csvField).join("\t"))}\n`,
  parquet: (rows) => {
    const columns = Object.keys(rows[0]).map((name) => ({
      name,
      data: rows.map((row) => row[name]),
      type: "STRING",
    }));
    return Buffer.from(parquetWriteBuffer({ columnData: columns }));
  },
};
const table = (rows, line) => [Object.keys(rows[0]), ...rows.map(Object.values)].map(line).join("\n");

function save(attack, name, contents) {
  writeFileSync(attack.path(name), contents);
  return name;
}

async function show(attack, file, more = []) {
  const shown = await attack.hone(["data", "show", file, "--rows", "1000", "--json", ...more]);
  return { ...shown, rows: shown.refused ? undefined : lastRecord(shown).rows.map(({ row }) => row) };
}

/** The objects in a text of whitespace-separated JSON objects, parsed independently of Hone; undefined for damaged text. */
function objectsIn(text) {
  const found = [];
  let rest = text.replace(/^\ufeff/, "").trim();
  while (rest !== "") {
    let value;
    for (let end = rest.indexOf("}"); end >= 0 && value === undefined; end = rest.indexOf("}", end + 1)) {
      try {
        value = JSON.parse(rest.slice(0, end + 1));
        rest = rest.slice(end + 1).trim();
      } catch {}
    }
    if (value === undefined || value === null || typeof value !== "object") return undefined;
    found.push(value);
  }
  return found;
}

function textOf(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A study of `file`, for dry runs. */
function studyOf(file, data = {}) {
  return JSON.stringify({
    study: "attacked",
    model: "mock:?skill=0.8",
    task: {
      name: "tone",
      instruction: "What is the tone?",
      data: {
        source: `file:${file}`,
        input: "text",
        label: "tone",
        options: { kind: "kind", rude: "rude", plain: "plain" },
        leakage: "off",
        ...data,
      },
    },
    specialists: ["majority", { fewShot: { k: 2 } }],
  });
}

const sound = (format) => async (attack) => {
  const rows = rowsOf(attack);
  const result = await show(attack, save(attack, `sound.${format}`, writers[format](rows)));
  attack.expect(!result.refused, `it refused a sound ${format} file: ${result.stderr.slice(0, 300)}`);
  attack.expect(isDeepStrictEqual(result.rows, rows), `it read other rows than the ${format} file has`);
  return result;
};

const damaged = (format) => async (attack) => {
  const bytes = mutate(Buffer.from(writers[format](rowsOf(attack))), attack);
  const file = save(attack, `damaged.${format}`, bytes);
  const result = await show(attack, file);
  if (!result.refused && (format === "jsonl" || format === "json")) {
    const text = textOf(bytes);
    const whole = format === "json" ? parsed(text?.replace(/^\ufeff/, "") ?? "") : undefined;
    const expected = Array.isArray(whole) ? whole : text === undefined ? undefined : objectsIn(text);
    attack.expect(expected !== undefined, "it read rows from a damaged file");
    attack.expect(isDeepStrictEqual(result.rows, expected), "it read other rows than the file has");
  }
  save(attack, "attacked.study.yaml", studyOf(file));
  const second = attack.pick([
    ["data", "count", file, "--json"],
    ["data", "check", "attacked.study.yaml"],
    ["run", "attacked.study.yaml", "--dry-run"],
    ["init", "mine", "--data", file],
    ["data", "split", file, "--out", "parts"],
  ]);
  const more = await attack.hone(second);
  return { refused: result.refused || more.refused };
};

const classes = {
  "sound csv": sound("csv"),
  "sound tsv": sound("tsv"),
  "sound jsonl": sound("jsonl"),
  "sound json": sound("json"),
  "sound parquet": sound("parquet"),
  "damaged csv": damaged("csv"),
  "damaged tsv": damaged("tsv"),
  "damaged jsonl": damaged("jsonl"),
  "damaged json": damaged("json"),
  "damaged parquet": damaged("parquet"),

  async encodings(attack) {
    const text = writers.csv([{ id: "a", text: "caf\u00e9 \u20ac", tone: "kind" }]);
    const bytes = attack.pick([
      () => Buffer.from(`\ufeff${text}`, "utf16le"),
      () => Buffer.from(`\ufeff${text}`, "utf16le").swap16(),
      () => Buffer.from(text, "latin1"),
      () => Buffer.from(text.replace("caf", "c\0af")),
      () => Buffer.concat([Buffer.from(text), Buffer.from([0xff, 0xfe, 0x80])]),
      () => Buffer.from(`\ufeff\ufeff${text}`),
      () => Buffer.alloc(attack.int(1, 5000)),
      () => Buffer.from(Array.from({ length: attack.int(1, 5000) }, () => attack.int(0, 255))),
      () => Buffer.from(text.replaceAll("\n", "\r")),
    ])();
    return show(attack, save(attack, `odd.${attack.pick(["csv", "tsv", "jsonl", "json", "txt"])}`, bytes));
  },

  async "other formats' endings"(attack) {
    const rows = rowsOf(attack);
    const bytes = Buffer.from(writers[attack.pick(Object.keys(writers))](rows));
    const ending = attack.pick([
      "csv",
      "tsv",
      "jsonl",
      "json",
      "parquet",
      "txt",
      "xlsx",
      "csv.gz",
      "db",
      "sqlite",
    ]);
    return show(attack, save(attack, `other.${ending}`, bytes));
  },

  async depth(attack) {
    const deep = attack.int(50, 200_000);
    const text = attack.pick([
      () => `${'{"a":'.repeat(deep)}1${"}".repeat(deep)}`,
      () => `{"a":${"[".repeat(deep)}${"]".repeat(deep)}}`,
      () => "[".repeat(deep),
      () => '{"a":'.repeat(deep),
      () => `[${'{"text":"a"},'.repeat(2_000)}`,
    ])();
    return show(attack, save(attack, `deep.${attack.pick(["json", "jsonl"])}`, text));
  },

  async size(attack) {
    const [ending, text] = attack.pick([
      () => [
        "csv",
        `${Array.from({ length: 20_000 }, (_, i) => `c${i}`).join(",")}\n${"1,".repeat(19_999)}1\n`,
      ],
      () => ["csv", `id,text\n1,"${"x".repeat(attack.int(1, 12) * 1_000_000)}`],
      () => ["jsonl", `{"text":"${"x".repeat(attack.pick([1, 5, 66]) * 1_000_000)}"}`],
      () => ["jsonl", "\n".repeat(2_000_000)],
      () => ["json", `[${" ".repeat(2_000_000)}]`],
      () => ["csv", '"\n'.repeat(200_000)],
      () => ["csv", `a,b\n${'"'.repeat(1_000_001)}\n`],
      () => ["tsv", `a\tb\n${"\t".repeat(1_000_000)}`],
      () => ["jsonl", `{${Array.from({ length: 50_000 }, (_, i) => `"k${i}":${i}`).join(",")}}`],
    ])();
    const file = save(attack, `large.${ending}`, text);
    const result = await attack.hone(["data", "count", file]);
    const more = await attack.hone(["init", "large", "--data", file]);
    return { refused: result.refused || more.refused };
  },

  async "names and paths"(attack) {
    const { pick, path } = attack;
    writeFileSync(path("a.jsonl"), '{"id":"a","text":"b"}\n');
    mkdirSync(path("folder.jsonl"));
    mkdirSync(path("loop"));
    symlinkSync("..", path("loop", "up"));
    symlinkSync("self.jsonl", path("self.jsonl"));
    symlinkSync("/dev/zero", path("zero.jsonl"));
    writeFileSync(path("empty.jsonl"), "");
    const source = pick([
      ...[
        "folder.jsonl",
        "self.jsonl",
        "empty.jsonl",
        "zero.jsonl",
        "/dev/zero",
        "/dev/stdin",
        "/proc/self/mem",
      ],
      ...["**/*.jsonl", "loop/**/*.jsonl", "{a,b}".repeat(20), "{".repeat(500), `${"*/".repeat(300)}*`],
      ...[
        "file:",
        "file:///",
        "file:a.jsonl#x",
        "file:%2e%2e/a.jsonl",
        "hf:",
        "hf:x",
        "hf:a/../../b/c",
        "pip:",
        "pip:x",
      ],
      ...[
        "pip:--help==1#x",
        "pip:a==1#../../x",
        "http://127.0.0.1:9/x",
        "ftp:x",
        "javascript:1",
        "__proto__:x",
        "constructor:y",
      ],
      ...texts.filter((text) => !text.startsWith("-") && !text.includes("\0")),
      ...longTexts,
    ]);
    return attack.hone(["data", pick(["show", "count"]), source]);
  },

  async "patterns that backtrack"(attack) {
    for (let i = 0; i < 3; i++) writeFileSync(attack.path(`${"a".repeat(200 + i)}.jsonl`), '{"id":"a"}\n');
    const stars = attack.int(5, 60);
    return attack.hone(["data", "count", `${attack.pick(["*a", "a*", "*?", "?*a"]).repeat(stars)}b.jsonl`]);
  },

  async pipes(attack) {
    const name = attack.pick(["pipe.jsonl", "pipe.csv", "pipe.parquet", "pipe.json", "pipe.txt"]);
    execFileSync("mkfifo", [attack.path(name)]);
    save(attack, "attacked.study.yaml", studyOf(name));
    const args = attack.pick([
      ["data", "show", name],
      ["data", "count", name],
      ["data", "split", name, "--out", "parts"],
      ["init", "mine", "--data", name],
      ["run", "attacked.study.yaml", "--dry-run"],
      ["run", name],
      ["compare", "--predictions", name],
    ]);
    const result = await attack.hone(args, { own: true });
    attack.expect(result.refused, "it read a pipe");
    return result;
  },

  async templates(attack) {
    const { pick, int } = attack;
    save(attack, "rows.jsonl", writers.jsonl(rowsOf(attack)));
    const template = pick([
      "{{",
      "}}",
      "{{}}",
      "{{ }}",
      "{{text",
      "{{text|}}",
      "{{text|0}}",
      "{{text|-1}}",
      "{{text|99999999999}}",
      "{{text|1e3}}",
      "{{__proto__}}",
      "{{constructor.name}}",
      "{{text.length}}",
      "{{{{text}}}}",
      "{{text}}{{text|1}}",
      "{{text}}".repeat(int(2, 10_000)),
      "{{".repeat(int(2, 10_000)),
      "\u0000{{text}}",
      `{{${"a.".repeat(5_000)}b}}`,
      `{{${" ".repeat(50_000)}text}}`,
      pick(texts),
    ]);
    const place = pick(["input", "question", "instruction", "stratum", "id", "label"]);
    save(attack, "attacked.study.yaml", studyOf("rows.jsonl", { [place]: template }));
    return attack.hone(["run", "attacked.study.yaml", "--dry-run"]);
  },

  async "fields of `data`"(attack) {
    const { pick } = attack;
    save(attack, "rows.jsonl", writers.jsonl(rowsOf(attack)));
    const place = pick(
      "source splits split devFraction format encoding where id input question label options group limit minLabelCount eyesOff leakage evidence".split(
        " ",
      ),
    );
    const value = pick([...values, ...texts, { by: pick(values) }, { train: pick(values), dev: 1, test: 1 }]);
    save(attack, "attacked.study.yaml", studyOf("rows.jsonl", { [place]: value }));
    return attack.hone(
      pick([
        ["run", "attacked.study.yaml", "--dry-run"],
        ["data", "check", "attacked.study.yaml"],
      ]),
    );
  },

  async "rows of odd values"(attack) {
    const { pick, chance } = attack;
    const rows = rowsOf(attack).map((row) => {
      const odd = { ...row };
      if (chance(0.3)) odd[pick(["id", "text", "tone", "__proto__", "extra"])] = pick(values);
      if (chance(0.05)) delete odd.text;
      return odd;
    });
    save(attack, "rows.jsonl", writers.jsonl(rows));
    save(attack, "attacked.study.yaml", studyOf("rows.jsonl", { split: { stratify: chance(0.5) } }));
    return attack.hone(
      pick([
        ["run", "attacked.study.yaml", "--dry-run"],
        ["data", "check", "attacked.study.yaml"],
      ]),
    );
  },

  async "headers, then the study that init makes"(attack) {
    const { pick } = attack;
    const odd = texts.filter((text) => text !== "" && !text.startsWith("\ufeff"));
    const names = [...new Set([pick(odd), pick(odd), pick(odd), "text", "label"])].slice(0, 5);
    const lines = Array.from({ length: 40 }, (_, i) =>
      Object.fromEntries(names.map((name, k) => [name, `${pick(odd)}${name === "label" ? "" : i * k}`])),
    );
    const [ending, bytes] = pick([
      [
        "csv",
        `${[names, ...lines.map(Object.values)].map((row) => row.map(csvField).join(",")).join("\n")}\n`,
      ],
      ["jsonl", writers.jsonl(lines)],
    ]);
    const file = save(attack, `${pick(["data", "da ta", "d'a\"t$a", "-data", "日本"])}.${ending}`, bytes);
    const made = await attack.hone(["init", "mine", "--data", `./${file}`]);
    if (made.refused) return made;
    const check = await attack.hone(["data", "check", "mine.study.yaml"]);
    const dry = await attack.hone(["run", "mine.study.yaml", "--dry-run"]);
    attack.expect(dry.code !== 2, `init's own study is not valid: ${dry.stderr.slice(0, 400)}`);
    return { refused: check.refused || dry.refused };
  },

  async "integers above 2^53"(attack) {
    const digits = `90071992547409${attack.int(93, 99)}`;
    const place = attack.pick(["id", "gold"]);
    const lines = Array.from({ length: 20 }, (_, i) => {
      const big = i === 0 ? digits : String(i);
      const id = place === "id" ? big : i;
      return `{"id":${id},"text":"number ${i}","tone":${place === "gold" ? big : '"kind"'}}`;
    });
    const result = await attack.hone([
      "data",
      "show",
      save(attack, "large.jsonl", lines.join("\n")),
      "--json",
    ]);
    attack.expect(!result.refused, "it refused an integer above 2^53");
    attack.expect(result.stdout.includes(digits), `it changed the digits of ${digits}`);
    return result;
  },

  async zip(attack) {
    const { pick, int, path, chance } = attack;
    const members = Array.from({ length: int(1, 4) }, (_, i) => ({
      name: chance(0.7)
        ? `m${i}.txt`
        : pick(["../m.txt", "/m.txt", "a/../../m", "C:\\m", "m\0", "", "a//b", pick(texts)]),
      data: chance(0.9) ? pick(["x", "x".repeat(100_000)]) : Buffer.alloc(80e6),
      deflate: chance(0.8),
      lie: chance(0.8)
        ? {}
        : pick([{ size: int(0, 2 ** 31) }, { crc: 1 }, { method: int(0, 99) }, { offset: int(0, 2 ** 31) }]),
    }));
    const whole = makeZip(members);
    const file = path("attacked.zip");
    writeFileSync(file, attack.chance(0.5) ? mutate(whole, attack) : whole);
    attack.last = `openZip(${file})`;
    mkdirSync(path("out"));
    try {
      const archive = await openZip(file, "attacked.zip");
      try {
        for (const [i, entry] of archive.entries.entries())
          await archive.extract(entry, path("out", String(i)));
      } finally {
        await archive.close();
      }
      return { refused: false };
    } catch (error) {
      attack.expect(error instanceof HoneError, `it threw ${error?.stack ?? error}`);
      return { refused: true };
    }
  },

  async "workbooks and gzip"(attack) {
    const { pick, int, chance } = attack;
    const rows = rowsOf(attack);
    const [name, whole] = pick([
      () => ["book.xlsx", makeWorkbook(rows)],
      () => ["rows.csv.gz", gzipSync(writers.csv(rows))],
      () => ["rows.jsonl.gz", gzipSync(writers.jsonl(rows))],
      () => ["bomb.csv.gz", gzipSync(Buffer.alloc(int(1, 12) * 1_000_000, 120))],
    ])();
    const bytes = name.startsWith("bomb") || chance(0.3) ? whole : mutate(whole, attack);
    return attack.hone(["data", pick(["show", "count"]), save(attack, name, bytes)]);
  },

  async splitting(attack) {
    const { pick } = attack;
    const file = save(attack, "rows.jsonl", writers.jsonl(rowsOf(attack, 60)));
    const before = readFileSync(attack.path(file));
    const shares = pick([
      ["--dev", "0.9", "--test", "0.9"],
      ["--dev", "1", "--test", "1"],
      ["--dev", "0.1", "--test", "2"],
    ]);
    const out = pick(["parts", ".", "rows.jsonl", "/dev/null/x", "/proc/x", ""]);
    const hopeless = await attack.hone(["data", "split", file, "--out", "parts", ...shares]);
    attack.expect(hopeless.refused, `it split by ${shares.join(" ")}`);
    const result = await attack.hone([
      "data",
      "split",
      file,
      "--out",
      out,
      "--stratify",
      pick(["tone", ...texts]),
    ]);
    attack.expect(readFileSync(attack.path(file)).equals(before), "it changed the file that it split");
    return result;
  },
};

export default {
  name: "data",
  count: 690,
  run: (given) => runCases({ name: "data", classes, ...given }),
};
