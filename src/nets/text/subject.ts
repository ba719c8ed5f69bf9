// Untrained nets by reference, and nets trained from them, as subjects that score texts.

import { HoneError } from "../../core/errors.js";
import { fingerprint } from "../../core/json.js";
import type { Subject } from "../../core/kinds.js";
import type { Net, TextReply } from "../../core/text.js";
import { bpe } from "../../learn/bpe.js";
import { buildNet, initWeights, type Skeleton } from "../build.js";
import type { NetConfig } from "../config.js";
import type { TrainedNet } from "./checkpoint.js";
import { type SayingNet, sayingOf } from "./saying.js";

/** A net's sizes, without weights. */
export interface NetModel extends Net {
  readonly sizes: Omit<Skeleton, "vocab"> & Record<string, number>;
  /** The programs shared by nets of a shape. */
  saying(config: NetConfig): ReturnType<typeof sayingOf>;
  /** The untrained subject. */
  begin(): Subject<"text">;
}

/** A subject with access to its weights, which can be trained further. */
export interface NetSubject extends Subject<"text"> {
  readonly model: NetModel;
  readonly net: () => Promise<TrainedNet>;
}

const least = { layers: 1, width: 8, heads: 1, hidden: 4, context: 8 };
const most = { layers: 64, width: 4096, heads: 64, hidden: 16384, context: 4096 };
const usual = { layers: 4, width: 128, heads: 4, hidden: 344, context: 128 };
type Size = keyof typeof usual;

/** Texts that run through a net at the same time. */
const together = 64;

/**
 * Opens a net from the part after `net:`: `decoder`, `decoder?layers=4&width=128&heads=4&hidden=344&context=128`.
 * @throws HoneError for an unknown name or size
 */
export function openNet(ref: string): NetModel {
  const [name = "", query = ""] = ref.split("?", 2);
  const given = [...new URLSearchParams(query)];
  const strange = given.find(
    ([key, value]) =>
      !Object.hasOwn(usual, key) ||
      !/^\d{1,6}$/.test(value) ||
      Number(value) < least[key as Size] ||
      Number(value) > most[key as Size],
  );
  const known = Object.entries(usual).map(
    ([key, value]) => `${key} (${value}; ${least[key as Size]} to ${most[key as Size]})`,
  );
  if (name !== "decoder" || strange) {
    throw new HoneError({
      what: "There is no such net",
      where: `net:${ref.slice(0, 80)}`,
      why: strange
        ? `${strange.join("=").slice(0, 60)} is not one of its sizes: ${known.join(", ")}`
        : "a net is `decoder`",
      next: "Write net:decoder or net:decoder?layers=4&width=128&heads=4&hidden=344&context=128.",
      kind: "usage",
    });
  }
  const sizes = {
    ...usual,
    ...Object.fromEntries(given.map(([key, value]) => [key, Number(value)])),
  } as typeof usual;
  buildNet({ ...sizes, vocab: 257 }, { kind: "dense" });
  const said = Object.entries(sizes).map(([key, value]) => `${key}=${value}`);
  return netModel({
    id: `net:decoder,${said.join(",")}`,
    name: `decoder ${sizes.layers}x${sizes.width}`,
    grants: new Set(["gradients", "weights"]),
    sizes,
    begin: untrainedNet,
  });
}

/** A model whose nets share their programs. */
export function netModel(
  given: Pick<NetModel, "id" | "name" | "grants" | "sizes"> & { begin: (model: NetModel) => Subject<"text"> },
): NetModel {
  const programs = new Map<string, ReturnType<typeof sayingOf>>();
  const model: NetModel = {
    ...given,
    concurrency: together,
    saying(config) {
      const key = fingerprint(JSON.parse(JSON.stringify(config)));
      const found = programs.get(key) ?? sayingOf(config);
      programs.set(key, found);
      return found;
    },
    begin: () => given.begin(model),
    async close() {
      await Promise.all([...programs.values()].map((one) => one.release()));
      programs.clear();
    },
  };
  return model;
}

/** The generalist: an untrained dense net over bytes. */
export function untrainedNet(model: NetModel): NetSubject {
  const tokenizer = bpe({ merges: [] });
  const config = buildNet({ ...model.sizes, vocab: tokenizer.size }, { kind: "dense" });
  const net = { config, tokenizer, weights: initWeights(config, 0) };
  return netSubject(model, `untrained ${model.name}`, "untrained", async () => net);
}

/** A net as a subject. @param id what determines its weights */
export function netSubject(
  model: NetModel,
  name: string,
  id: string,
  load: () => Promise<TrainedNet>,
): NetSubject {
  let loaded: Promise<TrainedNet> | undefined;
  const net = () => {
    loaded ??= load();
    return loaded;
  };
  return { ...sayer(model, name, fingerprint(["net", 1, model.id, id]), net), model, net };
}

/** A subject that scores texts with a net; texts requested at the same time run together. */
export function sayer(
  model: NetModel,
  name: string,
  id: string,
  net: () => Promise<SayingNet>,
): Subject<"text"> {
  type Asked = { text: string; resolve: (reply: TextReply) => void; reject: (error: unknown) => void };
  let waiting: Asked[] = [];
  const flush = async (): Promise<void> => {
    const list = waiting;
    waiting = [];
    try {
      const own = await net();
      const replies = await model.saying(own.config).say(
        own,
        list.map(({ text }) => text),
      );
      for (const [i, { resolve }] of list.entries()) resolve(replies[i] as TextReply);
    } catch (error) {
      for (const { reject } of list) reject(error);
    }
  };
  return {
    kind: "text",
    name,
    id,
    model,
    respond: ({ text }, { signal }) => {
      signal.throwIfAborted();
      return new Promise((resolve, reject) => {
        waiting.push({ text, resolve, reject });
        if (waiting.length === 1) setImmediate(() => void flush());
      });
    },
  };
}
