// Options for training a net from scratch: what its feed-forwards are, how much it reads, how it learns.

import { z } from "zod";
import { HoneError } from "../../../core/errors.js";
import type { FeedForward } from "../../../nets/build.js";
import type { BalanceOptions } from "../../../nets/moe.js";

const expertFields = {
  experts: z
    .int()
    .min(1)
    .max(512)
    .default(16)
    .describe("N, experts as large as a standard feed-forward; together they are N feed-forwards"),
  size: z
    .number()
    .positive()
    .max(8)
    .default(1)
    .describe("neurons of such an expert, as a multiple of a standard feed-forward's"),
  dense: z.int().min(0).max(63).default(0).describe("first layers that stay dense"),
};
const balanced = {
  balance: z
    .number()
    .min(0)
    .max(10)
    .optional()
    .describe(
      "weight of the expert-level balance loss, alpha 1 of equation 12; 0.01 by default, and 0 where the load is balanced without a loss",
    ),
  devices: z
    .strictObject({
      count: z.int().min(2).max(512).describe("D, devices; neighbouring experts share one"),
      alpha: z.number().positive().max(10).default(0.05).describe("alpha 2 of equation 15"),
    })
    .optional()
    .describe("the device-level balance loss, beside the expert-level one; none by default"),
  lossFree: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("step of the biases that balance the load without a loss; 0 for no biases"),
  affinity: z.enum(["softmax", "sigmoid"]).default("softmax").describe("how a router's logits become gates"),
};

/** The feed-forwards of a net. */
export const netSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("dense").describe("one feed-forward per layer"),
    times: z.number().positive().max(64).default(1).describe("neurons, as a multiple of the standard number"),
  }),
  z.strictObject({
    kind: z.literal("switch").describe("each token to one expert (Fedus et al. 2022)"),
    ...expertFields,
    ...balanced,
  }),
  z.strictObject({
    kind: z
      .literal("hash")
      .describe("each token to the expert that a fixed table names (Roller et al. 2021)"),
    ...expertFields,
  }),
  z.strictObject({
    kind: z.literal("gshard").describe("each token to the best two experts (Lepikhin et al. 2021)"),
    ...expertFields,
    ...balanced,
    active: z.int().min(1).max(64).default(2).describe("K, experts that each token goes to"),
  }),
  z.strictObject({
    kind: z.literal("deepseekmoe").describe("fine-grained experts, some of them shared (Dai et al. 2024)"),
    ...expertFields,
    ...balanced,
    active: z.int().min(1).max(64).default(2).describe("K, standard feed-forwards that a token activates"),
    segments: z.int().min(1).max(64).default(4).describe("m, how many parts each expert is cut into"),
    shared: z.int().min(0).max(64).default(1).describe("Ks, shared ones among the fine-grained experts"),
  }),
]);
export type NetOptions = z.output<typeof netSchema>;

const learningShape = {
  tokens: z.int().min(1).max(1e10).default(2_000_000).describe("tokens that are read in training"),
  batch: z.int().min(1).max(4096).default(16).describe("rows per step, each as long as the net's context"),
  learningRate: z.number().positive().max(1).default(0.003).describe("the peak learning rate"),
  optimizer: z
    .enum(["adamw", "muon"])
    .default("adamw")
    .describe('"adamw", or "muon" for the matrices of the layers and AdamW for the rest'),
  warmup: z
    .number()
    .min(0)
    .max(1)
    .default(0.05)
    .describe("share of the steps over which the rate rises from 0"),
  schedule: z
    .enum(["steps", "cosine", "linear", "constant"])
    .default("steps")
    .describe('how the rate falls: "steps" multiplies it by 0.316 at 80 % and at 90 % (published)'),
  weightDecay: z.number().min(0).max(10).default(0.1).describe("decoupled weight decay"),
  clipNorm: z
    .number()
    .min(0)
    .max(1000)
    .default(1)
    .describe("gradients are clipped to this norm; 0 for no clipping"),
  analyse: z
    .boolean()
    .default(false)
    .describe("look into its experts on dev: routing by domain, redundancy, similarity"),
} as const;

