import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HoneError } from "../../src/core/errors.js";
import type { Outcome } from "../../src/core/outcome.js";
import type { StudyRecord } from "../../src/core/record.js";
import { renderJunit } from "../../src/report/ci.js";
import type { Packed } from "../../src/report/details.js";
import { costFigure, scoreFigure } from "../../src/report/figures.js";
import { gather } from "../../src/report/gather.js";
import { outcomesCsv, renderSummary, writeReport } from "../../src/report/index.js";
import { renderPage } from "../../src/report/page.js";
import { fixture } from "./fixture.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hone-report-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function payload(page: string): Packed {
  const json = /<script type="application\/json" id="samples-data">(.*?)<\/script>/s.exec(page)?.[1];
  return JSON.parse(json ?? "") as Packed;
}

function decode(strings: Packed["strings"]): string[] {
  const out: string[] = [];
  let before = "";
  for (const [index, shared, rest] of strings) {
    before = before.slice(0, shared) + rest;
    out[index] = before;
  }
  return out;
}

test("three files are written, nothing else is left, and the JSON is the record", async () => {
  const study = fixture();
  const at = join(folder, "plain", "deep");
  const written = await writeReport({ ...study, folder: at });
  expect((await readdir(at)).sort()).toEqual(["report.html", "report.json", "report.md"]);
  expect(JSON.parse(await readFile(written.json, "utf8"))).toEqual(study.record);
  const again = await readFile(written.html, "utf8");
  await writeReport({ ...study, folder: at });
  expect(await readFile(written.html, "utf8")).toBe(again);
});

test("the page names its own script and style by hash and allows nothing else", async () => {
  const { html } = await writeReport({ ...fixture({ hostile: true }), folder: join(folder, "policy") });
  const page = await readFile(html, "utf8");
  const policy =
    /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1]?.replaceAll("&#39;", "'") ?? "";
  const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  const script = /<script>(.*?)<\/script>/s.exec(page)?.[1] ?? "";
  const style = /<style>(.*?)<\/style>/s.exec(page)?.[1] ?? "";
  expect(script.length).toBeGreaterThan(1000);
  expect(policy.split("; ").sort()).toEqual(
    [
      "base-uri 'none'",
      "default-src 'none'",
      "form-action 'none'",
      "require-trusted-types-for 'script'",
      `script-src ${hash(script)}`,
      `style-src ${hash(style)}`,
      "trusted-types 'none'",
    ].sort(),
  );
  expect(page.indexOf("Content-Security-Policy")).toBeLessThan(page.indexOf("<style>"));
  expect(page.match(/<script/g)).toHaveLength(2);
  const tags = page.slice(page.indexOf("<body>"), page.indexOf("<script")).replace(/"[^"]*"/g, '""');
  expect(tags).not.toMatch(/<[a-z][^>]*\s(style|on[a-z]+|href|src)=|<(img|iframe|object|embed|link|a)\b/);
  expect(page).not.toMatch(/[\u202a-\u202e\u2066-\u2069\x1b]/);
});

test("details hold the exact prompts and outputs, and prompts are packed smaller than they are", async () => {
  const study = fixture();
  const { html } = await writeReport({ ...study, folder: join(folder, "details") });
  const packed = payload(await readFile(html, "utf8"));
  const strings = decode(packed.strings);
  expect(packed.samples).toHaveLength(300);
  let prompts = 0;
  for (const sample of packed.samples) {
    for (const [s, answers] of sample.answers.entries()) {
      for (const answer of answers) {
        const key = study.all.find(
          (o) =>
            o.sample === strings[sample.id] &&
            o.subject === `id-${s}` &&
            o.task === study.record.tasks[sample.task]?.key,
        )?.calls[0];
        const request =
          key === undefined ? undefined : (study.call(key)?.request as { messages: { content: string }[] });
        const shown = answer.calls.flatMap(
          (index) => packed.calls[index]?.messages.map(([, content]) => strings[content]) ?? [],
        );
        expect(shown).toEqual(request?.messages.map(({ content }) => content) ?? []);
        prompts += shown.join("").length;
      }
    }
  }
  expect(JSON.stringify(packed).length).toBeLessThan(prompts / 2);
});

