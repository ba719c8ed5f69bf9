// How a run ends that does not reach its end: signals, a reader that goes away, an endpoint that fails on everything, and
// places that cannot be written.

import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type MockServer, type MockServerOptions, startMockServer } from "../../src/models/mock-server.js";
import { writeToneStudy } from "../study/fixture.js";
import { type Ended, hone, start } from "./spawned.js";

/** More than five seconds for a busy machine; without an end it would be minutes. */
const soonMs = 12_000;

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "hone-stopping-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const servers: MockServer[] = [];
afterAll(() => Promise.all(servers.map((server) => server.close())));

async function studyOn(options: MockServerOptions, name: string, ref = ""): Promise<string> {
  const server = await startMockServer({ model: "?skill=0.9", ...options });
  servers.push(server);
  const cwd = join(root, name);
  mkdirSync(cwd);
  writeToneStudy(cwd, {
    name,
    model: `openai:m?base=${server.url}&score=top&concurrency=4${ref}`,
    dev: 8,
    test: 12,
  });
  return cwd;
}

describe("a signal", () => {
  it("SIGTERM ends a run whose endpoint does not answer, within seconds", async () => {
    const cwd = await studyOn({ latencyMs: 600_000 }, "hangs");
    const run = start(["run", "tones.study.yaml", "--json"], { cwd });
    await run.said(/"phase":"dev"/);
    const at = performance.now();
    run.child.kill("SIGTERM");
    const { code, signal } = await run.ended;
    expect([code, signal]).toEqual(code === null ? [null, "SIGTERM"] : [143, null]);
    expect(performance.now() - at).toBeLessThan(soonMs);
  }, 60_000);

  it("SIGINT twice ends it at once", async () => {
    const cwd = await studyOn({ latencyMs: 600_000 }, "twice");
    const run = start(["run", "tones.study.yaml", "--json"], { cwd });
    await run.said(/"phase":"dev"/);
    const at = performance.now();
    run.child.kill("SIGINT");
    await run.said(/Stopping once work in flight is done/);
    // No person is quicker: a signal that arrives while the handler is being taken off is lost.
    await new Promise((wait) => setTimeout(wait, 100));
    run.child.kill("SIGINT");
    const { code, signal } = await run.ended;
    expect([code, signal]).toEqual(code === null ? [null, "SIGINT"] : [130, null]);
    expect(performance.now() - at).toBeLessThan(soonMs);
  }, 60_000);

  it("SIGINT once ends the wait for another program that runs the same study", async () => {
    const cwd = await studyOn({ latencyMs: 600_000 }, "waits");
    const first = start(["run", "tones.study.yaml", "--json"], { cwd });
    await first.said(/"phase":"dev"/);
    const second = start(["run", "tones.study.yaml"], { cwd });
    await second.said(/is running this study; waiting for it/);
    const at = performance.now();
    second.child.kill("SIGINT");
    const { code, stderr } = await second.ended;
    expect([code, stderr]).toEqual([130, expect.stringContaining("the same command continues")]);
    expect(performance.now() - at).toBeLessThan(soonMs);
    first.child.kill("SIGKILL");
    await first.ended;
  }, 60_000);

  it("SIGTERM ends it within seconds while specialists are trained, which keeps the thread busy", async () => {
    const cwd = join(root, "trains");
    mkdirSync(cwd);
    const study = {
      study: "trains",
      model: "motor:arm26",
      task: {
        name: "hold",
        kind: "motor",
        movement: "hold",
        steps: 60,
        data: { train: 512, dev: 8, test: 8 },
      },
      specialists: [{ bilateral: { units: 256, layers: 2, updates: 5000, batch: 512 } }],
    };
    writeFileSync(join(cwd, "trains.study.yaml"), JSON.stringify(study));
    const run = start(["run", "trains.study.yaml", "--json"], { cwd });
    await run.said(/"phase":"fit","subject":"bilateral/);
    await new Promise((tick) => setTimeout(tick, 2_000));
    const at = performance.now();
    run.child.kill("SIGTERM");
    const { signal } = await run.ended;
    expect(signal).toBe("SIGTERM");
    expect(performance.now() - at).toBeLessThan(soonMs);
  }, 60_000);

  it("SIGINT once finishes what is in flight, says so, prints no empty table, and the next run goes on", async () => {
    const cwd = await studyOn({ latencyMs: 700 }, "drains");
    const run = start(["run", "tones.study.yaml", "--json"], { cwd });
    await run.said(/"phase":"dev"/);
    await new Promise((tick) => setTimeout(tick, 300));
    run.child.kill("SIGINT");
    const { code, stdout, stderr } = await run.ended;
    expect(code, stderr).toBe(130);
    expect(stderr).toMatch(/Stopping once work in flight is done; Ctrl-C again stops at once/);
    expect(stderr).toMatch(/\n\s*Stopped: by hand\. This run reached \d+ of 60 answers; all/);
    expect(stderr).not.toMatch(/–|▸|chance/);
    expect(JSON.parse(stdout.trim().split("\n").at(-1) as string)).toMatchObject({
      type: "done",
      stopped: "by hand",
    });
    expect(existsSync(join(cwd, ".hone/reports"))).toBe(false);
    const server = servers.at(-1) as MockServer;
    const before = server.stats();
    expect(before.answered).toBeGreaterThanOrEqual(4);
    const whole = await hone(["run", "tones.study.yaml", "--quiet"], { cwd });
    expect(whole.code, whole.stderr).toBe(0);
    // The hand-over asks again on purpose.
    expect(server.stats().repeated).toBeLessThanOrEqual(20);
  }, 120_000);
});

describe("a reader that goes away", () => {
  const cut = async (args: string[], cwd: string): Promise<Ended> => {
    const run = start(args, { cwd });
    run.child.stdout?.once("data", () => run.child.stdout?.destroy());
    return run.ended;
  };

  it("ends a study with 1, which the next run finishes, and a list with 0", async () => {
    const cwd = await studyOn({ latencyMs: 20 }, "cut");
    const { code } = await cut(["run", "tones.study.yaml", "--json"], cwd);
    expect(code).toBe(1);
    const whole = await hone(["run", "tones.study.yaml", "--quiet"], { cwd });
    expect(whole.code, whole.stderr).toBe(0);
    expect((await cut(["show", "cut", "--json"], cwd)).code).toBe(0);
  }, 60_000);
});

describe("an endpoint that fails on every call", () => {
  it.each([
    ["500", "&retries=0"],
    ["html", "&retries=0"],
    ["hang", "&retries=0&timeout=0.1"],
  ] as const)(
    "by %s ends the run with 1 and one error, and nothing is marked unscored",
    async (behaviour, ref) => {
      const cwd = await studyOn({ behaviour: { [behaviour]: 1 } }, `always-${behaviour}`, ref);
      const { code, stderr, stdout } = await hone(["run", "tones.study.yaml", "--json"], { cwd });
      expect(code, stderr).toBe(1);
      expect(stderr).toMatch(/does not answer at all\n +why: .+\n +next: /);
      expect(JSON.parse(stdout.trim().split("\n").at(-1) as string)).toMatchObject({
        type: "error",
        code: 1,
      });
      servers.at(-1)?.close();
    },
    60_000,
  );

  it("by answers that cannot be scored ends with 1, after the record", async () => {
    const cwd = await studyOn({ behaviour: { "no-logprobs": 1 } }, "no-logprobs");
    const { code, stderr, stdout } = await hone(["run", "tones.study.yaml", "--json"], { cwd });
    expect(code, stderr).toBe(1);
    expect(stderr).toMatch(/failed on every sample\n +why: +no-logprobs: 24\n +next: .*--retry-errors/);
    expect(JSON.parse(stdout.trim().split("\n").at(-1) as string)).toMatchObject({ type: "done" });
  }, 60_000);
});

describe("a place that cannot be written", () => {
  it("is one usage error at once, before any call", async () => {
    const cwd = await studyOn({}, "places");
    writeFileSync(join(cwd, "file"), "");
    mkdirSync(join(cwd, "half"));
    writeFileSync(join(cwd, "half/reports"), "");
    const places = ["", " ", "file", "file/below", "half"];
    if (process.platform === "linux") places.push("/proc/x", "/proc/x/y");
    // Root may write anywhere.
    if (process.getuid?.() !== 0) {
      mkdirSync(join(cwd, "locked"));
      chmodSync(join(cwd, "locked"), 0o500);
      places.push("locked", "locked/below");
    }
    const before = readdirSync(cwd).sort();
    for (const place of places) {
      const { code, stderr, stdout } = await hone(["run", "tones.study.yaml", "--store", place], { cwd });
      expect([place, code], stderr).toEqual([place, 2]);
      expect(stderr).toMatch(/Cannot write there\n +where: .*\n +why: .*\n +next: |give a path/);
      expect(stdout).toBe("");
    }
    expect(readdirSync(cwd).sort()).toEqual(before);
    expect(servers.at(-1)?.stats().requests).toBe(0);
  }, 60_000);

  it("holds for --out, too", async () => {
    const cwd = join(root, "cut");
    for (const out of ["", "tones.jsonl/x"]) {
      for (const args of [
        ["report", "cut", "--out", out],
        ["reproduce", "lawma", "--smoke", "--out", out],
        ["advise", "--labels", "200", "--out", out],
      ]) {
        const { code, stderr } = await hone(args, { cwd });
        expect([args.join(" "), code], stderr).toEqual([args.join(" "), 2]);
        expect(stderr).toMatch(/Cannot write there|give a path/);
      }
    }
  }, 60_000);

  it("leaves no empty store behind a dry run", async () => {
    const cwd = await studyOn({}, "dry");
    const { code, stderr } = await hone(["run", "tones.study.yaml", "--dry-run"], { cwd });
    expect(code, stderr).toBe(0);
    expect(existsSync(join(cwd, ".hone"))).toBe(false);
  }, 60_000);
});

it("a concurrency beyond all measure is cut, and said", async () => {
  const cwd = join(root, "wide");
  mkdirSync(cwd);
  writeToneStudy(cwd, { name: "wide", model: "mock:?skill=0.9" });
  const { code, stderr } = await hone(["run", "tones.study.yaml", "--concurrency", "1000000"], { cwd });
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/1,000,000 is more than Hone allows; 1,024 samples are kept in flight/);
}, 60_000);