export const pretrainOptions = z.strictObject({
  net: netSchema.prefault({ kind: "deepseekmoe" }).describe("what its feed-forwards are"),
  vocab: z
    .int()
    .min(257)
    .max(32768)
    .default(257)
    .describe("tokens: 257 are the bytes and a begin token; more are byte pairs learnt on train"),
  std: z.number().positive().max(1).default(0.02).describe("standard deviation of the initial weights"),
  ...learningShape,
});
/** Options of `pretrain`. */
export type PretrainOptions = z.input<typeof pretrainOptions>;

export const upcycleOptions = z.strictObject({
  net: netSchema.prefault({ kind: "deepseekmoe" }).describe("what its feed-forwards become"),
  reinit: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("share of every routed expert's neurons that are reinitialized"),
  ...learningShape,
});
/** Options of `upcycle`. */
export type UpcycleOptions = z.input<typeof upcycleOptions>;

export type Learning = Pick<z.output<typeof pretrainOptions>, keyof typeof learningShape>;

/** A net's feed-forwards as `buildNet` takes them. */
export function feedForwardOf(net: NetOptions): FeedForward {
  if (net.kind === "dense") return { kind: "dense", times: net.times };
  if (net.kind === "hash") {
    const { kind, experts, size, dense } = net;
    return { kind, experts, size, dense };
  }
  const { balance: _, devices: __, lossFree, ...rest } = net;
  return { ...rest, lossFree: lossFree > 0 };
}

/**
 * How a net's load is balanced: the losses' weights, and the step of the biases.
 * @throws HoneError where routed experts cannot be dealt evenly to devices
 */
export function balanceOf(net: NetOptions): { balance: BalanceOptions; lossFree: number } {
  if (net.kind === "dense" || net.kind === "hash") return { balance: {}, lossFree: 0 };
  const { lossFree, balance = lossFree > 0 ? 0 : usualBalance, devices } = net;
  const routed = net.kind === "deepseekmoe" ? net.experts * net.segments - net.shared : net.experts;
  if (devices && routed % devices.count !== 0)
    throw new HoneError({
      what: `${routed} routed experts cannot be divided evenly among ${devices.count} devices`,
      where: "net.devices.count",
      next: "Use a number of devices that divides them.",
      kind: "usage",
    });
  return {
    balance: { ...(balance > 0 ? { experts: balance } : {}), ...(devices ? { devices } : {}) },
    lossFree,
  };
}

const usualBalance = 0.01;

/** A net's name in tables: `deepseekmoe 1+31 top 7`. */
export function netLabel(net: NetOptions): string {
  const bits = (...list: (string | false)[]) => list.filter(Boolean).join(", ");
  if (net.kind === "dense") return `dense${net.times === 1 ? "" : ` x${net.times}`}`;
  const size = net.size !== 1 && `x${net.size}`;
  if (net.kind === "hash") return bits(`hash ${net.experts}`, size);
  const { experts: balance = 0 } = balanceOf(net).balance;
  const how = bits(
    net.dense > 0 && `${net.dense} dense`,
    net.affinity === "sigmoid" && "sigmoid",
    net.lossFree > 0 && "loss-free",
    balance !== (net.lossFree > 0 ? 0 : usualBalance) && `balance ${balance}`,
    net.devices !== undefined && `${net.devices.count} devices`,
  );
  if (net.kind === "switch") return bits(`switch ${net.experts}`, size, how);
  if (net.kind === "gshard") return bits(`gshard ${net.experts} top ${net.active}`, size, how);
  const { experts, segments, shared, active } = net;
  const routed = experts * segments - shared;
  return bits(`deepseekmoe ${shared}+${routed} top ${active * segments - shared}`, size, how);
}