test("a report over the limit keeps what is disputed, stays under it, and says what it left out", async () => {
  const study = fixture({ samples: 400 });
  const { html, markdown } = await writeReport({
    ...study,
    folder: join(folder, "limit"),
    limits: { bytes: 500_000 },
  });
  const page = await readFile(html, "utf8");
  expect(Buffer.byteLength(page)).toBeLessThanOrEqual(500_000);
  const { samples } = payload(page);
  expect(samples.length).toBeGreaterThan(20);
  expect(samples.length).toBeLessThan(800);
  expect(page).toContain(`Details of ${800 - samples.length} samples left out`);
  const disputed = (sample: (typeof samples)[number]): boolean =>
    new Set(sample.answers.flat().map(({ score }) => score)).size > 1;
  expect(samples.every(disputed)).toBe(true);
  expect(await readFile(markdown, "utf8")).toContain("Details of 780 samples left out");
});

test("a ten megabyte answer and a lost call are shown as such", async () => {
  const study = fixture({ samples: 5 });
  const [first, second] = study.all.filter((outcome) => outcome.calls.length > 0);
  if (first?.grade.status !== "scored" || !second) throw new Error("The fixture has changed.");
  first.grade = { ...first.grade, raw: "x".repeat(10_000_000) };
  const call = (key: string) => (key === second.calls[0] ? undefined : study.call(key));
  const { html } = await writeReport({ ...study, call, folder: join(folder, "large") });
  const page = await readFile(html, "utf8");
  expect(page.length).toBeLessThan(1_000_000);
  const strings = decode(payload(page).strings);
  expect(strings).toContain(`${"x".repeat(60_000)}… (9,940,000 more characters)`);
  expect(strings).toContain("This call is no longer in the journal.");
});

test("confusion counts add up, rare keys are pooled, and samples in dispute come first", () => {
  const study = fixture();
  const { confusions, rows, samples, binary } = gather(study, 1000);
  expect(samples).toEqual([150, 150]);
  expect(binary).toEqual([true, false]);
  expect(confusions).toHaveLength(8);
  for (const { counts, keys } of confusions) {
    expect(keys).toHaveLength(6);
    expect(counts.flat().reduce((sum, count) => sum + count, 0)).toBe(150);
  }
  const result = study.record.results.find((r) => r.subject === "linear(minilm)");
  const linear = confusions.find(({ subject }) => subject.name === "linear(minilm)");
  const right = linear?.counts.reduce((sum, row, i) => sum + (row[i] ?? 0), 0);
  expect(right).toBe(Math.round((result?.mean ?? 0) * (result?.n ?? 0)));
  const quiet = rows.findIndex((row) =>
    row.answers.flat().every(({ grade }) => grade.status === "scored" && grade.score === 1),
  );
  expect(
    rows
      .slice(quiet)
      .every((row) =>
        row.answers.flat().every(({ grade }) => grade.status === "scored" && grade.score === 1),
      ),
  ).toBe(true);

  const many = study.all.map((outcome, i) =>
    outcome.task === study.record.tasks[0]?.key ? { ...outcome, gold: `rare ${i % 40}` } : outcome,
  );
  const pooled = gather({ ...study, outcomes: () => many }, 0).confusions[0];
  expect(pooled?.keys).toHaveLength(14);
  expect(pooled?.pooled).toBeGreaterThan(20);
  expect(pooled?.counts).toHaveLength(15);
  expect(pooled?.counts.flat().reduce((sum, count) => sum + count, 0)).toBe(150);
});

test("of several right answers the chosen one counts, and the page and Markdown name all", async () => {
  const study = fixture();
  const [task] = study.record.tasks;
  const of = (outcome: Outcome) => outcome.task === task?.key;
  const other = task?.labels?.at(-1)?.key as string;
  const all = study.all.map((outcome): Outcome => {
    if (!of(outcome) || outcome.gold === other) return outcome;
    const both = { ...outcome, alsoRight: [other] };
    if (outcome.subject !== "id-1") return both;
    return { ...both, grade: { status: "scored", score: 1, prediction: other } };
  });
  const source = { ...study, outcomes: () => all };
  const { confusions, rows } = gather(source, 1000);
  const name = study.record.subjects[1]?.name;
  const { keys, counts } = confusions.find((one) => one.subject.name === name) as (typeof confusions)[number];
  const row = keys.indexOf(other);
  const chosen = counts.map((line) => line[row]);
  expect(chosen.filter((_, i) => i !== row).every((count) => !count)).toBe(true);
  const shown = rows.find(({ task, right }) => task === 0 && right.length > 1);
  expect(shown?.right.at(-1)).toBe(other);
  const { markdown } = await writeReport({ ...source, folder: join(folder, "several") });
  expect(await readFile(markdown, "utf8")).toMatch(new RegExp(`Right answer: .+ / ${other}`));
});

