// pretrain and upcycle: a net learns its texts, a killed training ends with the same bits, and what is upcycled computes what the
// dense net did.

import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Given } from "../../src/core/specializer.js";
import { taskContext } from "../../src/core/task.js";
import { bpe } from "../../src/learn/bpe.js";
import { buildNet, countParameters, initWeights } from "../../src/nets/build.js";
import { tensorShapes } from "../../src/nets/config.js";
import { sayingOf } from "../../src/nets/text/saying.js";
import { type NetSubject, openNet, untrainedNet } from "../../src/nets/text/subject.js";
import { upcycled } from "../../src/nets/upcycle.js";
import { lora, pretrain, upcycle } from "../../src/specializers/index.js";
import { firstTexts, trainerOf } from "../../src/specializers/training/pretrain/fit.js";
import { evenly } from "../../src/specializers/training/pretrain/look.js";
import { information } from "../../src/specializers/training/pretrain/measures.js";
import { balanceOf, netLabel, netSchema } from "../../src/specializers/training/pretrain/options.js";
import { corpus, firstBytes } from "../../src/tasks/corpus.js";
import { startWasm } from "../nets/tiny.js";

const folder = mkdtempSync(join(tmpdir(), "hone-pretrain-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const model = openNet("decoder?layers=1&width=16&heads=2&hidden=16&context=16");
const task = corpus("texts", { kind: "corpus" });
const phrases = { birds: "a bird sings in the tree. ", ships: "THE SHIP SAILS AT NINE! " };
const samples = (split: string, count: number) =>
  Object.entries(phrases).flatMap(([domain, phrase]) =>
    Array.from({ length: count }, (_, i) => ({
      id: `${split}-${domain}-${i}`,
      input: phrase.repeat(3),
      gold: domain,
    })),
  );

function given(name: string, signal = new AbortController().signal): Given<"text"> {
  const kept = new Map<string, string>();
  return {
    task,
    train: samples("train", 8),
    dev: samples("dev", 2),
    seed: 1,
    encoder: () => Promise.reject(new Error("none")),
    artifacts: {
      scratch: async (key) => {
        const path = join(folder, name, key);
        await mkdir(path, { recursive: true });
        return path;
      },
      keep: async (path) => {
        const to = join(folder, name, `kept-${kept.size}`);
        await rename(path, to);
        kept.set(to, to);
        return to;
      },
      path: (id) => id,
    },
    base: folder,
    context: taskContext(signal),
    progress: () => {},
  };
}

const learning = { tokens: 2560, batch: 4, learningRate: 0.02 } as const;
const tools = { encoder: () => Promise.reject(new Error("none")), artifacts: { path: (id: string) => id } };

describe("pretrain and upcycle", { timeout: 180_000 }, () => {
  beforeAll(startWasm);
  afterAll(() => model.close());

  test("a mixture learns its texts, tells of it, and its experts are looked into", async () => {
    const specializer = pretrain({
      net: { kind: "deepseekmoe", experts: 2, segments: 2 },
      ...learning,
      analyse: true,
    });
    expect(specializer.label).toBe("pretrain(deepseekmoe 1+3 top 3)");
    const subject = untrainedNet(model);
    const state = await specializer.fit(subject, given("learns"));
    const made = specializer.apply(subject, state, tools);
    const scoreOf = async (one: NetSubject) => {
      const grade = await task.evaluate(
        one,
        samples("test", 1)[0]!,
        taskContext(new AbortController().signal),
      );
      return grade.status === "scored" ? grade.score : Number.NaN;
    };
    const [before, after] = [await scoreOf(subject), await scoreOf(made as NetSubject)];
    expect(before).toBeGreaterThan(7);
    expect(after).toBeLessThan(4);
    const { notes } = state;
    expect(notes.heldOut.at(-1)?.[1]).toBeLessThan(notes.heldOut[0]?.[1] as number);
    expect(notes.facts.steps).toBe(40);
    expect(notes.texts.length).toBe(2);
    const [layer] = notes.experts?.layers ?? [];
    expect(layer?.load.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1);
    expect(layer?.similarity[1]?.[1]).toBeCloseTo(1);
    expect(notes.experts?.probes.map(({ what }) => what)).toContain("shared off, 3 routed");
  });

  test.each(["adamw", "muon"] as const)(
    "a training that is stopped goes on to the same bits, by %s",
    async (optimizer) => {
      const specializer = pretrain({
        net: { kind: "deepseekmoe", experts: 2, segments: 2, active: 1, lossFree: 0.01, balance: 0 },
        ...learning,
        optimizer,
      });
      const subject = untrainedNet(model);
      const whole = await specializer.fit(subject, given(`whole ${optimizer}`));
      expect(whole.notes.heldOut.at(-1)?.[1]).toBeLessThan(0.7 * (whole.notes.heldOut[0]?.[1] as number));
      const control = new AbortController();
      let steps = 0;
      const stopping: Given<"text"> = {
        ...given(`stopped ${optimizer}`, control.signal),
        progress: () => {
          if (++steps === 13) control.abort(new Error("stopped"));
        },
      };
      await expect(specializer.fit(subject, stopping)).rejects.toThrow("stopped");
      const resumed = await specializer.fit(subject, given(`stopped ${optimizer}`));
      const netOf = async (state: typeof whole) =>
        (await (specializer.apply(subject, state, tools) as NetSubject).net()).weights;
      const [a, b] = [await netOf(whole), await netOf(resumed)];
      for (const [name, { data }] of Object.entries(a)) expect(b[name]?.data, name).toEqual(data);
      expect(resumed.notes).toEqual(whole.notes);
      const biases = [...((a["blk.0.exp_probs_b.bias"] as Tensor).data as Float32Array)];
      expect(biases.some((one) => one !== 0)).toBe(true);
      expect(Math.max(...biases.map(Math.abs))).toBeLessThanOrEqual(0.4 + 1e-6);
    },
  );

  test.each([
    { active: 1, shared: 0, affinity: "softmax" },
    { active: 2, shared: 1, affinity: "softmax" },
    { active: 2, shared: 2, affinity: "softmax" },
    { active: 2, shared: 1, affinity: "sigmoid" },
  ] as const)("upcycled without training, even gates give the dense net's output: %o", async (cut) => {
    const skeleton = { layers: 1, width: 16, heads: 2, hidden: 16, context: 16, vocab: 257 };
    const dense = buildNet(skeleton, { kind: "dense" });
    const weights = initWeights(dense, 3, 0.2);
    const tokenizer = bpe({ merges: [] });
    const say = async (config: typeof dense, own: typeof weights) => {
      const saying = sayingOf(config);
      const [reply] = await saying.say({ config, weights: own, tokenizer }, ["a bird sings"]);
      await saying.release();
      return reply?.nats as number;
    };
    const target = buildNet(skeleton, { kind: "deepseekmoe", experts: 3, segments: 2, ...cut });
    const made = upcycled(dense, weights, target, { seed: 1, reinit: 0 });
    const router = made["blk.0.ffn_gate_inp.weight"] as Tensor;
    // A router that tells nothing apart: gates are even, and the first experts are the shards in their order.
    const even = {
      ...made,
      "blk.0.ffn_gate_inp.weight": new Tensor("float32", new Float32Array(router.size), [...router.dims]),
    };
    expect(await say(target, even)).toBeCloseTo(await say(dense, weights), 3);
    const drawn = upcycled(dense, weights, target, { seed: 1, reinit: 0.5 });
    expect(Math.abs((await say(target, drawn)) - (await say(dense, weights)))).toBeGreaterThan(0.001);
    expect(() => upcycled(target, made, target, { seed: 1, reinit: 0 })).toThrow(/experts already/);
  });

  test("upcycle goes on from what pretrain made", async () => {
    const subject = untrainedNet(model);
    const first = pretrain({ net: { kind: "dense" }, ...learning, tokens: 1280 });
    const dense = first.apply(subject, await first.fit(subject, given("dense")), tools);
    const second = upcycle({ net: { kind: "gshard", experts: 2 }, ...learning, tokens: 256 });
    const state = await second.fit(dense, given("upcycled"));
    expect(state.notes.heldOut[0]?.[1]).toBeLessThan(6);
    await expect(second.fit(untrainedNet(model), given("again"))).resolves.toBeDefined();
  });

  test("sizes are equal where the paper makes them equal", () => {
    const skeleton = { layers: 2, width: 32, heads: 2, hidden: 64, context: 16, vocab: 257 };
    const of = (net: Parameters<typeof buildNet>[1]) => countParameters(buildNet(skeleton, net));
    const [dense, gshard, fine] = [
      of({ kind: "dense", times: 2 }),
      of({ kind: "gshard", experts: 8 }),
      of({ kind: "deepseekmoe", experts: 8 }),
    ];
    const router = (experts: number) => 2 * 32 * experts;
    expect(gshard.active - router(8)).toBe(dense.active);
    expect(fine.active - router(31)).toBe(dense.active);
    expect(fine.total - router(31)).toBe(gshard.total - router(8));
    expect(
      tensorShapes(buildNet(skeleton, { kind: "hash", experts: 4 })).has("blk.0.ffn_gate_inp.weight"),
    ).toBe(false);
  });

  test("a load is balanced by one loss unless it is said otherwise, and a label says how", () => {
    const options = (net: object) => netSchema.parse({ kind: "deepseekmoe", experts: 4, ...net });
    const told = (net: object) => [balanceOf(options(net)), netLabel(options(net))];
    const plain = "deepseekmoe 1+15 top 7";
    expect(told({})).toEqual([{ balance: { experts: 0.01 }, lossFree: 0 }, plain]);
    expect(told({ lossFree: 0.001 })).toEqual([{ balance: {}, lossFree: 0.001 }, `${plain}, loss-free`]);
    expect(told({ balance: 0 })).toEqual([{ balance: {}, lossFree: 0 }, `${plain}, balance 0`]);
    const devices = { count: 5, alpha: 0.05 };
    expect(told({ devices: { count: 5 }, affinity: "sigmoid" })).toEqual([
      { balance: { experts: 0.01, devices }, lossFree: 0 },
      `${plain}, sigmoid, 5 devices`,
    ]);
    expect(() => told({ devices: { count: 4 } })).toThrow(/15 routed experts cannot be divided evenly/);
  });

  test("Muon is given the layers' matrices: not embeddings, head, gains, routers or biases", async () => {
    const skeleton = { layers: 2, width: 16, heads: 2, hidden: 16, context: 16, vocab: 257 };
    const config = buildNet(skeleton, { kind: "deepseekmoe", experts: 2, segments: 2, lossFree: true });
    const learning = { optimizer: "muon", weightDecay: 0.1, clipNorm: 1 } as const;
    const trainer = trainerOf(config, { learning, balance: {}, lossFree: 0.001, rows: 16 });
    // Five rounds of products, for a matrix of each size.
    const work = (out: number, inner: number) => {
      const [short, long] = [Math.min(out, inner), Math.max(out, inner)];
      return 5 * 2 * (2 * short * short * long + short ** 3);
    };
    // Of a layer: four of attention; three of each routed expert and of the shared one, 8 neurons each.
    const wanted = 2 * (4 * work(16, 16) + 3 * (3 + 1) * work(8, 16));
    expect(await trainer.updateFlops?.(initWeights(config, 1))).toBe(wanted);
    await trainer.release();
  });

  test("an optimizer that is not known, or that adapters have no use for, is an error", () => {
    const unknown = { optimizer: "sgd" } as never;
    expect(() => pretrain(unknown)).toThrow(/pretrain\(options\), optimizer[\s\S]*"adamw"\|"muon"/);
    expect(() => upcycle(unknown)).toThrow(/upcycle/);
    expect(() => lora({ optimizer: "muon" } as never)).toThrow(/lora has no option "optimizer"/);
  });

  test("wrong sizes are one error", () => {
    expect(() => openNet("decoder?width=abc")).toThrow(/no such net/);
    expect(() => openNet("decoder?width=30&heads=4")).toThrow(/even number/);
    expect(() => openNet("encoder")).toThrow(/a net is `decoder`/);
    expect(() => pretrain({ net: { kind: "deepseekmoe", experts: 0 } })).toThrow(/experts/);
    const skeleton = { layers: 1, width: 16, heads: 2, hidden: 10, context: 8, vocab: 257 };
    expect(() => buildNet(skeleton, { kind: "deepseekmoe" })).toThrow(/cannot be divided/);
    expect(() =>
      buildNet({ ...skeleton, hidden: 16 }, { kind: "deepseekmoe", experts: 2, active: 2, shared: 8 }),
    ).toThrow(/cannot be chosen/);
  });

  test("what the loss is watched on has every domain in it, however few bytes", () => {
    const dev = samples("dev", 6);
    const each = Buffer.byteLength((dev[0] as (typeof dev)[number]).input);
    const texts = firstTexts({ dev, train: [] }, 3 * each);
    expect(texts.length).toBe(4);
    expect(texts.filter((text) => text.startsWith("a bird")).length).toBe(2);
    expect(firstTexts({ dev: [], train: dev }, 1e6).length).toBe(12);
  });

  test("tokens are taken from everywhere in the rows, and no place twice", () => {
    const lengths = [3, 0, 50, 7];
    expect(evenly(lengths, 100).length).toBe(60);
    const places = evenly(lengths, 12);
    expect(places.length).toBe(12);
    expect(new Set(places.map(({ row, at }) => `${row} ${at}`)).size).toBe(12);
    expect(places.every(({ row, at }) => at < (lengths[row] as number))).toBe(true);
    expect(places.filter(({ row }) => row === 2).length).toBe(10);
    expect(places.at(-1)?.row).toBe(3);
  });

  test("information is 1 where experts are domains, 0 where they are not", () => {
    expect(
      information([
        [5, 0],
        [0, 5],
      ]),
    ).toBeCloseTo(1);
    expect(
      information([
        [5, 5],
        [5, 5],
      ]),
    ).toBeCloseTo(0);
    expect(
      information([
        [3, 1],
        [1, 3],
      ]),
    ).toBeCloseTo(1 - (2 - 0.75 * Math.log2(3)), 6);
  });

  test("a text is cut in whole characters", () => {
    expect(firstBytes("naïve", 3)).toBe("na");
    expect(firstBytes("naïve", 4)).toBe("naï");
    expect(firstBytes("ab", 9)).toBe("ab");
  });
});
