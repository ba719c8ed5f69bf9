// The server as it runs: queues, shadows that survive a kill, the router, the champion scored again, and the way it stops.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CallError, noCost } from "../../src/core/call.js";
import { exportSpecialist } from "../../src/deploy/export.js";
import { checkServed } from "../../src/serve/check.js";
import { makeQueue } from "../../src/serve/queue.js";
import { readPredictions } from "../../src/study/predictions-file.js";
import { runStudy } from "../../src/study/run.js";
import { parseStudy } from "../../src/study/spec.js";
import { start } from "../cli/spawned.js";
import { wholeMock } from "../models/whole.js";
import { toneStudy } from "../study/fixture.js";
import { type Loose, serving, toneStore } from "./fixture.js";

const root = mkdtempSync(join(tmpdir(), "hone-serving-"));
const store = join(root, ".hone");
beforeAll(async () => {
  await toneStore(root);
  await toneStore(root, "second", ["majority", { fewShot: { k: 2 } }]);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("a queue", () => {
  it("lets so many wait in order, and tells the others to come again", async () => {
    const queue = makeQueue(2, 3);
    const { signal } = new AbortController();
    const order: number[] = [];
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const one = (i: number) => queue.run(signal, () => gate.then(() => order.push(i)));
    const all = Array.from({ length: 5 }, (_, i) => one(i));
    await expect(one(5)).rejects.toMatchObject({ status: 429, retryAfter: expect.any(Number) });
    expect([queue.active, queue.waiting]).toEqual([2, 3]);
    const leaving = new AbortController();
    open();
    await Promise.all(all);
    expect([order, queue.active, queue.waiting]).toEqual([[0, 1, 2, 3, 4], 0, 0]);
    // Who leaves while waiting takes no place.
    const blocked = [
      queue.run(signal, () => new Promise((end) => setTimeout(end, 50))),
      queue.run(signal, () => gate),
    ];
    const third = queue.run(leaving.signal, async () => {});
    leaving.abort();
    await Promise.allSettled([...blocked, third]);
    expect([queue.active, queue.waiting]).toEqual([0, 0]);
  });

  it("answers 429 with Retry-After where it is full, also to streams", async () => {
    const server = await serving(["m=mock:?latency=3000"], { mostWaiting: 1 });
    const asked = { model: "m", messages: [{ role: "user", content: "x" }], max_tokens: 2 };
    const leave = new AbortController();
    const busy = Array.from({ length: 33 }, () =>
      server.ask("/v1/chat/completions", asked, { signal: leave.signal }).catch(() => undefined),
    );
    for (let full = false; !full; )
      full = /hone_waiting\{model="m"\} 1/.test(await (await server.ask("/metrics")).text());
    for (const stream of [false, true]) {
      const { status, headers } = await server.ask("/v1/chat/completions", { ...asked, stream });
      expect([status, Number(headers.get("retry-after")) > 0]).toEqual([429, true]);
    }
    leave.abort();
    await Promise.all(busy);
    await server.stop();
  });
});

describe("the champion", () => {
  it("answers through the server as it was measured", async () => {
    const server = await serving(["tones"], { store });
    expect(await checkServed(server, "tones", { store, most: 20 })).toEqual({
      model: "tones",
      n: 20,
      agree: 20,
      differing: [],
    });
    await server.stop();
  });

  it("is not what another subject's folder of that name is compared with", async () => {
    const other = join(store, "specialists/tones+others/zeroShot.json");
    const server = await serving([`tones=${other}`], { store });
    expect(await checkServed(server, "tones", { store, most: 20 })).toBeUndefined();
    await server.stop();
  });

  it("is found by its study under another name; an error is no answer, and a stop ends the check", async () => {
    const server = await serving(["other=tones"], { store });
    const check = (more: object) =>
      checkServed(server, "other", { store, study: "tones", most: 20, ...more });
    expect(await check({})).toMatchObject({ model: "other", n: 20, agree: 20 });
    expect(await check({ signal: AbortSignal.abort() })).toMatchObject({ n: 0, agree: 0 });
    await server.stop();
    // Answers that are measured as empty are not those of a server that refuses.
    const spec = parseStudy(
      toneStudy({ name: "mute", model: "mock:", specialists: [{ fewShot: { k: 2 } }], scoring: "parse" }),
      "test",
    );
    const mute = async (): Promise<Loose> => ({
      ...(await wholeMock("?seed=1")),
      generate: async () => ({ text: "", finish: "stop", cost: noCost }),
    });
    await runStudy(spec, { store, base: root, open: mute });
    const refusing = async (): Promise<Loose> => ({
      ...(await wholeMock("?seed=1")),
      generate: async () => {
        throw new CallError("refused", "no");
      },
    });
    const refused = await serving(["mute"], { store, open: refusing });
    expect(await checkServed(refused, "mute", { store, most: 20 })).toMatchObject({ n: 20, agree: 0 });
    await refused.stop();
  });

  it("answers by the sample's stratum, which decides between its specialists", async () => {
    const rows = readFileSync(join(root, "tones.jsonl"), "utf8").trim().split("\n");
    const strata = rows.map((row, i) => JSON.stringify({ ...JSON.parse(row), area: i % 2 ? "a" : "b" }));
    writeFileSync(join(root, "strata.jsonl"), strata.join("\n"));
    const spec: Loose = toneStudy({
      name: "strata",
      model: "mock:?skill=0.4&seed=1",
      specialists: [{ perStratum: { use: "linear" } }],
    });
    Object.assign(spec.task.data, { source: "file:strata.jsonl", stratum: "area" });
    await runStudy(parseStudy(spec, "test"), { store, base: root });
    const server = await serving(["strata"], { store });
    expect(await checkServed(server, "strata", { store, most: 20 })).toMatchObject({ n: 20, agree: 20 });
    await server.stop();
  });
});

describe("a text", () => {
  it("is answered like its row, with the question and instruction that all rows have", async () => {
    const spec: Loose = toneStudy({
      name: "asked",
      model: "mock:?skill=0.6&seed=1",
      specialists: ["majority"],
    });
    Object.assign(spec.task.data, { question: "Which tone?", instruction: "Read closely." });
    await runStudy(parseStudy(spec, "test"), { store, base: root });
    const server = await serving(["asked"], { store });
    const [text, ...texts] = readFileSync(join(root, "tones.jsonl"), "utf8")
      .split("\n", 20)
      .map((line) => JSON.parse(line).text);
    const all = { model: "asked", input: [` ${text}\n`, ...texts] };
    const rows = { model: "asked", input: [text, ...texts].map((one) => ({ text: one })) };
    const [asTexts, asRows] = [
      await server.json("/v1/classify", all),
      await server.json("/v1/classify", rows),
    ];
    const answers = ({ body }: Loose) => body.data.map(({ probabilities }: Loose) => probabilities);
    expect(answers(asTexts)).toEqual(answers(asRows));
    await server.stop();
    const out = join(root, "asked");
    await exportSpecialist("asked", out, { store });
    expect(readFileSync(join(out, "prompt.txt"), "utf8")).toMatch(/Read closely\.[\s\S]*Which tone\?/);
  });
});

describe("the router", () => {
  it("goes by the task that is named, and else by the words", async () => {
    const server = await serving(["tones", "second"], { store });
    const asked = (more: object) =>
      server.ask("/v1/classify", { model: "auto", input: "A rude letter", ...more });
    const named = await asked({ task: "second" });
    expect([named.status, named.headers.get("x-hone-model")]).toEqual([200, "second"]);
    expect((await asked({ task: "nothing" })).status).toBe(400);
    // The two have the same training data: the words do not tell.
    const { status, body } = await server.json("/v1/classify", { model: "auto", input: "A rude letter" });
    expect([status, body.error.code]).toEqual([400, "ambiguous"]);
    await server.stop();
  });
});

describe("a shadow", () => {
  it("answers beside the first, is kept and not shown, and loses no finished record to kill -9", async () => {
    const run = start(["serve", "tones", "second", "--shadow", "tones:second", "--port", "0", "--json"], {
      cwd: root,
    });
    const { url, token } = await listening(run);
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    let finished = 0;
    let stop = false;
    const load = async (worker: number) => {
      for (let i = 0; !stop; i++) {
        const input = `A rude letter ${worker} ${i}`;
        // Half of it classifies, half chats.
        const [path, more] =
          worker % 2
            ? ["classify", { input }]
            : ["chat/completions", { messages: [{ role: "user", content: input }] }];
        const body = JSON.stringify({ model: "tones", gold: "r", ...more });
        await fetch(`${url}/v1/${path}`, { method: "POST", headers, body })
          .then(async (response) => expect(await response.text()).not.toContain("answers"))
          .catch(() => {});
      }
    };
    const working = Array.from({ length: 8 }, (_, i) => load(i));
    // What the server says is on disk must be there after the kill.
    for (let i = 0; i < 400 && finished < 30; i++) {
      const text = await (await fetch(`${url}/metrics`, { headers })).text();
      finished = Number(/shadow_records_total_by_pair\{[^}]*\} (\d+)/.exec(text)?.[1] ?? 0);
    }
    run.child.kill("SIGKILL");
    stop = true;
    await Promise.all(working);
    await run.ended;
    expect(finished).toBeGreaterThanOrEqual(30);
    const path = join(store, "shadow", "tones+second.jsonl");
    const whole = readFileSync(path, "utf8").split("\n").slice(0, -1);
    expect(whole.length).toBeGreaterThanOrEqual(finished);
    const records = whole.map((line) => JSON.parse(line));
    for (const { answers, gold, task } of records)
      expect([Object.keys(answers), answers.tones, gold, task]).toEqual([
        ["tones", "second"],
        "r",
        "r",
        "tone",
      ]);
    expect(new Set(records.map(({ id }) => id)).size).toBe(records.length);
    expect(new Set(records.map(({ id }) => id.split("-")[0]))).toEqual(new Set(["cls", "chatcmpl"]));
    // The next server goes on in the same file, and compare reads it.
    const next = await serving(["tones", "second"], { store, shadow: ["tones:second"] });
    await next.json("/v1/classify", { model: "tones", input: "A polite letter", gold: "p" });
    await next.stop();
    expect(readFileSync(path, "utf8").trim().split("\n").length).toBe(whole.length + 1);
    const compared = await start(["compare", "--predictions", path, "--json"], { cwd: root }).ended;
    expect(compared.code).toBe(0);
    expect(compared.stdout).toMatch(/"tones"/);
    await expect(serving(["tones"], { store, shadow: ["tones:m"] })).rejects.toThrow(/pair of specialists/);
  }, 60_000);

  it("of a model keeps both answers to a chat, streamed or in responses, with the conversation", async () => {
    const refs = ["a=mock:?seed=1", "b=mock:?seed=2", "bad=mock:?errors=refused:1"];
    const server = await serving(refs, { store, shadow: ["a:b", "a:bad", "a:b"] });
    const messages = [
      { role: "system", content: "Be brief." },
      { role: "user", content: "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda" },
    ];
    const told: Loose[] = [];
    for (const stream of [false, true]) {
      const asked = {
        model: "a",
        messages,
        max_tokens: 20,
        stream,
        task: "words",
        ...(stream ? { gold: "x" } : {}),
      };
      const response = await server.ask("/v1/chat/completions", asked);
      if (stream) await response.text();
      else told.push(((await response.json()) as Loose).choices[0].message.content);
    }
    await server.json("/v1/responses", { model: "a", input: messages[1]?.content, max_output_tokens: 20 });
    const direct = await server.json("/v1/chat/completions", { model: "b", messages, max_tokens: 20 });
    const counted =
      /records_total_by_pair\{model="a",pair="b"\} 3[\s\S]*failures_total_by_pair\{model="a",pair="bad"\} 3/;
    await expect.poll(async () => (await server.ask("/metrics")).text(), { timeout: 5000 }).toMatch(counted);
    await server.stop();
    const lines = readFileSync(join(store, "shadow", "a+b.jsonl"), "utf8")
      .trim()
      .split("\n");
    const records: Loose[] = lines.map((line) => JSON.parse(line));
    records.sort((one, other) => one.id.localeCompare(other.id));
    expect(records.map(({ id, gold, task }) => [id.split(/[-_]/)[0], gold, task]).sort()).toEqual(
      [
        ["chatcmpl", "x", "words"],
        ["chatcmpl", null, "words"],
        ["resp", null, "a"],
      ].sort(),
    );
    const chats = records.filter(({ task }) => task === "words");
    for (const { answers, messages: kept, input } of chats) {
      expect(answers).toEqual({ a: told[0], b: direct.body.choices[0].message.content });
      expect([kept, input]).toEqual([messages, messages[1]?.content]);
    }
    // What fails beside the answer is kept nowhere and shown to nobody; compare reads what has a right answer.
    expect(readFileSync(join(store, "shadow", "a+bad.jsonl"), "utf8")).toBe("");
    const read = await readPredictions(join(store, "shadow", "a+b.jsonl"));
    expect([read.units, read.systems, read.notes[0]]).toEqual([
      1,
      ["a", "b"],
      expect.stringMatching(/2 shadow records without/),
    ]);
  });
});

describe("hone serve", () => {
  it("says where it listens, checks the champion, and stops after what is in flight", async () => {
    const run = start(["serve", "t=tones", "m=mock:?latency=600", "--port", "0", "--json", "--check", "5"], {
      cwd: root,
    });
    const { url, token } = await listening(run);
    await run.said(/"checked"/);
    const asked = fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "x" }], max_tokens: 2 }),
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    run.child.kill("SIGINT");
    expect((await asked).status).toBe(200);
    const { code, stdout } = await run.ended;
    expect(code).toBe(0);
    const records = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(records.map(({ type }) => type)).toEqual(["listening", "checked", "stopped"]);
    expect(records[1]).toMatchObject({ model: "t", n: 5, agree: 5 });
  }, 30_000);
});

/** The first record of a server that was started. */
async function listening(run: ReturnType<typeof start>): Promise<{ url: string; token: string }> {
  await run.said(/"listening".*\n/);
  return JSON.parse(run.text().split("\n")[0] as string);
}