test("a sample is right or wrong only where its score is a share, and the page says what its marks mean on which task", () => {
  const study = fixture({ samples: 20 });
  const [first, second] = study.record.tasks;
  if (!first || !second) throw new Error("two tasks");
  const legend = () => {
    const { page } = renderPage(study, gather(study, 20), { bytes: 1e6, samples: 20, text: 1000 });
    return /<span>(● [^<]+), – unscored/.exec(page)?.[1];
  };
  expect(legend()).toBe("● right, ○ wrong");
  second.metric = { ...second.metric, name: "Spearman", display: "number" };
  second.aggregated = true;
  expect(legend()).toBe(`● right, ○ wrong (${first.name}); ● answered (${second.name})`);
  delete second.aggregated;
  expect(legend()).toContain("● no worse than the generalist, ○ worse");
});

test("a score whose interval has no end stands inside its figures", () => {
  const { record } = fixture({ samples: 5 });
  const [task] = record.tasks;
  if (!task) throw new Error("a task");
  task.metric = { name: "error", better: "lower", unit: "m", least: 0, display: "number" };
  const own = record.results.filter((result) => result.task === task.name);
  for (const [i, one] of own.entries()) {
    const open = { n: 1, mean: 2 + i, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
    Object.assign(one, { ...open, baseline: 0, chance: null });
  }
  // As it was computed, and as it is read from its JSON file, where infinities are null.
  for (const read of [record, JSON.parse(JSON.stringify(record)) as StudyRecord]) {
    for (const figure of [scoreFigure(read, task.name), costFigure(read, task.name, "0")]) {
      const marks = [
        ...figure.markup.matchAll(
          /<svg x="([-\d.]+)%" y="([-\d.]+)" class="at">(?:<circle class="ring"[^>]*>)?<path class="mark/g,
        ),
      ];
      expect(marks.length).toBeGreaterThanOrEqual(own.length);
      for (const [, x, y] of marks) {
        expect(Number(x)).toBeGreaterThanOrEqual(0);
        expect(Number(x)).toBeLessThanOrEqual(100);
        expect(Number(y)).toBeGreaterThan(0);
        expect(Number(y)).toBeLessThan(320);
      }
    }
  }
});

test("a hand-over that disagrees says in JUnit how many answers did", () => {
  const { record } = fixture({ samples: 5 });
  const handOver = { path: "x.json", subject: "x", outcomes: "x", n: 20, agree: 18 };
  expect(renderJunit({ ...record, handOver })).toContain('<failure message="18 of 20 answers agree.">');
  const none = renderJunit({ ...record, handOver: { ...handOver, n: 0, agree: 0 } });
  expect(none).toContain('<skipped message="No answer was compared."/>');
  expect(none).toMatch(/ skipped="1"/);
});

test("an answer that could not be read has its own column, and recall is of what was scored, on both pages", async () => {
  const study = fixture();
  const champion = study.record.subjects.findIndex(({ name }) => name === study.record.verdict?.champion);
  let met = 0;
  const all = study.all.map((outcome): Outcome => {
    if (outcome.task !== study.record.tasks[0]?.key || outcome.subject !== `id-${champion}`) return outcome;
    const { gold } = outcome;
    if (gold !== "permissive" || ++met > 2)
      return { ...outcome, grade: { status: "scored", score: 1, prediction: gold } };
    return {
      ...outcome,
      grade:
        met === 1 ? { status: "scored", score: 0, prediction: "" } : { status: "unscored", cause: "timeout" },
    };
  });
  const source = { ...study, outcomes: () => all };
  const { html, markdown } = await writeReport({ ...source, folder: join(folder, "unread") });
  const share = `${(100 * (1 - 1 / (met - 1))).toFixed(met > 100 ? 1 : 0)}%`;
  const cells = [met - 2, 0, 0, 0, 0, 0, 1, 1, met, share];
  const section = (await readFile(markdown, "utf8")).split("## Confusion")[1] ?? "";
  expect(section).toMatch(/\| Commercial \| no answer \| unscored \| all \| recall \|/);
  expect(section).toContain(`| Permissive | ${cells.join(" | ")} |`);
  const matrix =
    (await readFile(html, "utf8"))
      .split("<div data-matrix=")
      .find((part) => part.startsWith(`"0-${champion}"`)) ?? "";
  const texts = (row: string) =>
    [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/g)].map(([, cell]) => cell?.replace(/<[^>]*>/g, ""));
  const [head, first] = matrix.split("<tr>").slice(1).map(texts);
  expect(head?.slice(-4)).toEqual(["no answer", "unscored", "all", "recall"]);
  expect(first).toEqual(["Permissive", ...cells].map((cell) => (cell === 0 ? "·" : String(cell))));
});

