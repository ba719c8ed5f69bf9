// Trains a net's weights on the train split's texts, from any initial weights; evaluations on dev track the training and
// choose the step that is kept. The result is a folder with the net, and notes for the report.

import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fingerprint, type Json } from "../../../core/json.js";
import { randomFor } from "../../../core/random.js";
import type { Given } from "../../../core/specializer.js";
import type { TrainingNotes } from "../../../core/training.js";
import { countParameters } from "../../../nets/build.js";
import type { NetConfig } from "../../../nets/config.js";
import { textLoss } from "../../../nets/language.js";
import type { BalanceOptions } from "../../../nets/moe.js";
import { saveNet, type TrainedNet } from "../../../nets/text/checkpoint.js";
import { batchesOf, streamOf } from "../../../nets/text/rows.js";
import type { sayingOf } from "../../../nets/text/saying.js";
import { type Parameters, schedule } from "../../../tensor/optimizer.js";
import { type Batch, makeTrainer, type StepReport, type Trainer, train } from "../../../tensor/train.js";
import { lookInto } from "./look.js";
import type { Learning } from "./options.js";

/** Points kept of a loss curve, and evaluations on dev during training. */
const curvePoints = 100;
const looks = 6;
/** Bytes of dev that an evaluation reads. */
const lookBytes = 60_000;
/** Tokens of a sample of the net's writing, and its sampling temperature. */
const written = 60;
const temperature = 0.8;

export interface FitInput {
  /** The net to train, with its initial weights and tokenizer. */
  readonly net: TrainedNet;
  readonly learning: Learning;
  /** Weights of the balance losses, and the step of the biases. */
  readonly balance: BalanceOptions;
  readonly lossFree: number;
  readonly saying: ReturnType<typeof sayingOf>;
  /** Everything else that determines the training, for the checkpoint's key. */
  readonly key: Json;
}

/** A state: where the net is stored, and notes for the report. */
export type PretrainState = { artifact: string; notes: TrainingNotes; served: boolean };

export async function fitNet(input: FitInput, given: Given<"text">): Promise<PretrainState> {
  const { net, learning, balance, lossFree, saying } = input;
  const { config, tokenizer } = net;
  const { tokens, batch, warmup } = learning;
  const length = config.context;
  const steps = Math.max(1, Math.ceil(tokens / (batch * length)));
  const texts = given.train.map(({ input: text }) => text);
  const stream = streamOf(tokenizer, texts, given.seed);
  const batches = batchesOf(stream, { rows: batch, length, seed: given.seed });
  const held = firstTexts(given, lookBytes);
  const trainer = trainerOf(config, { learning, balance, lossFree, rows: batch * length });
  const bitsPerByte = async (params: Parameters): Promise<number> => {
    const replies = await saying.say({ ...net, weights: params }, held, given.context.signal);
    const sum = (of: (reply: (typeof replies)[number]) => number) =>
      replies.reduce((all, one) => all + of(one), 0);
    return sum(({ nats }) => nats) / Math.LN2 / sum(({ bytes }) => bytes);
  };
  const bytesPerToken = await (async () => {
    const count = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    return count / stream.length;
  })();
  const folder = await given.artifacts.scratch("pretrain");
  try {
    const [{ inputs }] = batches(1) as [Batch];
    const program = await trainer.gradients.prepare([], net.weights, inputs);
    const updating = (await trainer.updateFlops?.(net.weights)) ?? 0;
    const perToken = (program.flops + updating) / (batch * length);
    const peak = learning.learningRate;
    const shape =
      learning.schedule === "steps"
        ? { at: [Math.round(0.8 * steps), Math.round(0.9 * steps)], factor: 0.316 }
        : learning.schedule;
    const trained = await train({
      trainer,
      frozen: [],
      params: net.weights,
      batches,
      steps,
      schedule: schedule({ shape, peak, steps, warmup: Math.round(warmup * steps) }),
      evaluate: {
        every: Math.max(1, Math.ceil(steps / looks)),
        look: async (params) => ({ loss: await bitsPerByte(params) }),
        patience: Number.POSITIVE_INFINITY,
      },
      checkpoint: {
        folder,
        key: fingerprint([input.key, learning, given.seed, given.train.map(({ id }) => id)] as Json),
        seconds: 60,
      },
      signal: given.context.signal,
      onStep: teller(given.progress),
    });
    const result = { ...net, weights: trained.params };
    const { total, active } = countParameters(config);
    const notes: TrainingNotes = {
      unit: "bits per byte",
      curve: thinned(trained.losses, 1 / Math.LN2 / bytesPerToken),
      heldOut: trained.heldOut.map(({ step, loss }) => [step, loss]),
      facts: {
        parameters: total,
        "activated parameters": active,
        "tokens read": steps * batch * length,
        "bytes per token": bytesPerToken,
        "train tokens": stream.length,
        "training FLOPs per token": perToken,
        steps,
        "best step": trained.bestStep,
      },
      texts: await writing(result, saying, given),
      ...(learning.analyse && config.experts ? { experts: await lookInto(result, given) } : {}),
    };
    const kept = join(folder, "net");
    await rm(kept, { recursive: true, force: true });
    await mkdir(kept, { recursive: true });
    const served = await saveNet(kept, result);
    return { artifact: await given.artifacts.keep(kept), notes, served };
  } finally {
    await trainer.release();
  }
}

