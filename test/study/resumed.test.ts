// What a run that goes on, or was partly refused, must not make of it: a model taken for down, a seed that vanishes, a check
// of the hand-over that is empty or old.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { z } from "zod";
import { CallError } from "../../src/core/call.js";
import type { ScoreRequest } from "../../src/core/model.js";
import type { Specializer } from "../../src/core/specializer.js";
import { openMock } from "../../src/models/mock.js";
import { specializers } from "../../src/specializers/index.js";
import { defineSpecializer } from "../../src/specializers/parts/define.js";
import { openJournal } from "../../src/store/journal.js";
import { withChecksum, withoutChecksum } from "../../src/store/records.js";
import { runStudy } from "../../src/study/run.js";
import { toneSpec, writeTones } from "./fixture.js";

const root = mkdtempSync(join(tmpdir(), "hone-resumed-"));
writeTones(join(root, "tones.jsonl"), 400);
afterAll(() => rmSync(root, { recursive: true, force: true }));

const textOf = ({ messages }: Pick<ScoreRequest, "messages">) => messages.at(-1)?.content ?? "";

/** A mock that is told of every prompt before it scores it. */
const hearing = (hear: (prompt: string) => void, options: string) => async () => {
  const model = await openMock(`?skill=0.9&seed=1&concurrency=1${options}`);
  return {
    ...model,
    score: (request: ScoreRequest, context: never) => {
      hear(textOf(request));
      return (model.score as NonNullable<typeof model.score>)(request, context);
    },
  };
};

it("takes a model that answered before for alive, where only samples that it fails on are left", async () => {
  const spec = toneSpec({ model: "mock:", specialists: ["majority"], dev: 20, test: 20 });
  const heard: string[] = [];
  await runStudy(spec, {
    base: root,
    store: join(root, "heard"),
    open: hearing((prompt) => heard.push(prompt), ""),
  });
  const last = heard[19];
  const stop = new AbortController();
  const failing = (whenAsked: () => void) =>
    hearing((prompt) => {
      if (prompt !== last) return;
      whenAsked();
      throw new CallError("malformed", "cannot be read");
    }, "");
  const store = join(root, "alive");
  const killed = runStudy(spec, {
    base: root,
    store,
    signal: stop.signal,
    open: failing(() => stop.abort()),
  });
  await expect(killed).rejects.toThrow();
  const record = await runStudy(spec, { base: root, store, open: failing(() => {}) });
  expect(record.results.find(({ subject }) => subject === "zeroShot")?.dev?.n).toBe(19);
});

it("tells of a seed with which a specialist could not be made", async () => {
  const flaky = (): Specializer =>
    defineSpecializer<{ seed: number }>({
      name: "flaky",
      seeded: true,
      fit: async (_subject, { seed }) => {
        if (seed === 2) throw new CallError("server-error", "down");
        return { seed };
      },
      behave: () => ({ prepare: (query) => query }),
    });
  const entry = { make: flaky, options: z.strictObject({}), summary: "", paper: "none", leaf: null };
  const spec = toneSpec({ model: "mock:?skill=0.9&seed=1", specialists: ["majority"], seeds: [1, 2, 3] });
  const record = await runStudy(
    { ...spec, specialists: ["flaky"] },
    {
      base: root,
      store: join(root, "seeds"),
      use: { specializers: { ...specializers, flaky: entry } },
    },
  );
  expect(record.warnings?.filter((text) => text.startsWith("flaky could not be made"))).toEqual([
    "flaky could not be made with 1 seed of 3 (2): its figures are those of the others. Run the study again to try.",
  ]);
});

it("checks a hand-over past samples that do not fit, and again where outcomes were replaced", async () => {
  const spec = toneSpec({ model: "mock:", specialists: ["majority"], dev: 20, test: 60 });
  const store = join(root, "handover");
  // Some prompts are beyond this context, most are not.
  const lengths: number[] = [];
  await runStudy(spec, {
    base: root,
    store: join(root, "lengths"),
    open: hearing((prompt) => lengths.push(prompt.length), ""),
  });
  const middle = lengths.sort((a, b) => a - b)[Math.floor(lengths.length / 2)] as number;
  const short = hearing(() => {}, "");
  const narrow = async () => {
    const model = await short();
    return {
      ...model,
      score: (request: ScoreRequest, context: never) => {
        if (textOf(request).length > middle) throw new CallError("too-long", "does not fit");
        return model.score(request, context);
      },
    };
  };
  const first = await runStudy(spec, { base: root, store, open: narrow });
  expect(first.handOver).toMatchObject({ n: 20, agree: 20 });
  const wide = await runStudy(spec, { base: root, store, open: short, retryErrors: true });
  expect(wide.handOver).toMatchObject({ n: 20, agree: 20 });
  expect(wide.handOver?.outcomes).not.toBe(first.handOver?.outcomes);
});

it("goes on where the result of the run before is damaged, and names the hand-over from where it runs", async () => {
  const options = { base: root, store: join(root, "damaged") };
  const spec = toneSpec({ model: "mock:?skill=0.9&seed=1", dev: 10, test: 20 });
  const { handOver } = await runStudy(spec, options);
  const leave = (change: (record: string) => string): void => {
    const journal = openJournal(join(options.store, "journal.db"));
    const { record } = journal.study(spec.study) as { record: string };
    journal.db.prepare("update studies set record = ?").run(change(record));
    journal.close();
  };
  leave((record) => record.slice(0, -30));
  const after = await runStudy(spec, { ...options, devOnly: true });
  expect(after.results.find(({ subject }) => subject === "zeroShot")?.dev?.n).toBe(10);
  expect((await runStudy(spec, options)).handOver).toEqual(handOver);
  // Run again from another folder: what the earlier run wrote is relative to its own.
  leave((record) =>
    withChecksum(
      JSON.stringify({
        ...JSON.parse(withoutChecksum(record)),
        handOver: { ...handOver, path: "there/tones.json" },
      }),
    ),
  );
  expect((await runStudy(spec, options)).handOver).toEqual(handOver);
});