test("outcomes under other seeds are not counted, and equal specialists have the same matrix", async () => {
  const study = fixture();
  const subjects = study.record.subjects.map((card, i) => (i === 7 ? { ...card, ids: ["id-6"] } : card));
  const all = [...study.all, ...study.all.map((outcome) => ({ ...outcome, seed: 2 }))];
  const record = { ...study.record, subjects };
  const { confusions, rows } = gather({ ...study, record, outcomes: () => all }, 1000);
  const counts = (index: number) =>
    confusions.find(({ subject }) => subject.name === subjects[index]?.name)?.counts;
  expect(
    counts(6)
      ?.flat()
      .reduce((sum, count) => sum + count, 0),
  ).toBe(150);
  expect(counts(7)).toEqual(counts(6));
  expect(rows.every(({ answers }) => answers.every((seeds) => seeds.length <= 1))).toBe(true);
  const csv = [
    ...outcomesCsv(
      record,
      study.all.filter(({ subject }) => subject === "id-6"),
    ),
  ];
  expect(csv.filter((line) => line.startsWith('"majority"'))).toHaveLength(150);
  expect(csv.filter((line) => line.startsWith('"linear(minilm)"'))).toHaveLength(150);
});

test("the profile has the paired difference where a sample is unscored, the same on both pages", async () => {
  const study = fixture();
  const [generalist, task] = [study.record.subjects[0]?.name, study.record.tasks[0]?.name];
  const comparisons = study.record.comparisons.map((pair) =>
    pair.a === "calibrate" && pair.b === generalist && pair.task === task
      ? { ...pair, delta: 0.123, pAdjusted: 0.01 }
      : pair,
  );
  const record = { ...study.record, comparisons };
  const { html, markdown } = await writeReport({ ...study, record, folder: join(folder, "paired") });
  const profile = (await readFile(markdown, "utf8")).split("## Specialization profile")[1] ?? "";
  expect(profile).toMatch(/^\| calibrate \| [\d.]+% \(\*\*\+12\.3\*\*\) \|/m);
  expect(await readFile(html, "utf8")).toContain('<span class="difference strong">+12.3</span>');
});

test("dev scores are marked where dev chose more than the champion, with a legend", async () => {
  const write = async (marked: string | null, name: string) => {
    const study = fixture();
    const results = study.record.results.map((result) =>
      result.subject === marked && result.dev
        ? { ...result, dev: { ...result.dev, optimistic: true as const } }
        : result,
    );
    const record = { ...study.record, results };
    const { html, markdown } = await writeReport({ ...study, record, folder: join(folder, name) });
    return Promise.all([html, markdown].map((path) => readFile(path, "utf8")));
  };
  for (const text of await write("calibrate", "optimistic")) {
    // One score and one legend, below the table of the one task that has dev scores.
    expect(text.match(/†/g)).toHaveLength(2);
    expect(text).toContain("dev also chose a checkpoint");
  }
  for (const text of await write(null, "fair")) expect(text).not.toContain("†");
});