/** The training step of a net on `rows` tokens; the loss is their mean. */
export function trainerOf(
  config: NetConfig,
  options: {
    learning: Pick<Learning, "optimizer" | "weightDecay" | "clipNorm">;
    balance: BalanceOptions;
    lossFree: number;
    rows: number;
  },
): Trainer {
  const { learning, balance, lossFree, rows } = options;
  return makeTrainer({
    // biome-ignore lint/suspicious/noExplicitAny: traced trees.
    loss: (_frozen: any, params: any, batch: any) => {
      const { loss, nats } = textLoss(config, params, batch, { balance, scale: 1 / rows });
      nats.dispose();
      return loss;
    },
    // Routers are left to AdamW, as embeddings and gains are.
    ...(learning.optimizer === "muon" ? { muon: { matrices: isHidden } } : {}),
    optimizer: {
      beta1: 0.9,
      beta2: 0.95,
      weightDecay: learning.weightDecay,
      clipNorm: learning.clipNorm,
      ...(lossFree > 0 ? { signed: { ending: "exp_probs_b.bias", rate: lossFree } } : {}),
    },
  });
}

const isHidden = (name: string): boolean =>
  /^blk\.\d+\.(attn_(q|k|v|output)|ffn_\w+)\.weight$/.test(name) && !/_(norm|inp)\./.test(name);

/** Texts of dev, one of each domain in turn, until `bytes` bytes are reached. */
export function firstTexts({ dev, train }: Pick<Given<"text">, "dev" | "train">, bytes: number): string[] {
  const domains = new Map<string, string[]>();
  for (const { input, gold } of dev.length > 0 ? dev : train) {
    const own = domains.get(String(gold)) ?? [];
    domains.set(String(gold), own);
    own.push(input);
  }
  const list: string[] = [];
  let left = bytes;
  for (let i = 0; left > 0; i++) {
    const turn = [...domains.values()].flatMap((own) => own[i] ?? []);
    if (turn.length === 0) break;
    for (const text of turn) {
      if (left <= 0) break;
      list.push(text);
      left -= Buffer.byteLength(text);
    }
  }
  return list;
}

/** Means over groups of steps, at most `curvePoints` of them. Losses are per token, in nats. */
function thinned(losses: readonly number[], scale: number): [number, number][] {
  const every = Math.max(1, Math.ceil(losses.length / curvePoints));
  const points: [number, number][] = [];
  for (let from = 0; from < losses.length; from += every) {
    const part = losses.slice(from, from + every);
    points.push([from + part.length, (scale * part.reduce((sum, one) => sum + one, 0)) / part.length]);
  }
  return points;
}

/** What the net writes after the beginning of one dev text per domain. */
async function writing(
  net: TrainedNet,
  saying: ReturnType<typeof sayingOf>,
  given: Given<"text">,
): Promise<TrainingNotes["texts"]> {
  const domains = new Map<string, string>();
  for (const { gold, input } of given.dev) {
    const name = String(gold);
    if (!domains.has(name) && domains.size < 12) domains.set(name, input);
  }
  const texts: TrainingNotes["texts"] = [];
  for (const [domain, input] of domains) {
    const start = input.slice(0, 40);
    const random = randomFor(given.seed, "writing", domain);
    texts.push({
      given: start,
      text: await saying.write(net, start, { tokens: written, temperature, random }),
    });
  }
  return texts;
}

function teller(progress: Given["progress"]): (at: StepReport) => void {
  const started = performance.now();
  let tokens = 0;
  let made = 0;
  return (at) => {
    tokens += at.tokens;
    made++;
    const seconds = (performance.now() - started) / 1000;
    const dev = at.heldOut === undefined ? "" : `, dev ${at.heldOut.loss.toFixed(3)} bits per byte`;
    const left = Math.ceil((seconds / made) * (at.steps - at.step));
    const eta = left >= 120 ? `${Math.round(left / 60)} min` : `${left} s`;
    progress(
      at.step,
      at.steps,
      `loss ${at.loss.toFixed(3)}${dev}, ${Math.round(tokens / seconds)} tokens/s, ${eta} left`,
    );
  };
}
