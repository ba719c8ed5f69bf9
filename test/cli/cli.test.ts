// The command line as scripts and people meet it: records, exit codes, errors, and what it does with hostile data.

import { execFile } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { filesOf } from "../../src/cli/study-file.js";
import { type MockServer, startMockServer } from "../../src/models/mock-server.js";
import { openJournal } from "../../src/store/journal.js";
import { toneStudy, writeToneStudy, writeTones } from "../study/fixture.js";

const root = resolve(import.meta.dirname, "../..");
const bin = join(root, "bin/hone.js");
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hone-cli-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
  records: Record<string, unknown>[];
}

function hone(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      [bin, ...args],
      { cwd: folder, env: { ...process.env, ...env }, maxBuffer: 1e8 },
      (error, stdout, stderr) => {
        const records = args.includes("--json")
          ? stdout
              .split("\n")
              .filter(Boolean)
              .map((line) => JSON.parse(line))
          : [];
        done({ code: error ? Number(error.code) : 0, stdout, stderr, records });
      },
    );
  });
}

describe("hone run", () => {
  it("prints launch, progress and last a done record; reports; and takes everything from the journal the second time", async () => {
    const study = writeToneStudy(folder, {
      model: "mock:?skill=0.9&seed=1",
      specialists: [{ fewShot: { k: 3 } }, "linear", "majority"],
    });
    const first = await hone(["run", study, "--json"]);
    expect(first.code, first.stderr).toBe(0);
    expect(first.records[0]?.type).toBe("launch");
    expect(first.records.some(({ type }) => type === "progress")).toBe(true);
    const done = first.records.at(-1) as {
      type: string;
      results: Record<string, unknown>[];
      comparisons: unknown[];
      verdict: { text: string };
      openings: number;
      handOver: { n: number; agree: number };
    };
    expect(done.type).toBe("done");
    expect(done.openings).toBe(1);
    expect(done.results.map(({ subject }) => subject)).toEqual([
      "zeroShot",
      "fewShot(k=3)",
      "linear(tfidf)",
      "majority",
    ]);
    for (const result of done.results) {
      for (const key of [
        "subject",
        "task",
        "metric",
        "n",
        "unscored",
        "mean",
        "low",
        "high",
        "baseline",
        "build",
        "perAnswer",
      ]) {
        expect(result, key).toHaveProperty(key);
      }
      expect(result.low as number).toBeLessThanOrEqual(result.mean as number);
      expect(result.high as number).toBeGreaterThanOrEqual(result.mean as number);
    }
    expect(done.handOver).toMatchObject({ n: 20, agree: 20 });
    expect(done.verdict.text).toMatch(/sealed test samples/);
    for (const name of ["report.html", "report.md", "report.json"]) {
      expect(existsSync(join(folder, ".hone/reports/tones", name))).toBe(true);
    }
    const second = await hone(["run", study, "--json"]);
    const again = second.records.at(-1) as typeof done & { spentUsd: number };
    expect(again.results).toEqual(done.results);
    expect(again.comparisons).toEqual(done.comparisons);
    expect(again.openings).toBe(1);
  });

  it("stops after dev with --dev-only, the test unopened, and goes on from there", async () => {
    const study = writeToneStudy(folder, {
      ...{ name: "sealed", model: "mock:?skill=0.9&seed=1", specialists: ["linear", "majority"], dev: 30 },
      extra: { gate: { atLeast: 0.99 } },
    });
    // A store of its own: other tests open these rows.
    const own = ["--store", join(folder, "sealed")];
    const sealed = await hone(["run", study, "--dev-only", ...own]);
    expect(sealed.code, sealed.stderr).toBe(0);
    expect(sealed.stdout).toMatch(/dev accuracy +95 % interval +n\n/);
    expect(sealed.stdout).toContain("The test stays sealed");
    for (const name of ["zeroShot", "linear(tfidf)", "majority"])
      expect(sealed.stdout).toMatch(new RegExp(`  ${name.replace(/[()]/g, "\\$&")} +[\\d.]+%`));
    const again = await hone(["run", study, "--dev-only", "--json", ...own]);
    expect(again.records.at(-1)).toMatchObject({
      openings: 0,
      verdict: null,
      stopped: expect.stringContaining("--dev-only"),
    });
    const whole = await hone(["run", study, "--json", ...own]);
    expect(whole.records.at(-1)).toMatchObject({ openings: 1, stopped: null });

    // Afterwards it shows nothing of test either, and the record with the verdict stays.
    const after = await hone(["run", study, "--dev-only", ...own]);
    expect(after.stdout).toMatch(/dev accuracy[\s\S]*others have/);
    expect(after.stdout).not.toMatch(/Report:|sealed test samples/);
    expect((await hone(["ls", "--json", ...own])).stdout).toMatch(/"sealed"[^\n]*linear\(tfidf\)/);
    expect((await hone(["run", study, "--dev-only", "--dry-run"])).code).toBe(2);

    const none = writeToneStudy(folder, { name: "undeveloped", model: "mock:", dev: 0 });
    const refused = await hone(["run", none, "--dev-only"]);
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain("no dev split");
  });

  it("says what it would do without opening test or asking the model", async () => {
    const study = writeToneStudy(folder, {
      name: "dry",
      model: "mock:?skill=0.9&price=1,2",
      dev: 10,
      test: 40,
    });
    const { code, records, stderr } = await hone(["run", study, "--dry-run", "--json"]);
    expect(code, stderr).toBe(0);
    const plan = records[0] as {
      type: string;
      calls: number;
      usd: number;
      priced: boolean;
      subjects: { subject: string; calls: { dev: number; test: number } }[];
    };
    expect(plan.type).toBe("plan");
    expect(plan.priced).toBe(true);
    expect(plan.usd).toBeGreaterThan(0);
    expect(plan.subjects.find(({ subject }) => subject === "zeroShot")?.calls).toEqual({
      fit: 0,
      dev: 10,
      test: 40,
    });
    // A store of its own: other studies here open rows of the same test.
    const real = await hone(["run", study, "--json", "--store", join(folder, "dry-store")]);
    const done = real.records.at(-1) as { spentUsd: number; openings: number };
    expect(done.openings).toBe(1);
    expect(done.spentUsd).toBeGreaterThan(0);
    expect(done.spentUsd).toBeLessThanOrEqual(plan.usd);
  });

  it("stops cleanly at --max-cost and goes on from there", async () => {
    const study = writeToneStudy(folder, {
      name: "dear",
      model: "mock:?skill=0.9&price=100,100&concurrency=4",
      dev: 20,
      test: 60,
    });
    const stopped = await hone(["run", study, "--json", "--max-cost", "0.2"]);
    const record = stopped.records.at(-1) as { stopped: string; verdict: unknown; spentUsd: number };
    expect(stopped.code).toBe(100);
    expect(record.stopped).toMatch(/--max-cost/);
    expect(record.verdict).toBeNull();
    expect(record.spentUsd).toBeLessThanOrEqual(0.2);
    expect(record.spentUsd).toBeGreaterThan(0.1);
    const whole = await hone(["run", study, "--json"]);
    expect(whole.code, whole.stderr).toBe(0);
    // Until a call has returned nobody knows what one costs, so there is only one; the verdict of the run before stays.
    const dearer = writeToneStudy(folder, {
      ...{ name: "dear", model: "mock:?skill=0.9&price=1e5,1e5&concurrency=4&seed=2", dev: 20, test: 60 },
    });
    const one = (await hone(["run", dearer, "--json", "--max-cost", "0.2"])).records.at(-1);
    const { spentUsd } = one as { spentUsd: number };
    expect(spentUsd).toBeGreaterThan(1);
    expect(spentUsd).toBeLessThan(12);
    const url = "http://127.0.0.1:9/v1";
    const unpriced = writeToneStudy(folder, { name: "unpriced", model: `openai:m?base=${url}` });
    const refused = await hone(["run", unpriced, "--max-cost", "1"]);
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringContaining("price of its tokens is not known"),
    ]);
  });

  it("does not blame the model for what a stopped run has not asked it", async () => {
    const study = writeToneStudy(folder, {
      ...{
        name: "unmade",
        model: "mock:?skill=0.9&seed=7&errors=500:0.5&retries=0&latency=500&concurrency=2",
      },
      ...{ dev: 20, specialists: [{ cot: { use: { fewShot: { k: 2 } }, pool: 20, maxTokens: 20 } }] },
    });
    const { code, stderr, records } = await hone(["run", study, "--json", "--max-time", "5"]);
    expect(stderr).toMatch(/could not be made \(server-error/);
    expect(records.at(-1)).toMatchObject({ stopped: expect.stringContaining("--max-time") });
    expect(stderr).not.toContain("failed on every sample");
    expect(code).toBe(100);
  });

  it("stops at --max-time whatever the endpoint does, and leaves the verdict of the run before", async () => {
    const own = ["--store", join(folder, "timed")];
    const spec = { name: "timed", model: "mock:?skill=0.9", dev: 10, test: 20 };
    const study = writeToneStudy(folder, spec);
    expect((await hone(["run", study, ...own])).code).toBe(0);
    const brief = await hone(["run", study, "--max-time", "0", ...own]);
    expect([brief.code, brief.stdout]).toEqual([
      100,
      expect.stringContaining("reached 0 of 90 answers; all"),
    ]);
    const hangs = writeToneStudy(folder, { ...spec, name: "hangs", model: "mock:?errors=hang:1&timeout=1" });
    // Had it gone on trying, this would be the error of an endpoint that does not answer.
    const stopped = await hone(["run", hangs, "--json", "--max-time", "1", ...own]);
    expect(stopped.code).toBe(100);
    expect(stopped.records.at(-1)).toMatchObject({ stopped: expect.stringContaining("--max-time") });
    // Also after an edit, while its new scores on dev are looked at.
    const edited = writeToneStudy(folder, { ...spec, specialists: ["majority", "linear"] });
    expect((await hone(["run", edited, "--dev-only", ...own])).code).toBe(0);
    const listed = (await hone(["ls", "--json", ...own])).stdout;
    expect(listed).toMatch(/"timed"[^\n]*"champion":"zeroShot"/);
  });

  it("makes the folders of what it writes, and never overwrites what it reads", async () => {
    const own = ["--store", join(folder, "written")];
    const study = writeToneStudy(folder, { name: "written", model: "mock:?skill=0.9", dev: 10, test: 20 });
    const junit = join(folder, "new", "deep", "junit.xml");
    expect((await hone(["run", study, "--junit", junit, ...own])).code).toBe(0);
    expect(readFileSync(junit, "utf8")).toContain("<testsuite");
    const data = join(folder, "tones.jsonl");
    const before = readFileSync(data, "utf8");
    for (const [args, name] of [
      [["predict", "written", "--data", data, "--out", data], data],
      [["data", "export", study, "--as", "sft", "--out", data], data],
      [["data", "export", study, "--as", "sft", "--out", study], study],
      [["run", study, "--junit", study], study],
    ] as const) {
      const kept = readFileSync(name, "utf8");
      const { code, stderr } = await hone([...args, ...(args[0] === "data" ? [] : own)]);
      expect([code, stderr], args.join(" ")).toEqual([2, expect.stringContaining("overwrite its own input")]);
      expect(readFileSync(name, "utf8")).toBe(kept);
    }
    for (const ending of ["jsonl", "parquet"]) {
      const out = join(folder, "also new", `p.${ending}`);
      expect((await hone(["predict", "written", "--data", data, "--out", out, ...own])).code).toBe(0);
      expect(readFileSync(out).length).toBeGreaterThan(100);
    }
    const exported = join(folder, "another", "sft.jsonl");
    expect((await hone(["data", "export", study, "--as", "sft", "--out", exported])).code).toBe(0);
    expect(statSync(exported).mode & 0o777).toBe(0o600);
    // Links are written through.
    const [target, link] = [join(folder, "target.jsonl"), join(folder, "link.jsonl")];
    writeFileSync(target, "old");
    symlinkSync(target, link);
    expect((await hone(["data", "export", study, "--as", "sft", "--out", link])).code).toBe(0);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(target, "utf8")).toBe(readFileSync(exported, "utf8"));
    expect(await filesOf({ data: { source: "file:ton*.jsonl" } }, folder)).toEqual([data]);
    expect(before).toBe(readFileSync(data, "utf8"));
  });

  it("exits with 100 where a gate is not met", async () => {
    const extra = { gate: { atLeast: 0.999 } };
    const study = writeToneStudy(folder, { name: "gated", model: "mock:?skill=0.5&seed=2", extra });
    const { code, records, stderr } = await hone(["run", study, "--json"]);
    expect(code).toBe(100);
    expect(records.at(-1)).toMatchObject({ gate: { met: false } });
    expect(stderr).toMatch(/gate was not met/);
    // A misspelt subject is found before anything is asked.
    const beats = "\u001b]0;title\u0007";
    const misspelt = writeToneStudy(folder, { name: "misspelt", model: "mock:", extra: { gate: { beats } } });
    const refused = await hone(["run", misspelt, "--dry-run"]);
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/does not have[\s\S]*zeroShot/),
    ]);
    // What the study names may not steer the terminal.
    expect(refused.stderr).not.toMatch(/[\u0007\u001b]/);
    const twice = writeToneStudy(folder, { name: "twice", model: "mock:", extra: { seeds: [1, 2, 1] } });
    expect((await hone(["run", twice, "--dry-run"])).stderr).toMatch(/a seed is listed twice/);
  });

  it("answers a dead endpoint with one error and leaves nothing unscored", async () => {
    const study = writeToneStudy(folder, {
      name: "dead",
      model: "openai:m?base=http://127.0.0.1:9/v1&retries=0",
    });
    const { code, records, stderr } = await hone(["run", study, "--json"], {
      OPENAI_API_KEY: "sk-very-secret-key",
    });
    expect(code).toBe(1);
    expect(records.at(-1)).toMatchObject({ type: "error", code: 1 });
    expect(stderr).toMatch(/does not answer at all[\s\S]*next:/);
    expect(stderr).not.toContain("very-secret");
  });

  it("leaves unscored what a hostile endpoint spoils, and tries again with --retry-errors", async () => {
    const server: MockServer = await startMockServer({ behaviour: { "500": 0.25 }, model: "?skill=0.9" });
    try {
      const study = writeToneStudy(folder, {
        name: "hostile",
        model: `openai:m?base=${server.url}&retries=0&score=top&concurrency=8`,
        specialists: ["majority"],
        extra: { handOver: 0 },
      });
      const { code, records, stderr } = await hone(["run", study, "--json"], { OPENAI_API_KEY: "k" });
      expect(code, stderr).toBe(0);
      const done = records.at(-1) as {
        results: { subject: string; n: number; unscored: number; causes: Record<string, number> }[];
      };
      const zero = done.results[0];
      expect(zero?.unscored).toBeGreaterThan(3);
      expect(zero?.causes).toEqual({ "server-error": zero?.unscored });
      expect((zero?.n ?? 0) + (zero?.unscored ?? 0)).toBe(60);
      const again = await hone(["run", study, "--json", "--retry-errors"], { OPENAI_API_KEY: "k" });
      const retried = again.records.at(-1) as typeof done;
      expect(retried.results[0]?.unscored).toBeLessThan(zero?.unscored as number);
    } finally {
      await server.close();
    }
  });

  it("stops on training samples that occur in test, with their ids", async () => {
    const value = toneStudy({ name: "leaky", model: "mock:" });
    const task = value.task as { data: Record<string, unknown> };
    writeTones(join(folder, "tones.jsonl"), 100);
    const lines = readFileSync(join(folder, "tones.jsonl"), "utf8").trim().split("\n");
    writeFileSync(join(folder, "train.jsonl"), `${lines.slice(0, 60).join("\n")}\n`);
    const leaked = lines.slice(55, 80).map((line) => line.replace('"id":"row-', '"id":"test-'));
    writeFileSync(join(folder, "test.jsonl"), `${leaked.join("\n")}\n`);
    task.data = {
      splits: { train: "file:train.jsonl", test: "file:test.jsonl" },
      input: "text",
      label: "tone",
      options: task.data.options,
    };
    writeFileSync(join(folder, "leaky.study.yaml"), JSON.stringify(value));
    const { code, stderr } = await hone(["run", "leaky.study.yaml"]);
    expect(code).toBe(100);
    expect(stderr).toMatch(/row-5[5-9]/);
    expect(stderr).toMatch(/test-5[5-9]/);
  });
});