test("the Markdown says what the record says", async () => {
  const study = fixture();
  const { markdown } = await writeReport({ ...study, folder: join(folder, "markdown") });
  const text = await readFile(markdown, "utf8");
  const headings = text.match(/^## .*$/gm);
  expect(headings).toEqual(
    [
      "Results",
      "Comparisons",
      "Specialization profile",
      "Confusion",
      "Eyes-on and eyes-off",
      "Unscored",
      "Samples",
      "The seal",
      "How to reproduce",
    ].map((h) => `## ${h}`),
  );
  const best = study.record.results.find((r) => r.subject === study.record.verdict?.champion);
  expect(text).toContain(
    `| **knn(k=4, minilm) + calibrate** (champion) | ${(100 * (best?.mean ?? 0)).toFixed(1)}% | ${(100 * (best?.low ?? 0)).toFixed(1)}–${(100 * (best?.high ?? 0)).toFixed(1)} | ${best?.n} |`,
  );
  expect(text).toContain("test opened by 3 plans; 120 of 150 rows opened before, by 2 other plans");
  expect(text).toContain("150 of 150 answers agree");
  expect(text).toContain("npx hone run examples/licences.study.yaml --seed 1");
});

test("hostile Markdown keeps its tables' shape and has no markup of its own outside fences", async () => {
  const { markdown } = await writeReport({
    ...fixture({ hostile: true }),
    folder: join(folder, "hostile-markdown"),
  });
  const lines = (await readFile(markdown, "utf8")).split("\n");
  let fence = "";
  let columns = 0;
  for (const line of lines) {
    const run = /^(`{3,})(text)?$/.exec(line);
    if (run && (fence === "" ? run[2] : run[1] === fence)) {
      fence = fence === "" ? (run[1] as string) : "";
      continue;
    }
    if (fence !== "") continue;
    const bare = line.replace(/\\[\\`*_[\]|~$!{}#+=-]/g, "");
    expect(bare).not.toMatch(/[`<>]|\]\(|:\/\//);
    const cells = bare.startsWith("|") ? bare.split("|").length : 0;
    if (cells > 0 && columns > 0) expect(cells).toBe(columns);
    columns = cells;
  }
  expect(fence).toBe("");
});

test("a stopped study without a verdict still makes a report", async () => {
  const study = fixture({ samples: 10 });
  const empty: StudyRecord = {
    ...study.record,
    results: [],
    comparisons: [],
    verdict: null,
    handOver: null,
    gate: null,
    stopped: "--max-time 10s",
  };
  const { html, markdown } = await writeReport({
    ...study,
    record: empty,
    outcomes: () => [],
    folder: join(folder, "empty"),
  });
  expect(await readFile(html, "utf8")).toContain("No verdict: the run was stopped (--max-time 10s).");
  expect(await readFile(markdown, "utf8")).toContain("No verdict: the run was stopped");
});

test("a study in which nothing could be scored makes a report, as stored or as run", async () => {
  const study = fixture({ samples: 10 });
  const all = study.all.map((outcome) => ({
    ...outcome,
    grade: { status: "unscored", cause: "unreachable" } as const,
  }));
  const nothing = { n: 0, mean: Number.NaN, low: Number.NaN, high: Number.NaN };
  const results = study.record.results.map((result) => ({
    ...result,
    ...nothing,
    unscored: 10,
    causes: { unreachable: 10 },
  }));
  const comparisons = study.record.comparisons.map((c) => ({
    ...c,
    n: 0,
    delta: Number.NaN,
    low: Number.NaN,
    high: Number.NaN,
    p: 1,
  }));
  const record = { ...study.record, results, comparisons };
  for (const kept of [record, JSON.parse(JSON.stringify(record)) as StudyRecord]) {
    const { html } = await writeReport({
      ...study,
      record: kept,
      outcomes: () => all,
      folder: join(folder, "nothing"),
    });
    const page = await readFile(html, "utf8");
    expect(page.slice(0, page.indexOf("<script"))).not.toMatch(/NaN|Infinity|undefined|null/);
    expect(renderSummary(kept, { colour: false, width: 80 })).not.toMatch(/NaN|Infinity|undefined|null/);
  }
});

test("a folder that cannot be written is one clear error", async () => {
  const blocked = join(folder, "file");
  await writeFile(blocked, "");
  const failure = await writeReport({ ...fixture({ samples: 5 }), folder: blocked }).catch(
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(HoneError);
  expect((failure as HoneError).failure.where).toBe(join(blocked, "report.html"));
});

test("the CSV names subjects and tasks as the report does, and says what the journal calls them", () => {
  const { all, record } = fixture({ samples: 20 });
  const rows = parse([...outcomesCsv(record, all)].join(""), { columns: true }) as Record<string, string>[];
  expect(new Set(rows.map(({ subject }) => subject))).toEqual(
    new Set(record.subjects.map(({ name }) => name)),
  );
  expect(new Set(rows.map(({ task }) => task))).toEqual(new Set(record.tasks.map(({ name }) => name)));
  for (const [i, { subject, task }] of all.entries())
    expect(rows[i]).toMatchObject({ subject_id: subject, task_id: task });
});

test("the CSV has one inert row an outcome and streams", () => {
  const { all, record } = fixture({ hostile: true });
  const rows = parse([...outcomesCsv(record, all)].join(""), { columns: true }) as Record<string, string>[];
  expect(rows).toHaveLength(all.length);
  for (const row of rows)
    for (const cell of Object.values(row)) expect(cell).not.toMatch(/^[=@\t\r]|^[+-](?!\d)|[\x1b\u202e]/);
  expect(
    rows.filter((row) => row.status === "unscored").every((row) => row.score === "" && row.cause !== ""),
  ).toBe(true);
  const endless = (function* () {
    for (;;) yield* all;
  })();
  const stream = outcomesCsv(record, endless);
  expect(stream.next().value).toMatch(/^subject,task,/);
  expect(stream.next().value).toMatch(/\r\n$/);
});