describe("hone", () => {
  it("shows help, exits with 2 on usage errors, and suggests", async () => {
    expect((await hone(["--help"])).stdout).toMatch(/hone demo/);
    expect((await hone(["--version"])).stdout.trim()).toMatch(/^\d+\.\d+\.\d+/);
    const wrong = await hone(["rum"]);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(/Did you mean run/);
    expect((await hone(["run"])).code).toBe(2);
    expect((await hone(["run", "none.yaml"])).code).toBe(2);
    expect((await hone(["run", "x.yaml", "--max-cost", "much"])).code).toBe(2);
    expect((await hone(["compare"])).code).toBe(2);
    expect((await hone(["show", "nothing", "--store", "nowhere"])).code).toBe(2);
  });

  it("lists the others beside a result that an older Hone wrote", async () => {
    const study = writeToneStudy(folder, { name: "aged", model: "mock:?skill=0.8&seed=3" });
    expect((await hone(["run", study, "--quiet", "--store", "aged"])).code).toBe(0);
    const journal = openJournal(join(folder, "aged/journal.db"));
    const old = { hone: "0.0.9", tasks: [{ name: "tone", metric: "accuracy" }] };
    journal.db.prepare("update studies set record = ?").run(JSON.stringify(old));
    journal.close();
    const { code, stdout } = await hone(["ls", "--store", "aged"]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/aged +older/)]);
    expect((await hone(["show", "aged", "--store", "aged"])).stderr).toMatch(/written by an older Hone/);
    // As the error says, another run replaces it.
    expect((await hone(["run", study, "--quiet", "--store", "aged"])).code).toBe(0);
    expect((await hone(["show", "aged", "--store", "aged"])).code).toBe(0);
  });

  it("lists, shows and compares what was run", async () => {
    const study = writeToneStudy(folder, { name: "seen", model: "mock:?skill=0.8&seed=3" });
    expect((await hone(["run", study, "--quiet"])).code).toBe(0);
    expect((await hone(["ls"])).stdout).toMatch(/seen +done/);
    const shown = (await hone(["show", "seen"])).stdout;
    expect(shown).toMatch(/sealed test samples/);
    expect(shown).toMatch(/Saved specialist: \.hone\/specialists\/seen\.json/);
    const csv = (await hone(["report", "seen", "--format", "csv"])).stdout;
    expect(csv).toMatch(/\n"fewShot\(k=3\)","tone","test",/);
    for (const more of [[], ["--sample", "row-1"]]) {
      const wrong = await hone(["show", "seen", "--subject", "fewshot", ...more]);
      expect(wrong.code).toBe(2);
      expect(wrong.stderr).toMatch(/no subject fewshot[\s\S]*it has zeroShot; fewShot\(k=3\); majority/);
    }
    const one = (await hone(["show", "seen", "--subject", "fewShot(k=3)"])).stdout;
    expect(one).toMatch(/^\W*fewShot\(k=3\) .*%/m);
    expect(one).not.toMatch(/^\W*majority {2,}/m);
    const [alone] = (await hone(["show", "seen", "--subject", "majority", "--json"])).records;
    expect(alone?.results).toMatchObject([{ subject: "majority" }]);
    const id = /row-\d+/.exec(csv)?.[0] as string;
    const sample = (await hone(["show", "seen", "--sample", id])).stdout;
    expect(sample).toMatch(/What is the tone\?/);
    expect(sample).toMatch(/gold: [prn]/);
    const { records } = await hone(["compare", "seen", "--json"]);
    expect((records[0] as { comparisons: unknown[] }).comparisons).toHaveLength(3);
    const table = (await hone(["compare", "seen", "zeroShot", "majority"])).stdout;
    expect(table).toMatch(/zeroShot − majority|majority − zeroShot/);
    expect((await hone(["compare", "seen", "nobody"])).code).toBe(2);
    expect((await hone(["report", "seen", "--format", "pdf"])).code).toBe(2);
  });

  it("is inert to what models and data say: no escape codes reach the terminal", async () => {
    writeTones(join(folder, "evil.jsonl"), 120);
    const rows = readFileSync(join(folder, "evil.jsonl"), "utf8").trim().split("\n");
    const evil = rows.map((line) => {
      const row = JSON.parse(line);
      return JSON.stringify({
        ...row,
        id: `${row.id}\u001b[2J`,
        text: `${row.text} \u001b]0;owned\u0007 <script>alert(1)</script>`,
      });
    });
    writeFileSync(join(folder, "tones.jsonl"), `${evil.join("\n")}\n`);
    writeFileSync(
      join(folder, "evil.study.yaml"),
      JSON.stringify(toneStudy({ name: "evil", model: "mock:", dev: 5, test: 15 })),
    );
    const ran = await hone(["run", "evil.study.yaml"]);
    expect(ran.code, ran.stderr).toBe(0);
    const { records } = await hone(["report", "evil", "--format", "csv"]).then(() =>
      hone(["show", "evil", "--json"]),
    );
    expect(records).toHaveLength(1);
    const csv = (await hone(["report", "evil", "--format", "csv"])).stdout;
    const id = /row-\d+/.exec(csv)?.[0] as string;
    const shown = await hone(["show", "evil", "--sample", `${id}\u001b[2J`]);
    expect(shown.stdout).toMatch(/What is the tone/);
    for (const text of [ran.stdout, ran.stderr, shown.stdout]) expect(text).not.toMatch(/[\u001b\u0007]/);
    const html = readFileSync(join(folder, ".hone/reports/evil/report.html"), "utf8");
    expect(html).not.toContain("<script>alert(1)");
  });

  it("writes a study that runs, from a data file's own fields", async () => {
    writeTones(join(folder, "mine.jsonl"), 300);
    const asked = ["init", "mine", "--data", "mine.jsonl", "--label", "tone", "--model", "mock:?skill=0.8"];
    const made = await hone(asked);
    expect(made.code, made.stderr).toBe(0);
    expect((await hone(["init", "mine", "--data", "mine.jsonl"])).code).toBe(2);
    expect((await hone(["data", "check", "mine.study.yaml"])).stdout).toMatch(/3 labels/);
    const bare = JSON.stringify({
      ...{ study: "bare", model: "mock:", specialists: ["majority"] },
      task: { name: "tone", data: { source: "file:mine.jsonl", input: "text", label: "tone" } },
    });
    writeFileSync(join(folder, "bare.yaml"), bare);
    for (const command of [["data", "check"], ["run"]]) {
      const refused = await hone([...command, "bare.yaml"]);
      expect([refused.code, refused.stderr], command.join(" ")).toEqual([
        2,
        expect.stringMatching(/^\s*A sample has no options/),
      ]);
    }
    const ran = await hone(["run", "mine.study.yaml", "--quiet"]);
    expect(ran.code, ran.stderr).toBe(0);
  });

  it("advises: the map without options, routes and a study with them, a usage error for words unknown", async () => {
    for (const unknown of ["nope:x", "llama:smollm2-135m-instrct", "llama"])
      expect((await hone(["advise", "--model", unknown])).stderr, unknown).toMatch(/Unknown model/);
    expect((await hone(["serve", "x", "--port", "99999"])).stderr).toMatch(/at most 65535/);
    expect((await hone(["advise"])).stdout).toMatch(/low-rank adapter \[gradients, weights\]: lora/);
    writeTones(join(folder, "advise.jsonl"), 300);
    const said = ["advise", "--data", "advise.jsonl", "--label", "tone", "--model", "mock:?skill=0.8"];
    const { code, stderr, records } = await hone([...said, "--out", "advised.yaml", "--json"]);
    expect(code, stderr).toBe(0);
    const done = records.at(-1) as { type: string; study: string; routes: unknown[]; ruledOut: unknown[] };
    expect(done.type).toBe("done");
    expect(done.routes.length).toBeGreaterThan(3);
    expect(JSON.stringify(done.ruledOut)).toMatch(/lora.*needs gradients and weights/);
    expect(readFileSync(join(folder, "advised.yaml"), "utf8")).toBe(done.study);
    expect((await hone([...said, "--out", "advised.yaml"])).code).toBe(2);
    const check = await hone(["run", "advised.yaml", "--dry-run"]);
    expect(check.code, check.stderr).toBe(0);
    const unknown = await hone(["advise", "--access", "text,telepathy"]);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toMatch(/telepathy.*\n.*\n.*logprobs, embeddings/);
    const init = await hone([
      "init",
      "told",
      "--data",
      "advise.jsonl",
      "--label",
      "tone",
      "--access",
      "text",
    ]);
    expect(init.code, init.stderr).toBe(0);
    expect(readFileSync(join(folder, "told.study.yaml"), "utf8")).toMatch(/linear:[\s\S]*knn:/);
  });

  it("looks at data: show, count and split", async () => {
    writeTones(join(folder, "tones.jsonl"), 500);
    expect((await hone(["data", "show", "tones.jsonl", "--rows", "1"])).stdout).toMatch(/tone: [prn]/);
    expect((await hone(["data", "count", "tones.jsonl"])).stdout).toMatch(/^500 rows/);
    const { records } = await hone([
      "data",
      "split",
      "tones.jsonl",
      "--out",
      "parts",
      "--stratify",
      "tone",
      "--json",
    ]);
    const { train, dev, test } = records[0] as { train: number; dev: number; test: number };
    expect(train + dev + test).toBe(500);
    const greedy = await hone([
      "data",
      "split",
      "tones.jsonl",
      "--out",
      "none",
      "--dev",
      "0.9",
      "--test",
      "0.9",
    ]);
    expect(greedy.code).toBe(2);
    expect(greedy.stderr).toMatch(/leaves train nothing/);
    expect(existsSync(join(folder, "none"))).toBe(false);
    expect((await hone(["data", "show", "none.jsonl"])).code).not.toBe(0);
  });

  it("examines this machine", async () => {
    const { records, code } = await hone(["doctor", "--json"], { OPENAI_API_KEY: "sk-do-not-print" });
    expect(code).toBe(0);
    const text = JSON.stringify(records);
    expect(text).toContain("OPENAI_API_KEY");
    expect(text).not.toContain("sk-do-not-print");
  });
});
