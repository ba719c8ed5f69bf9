// Measures on dev how a mixture's experts have specialized (Dai et al. 2024, section 4.5): which domains' tokens go where,
// against documents with shuffled domains; how even the load is; what is lost without the best experts, without the shared
// ones, or with fewer; how similar experts' outputs are.

import type { numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { randomFor, shuffled } from "../../../core/random.js";
import type { Given } from "../../../core/specializer.js";
import type { ExpertNotes } from "../../../core/training.js";
import type { ExpertConfig } from "../../../nets/experts.js";
import { nextLogprobs } from "../../../nets/language.js";
import { maxViolation, type Probe, type Routing } from "../../../nets/moe.js";
import type { TrainedNet } from "../../../nets/text/checkpoint.js";
import { rowsOfText } from "../../../nets/text/rows.js";
import { sayingOf } from "../../../nets/text/saying.js";
import { compile, type Tensors } from "../../../tensor/compile.js";
import { alikeness, information } from "./measures.js";

/** Texts of each domain, and bytes of each that are read. */
const textsOfDomain = 12;
const bytesOfText = 1000;
const together = 8;
/** Shuffles of the documents' domains, and tokens on which experts' outputs are compared. */
const shuffles = 1000;
const compared = 96;

// biome-ignore lint/suspicious/noExplicitAny: trees of arrays while traced.
type Traced = any;

/** Analyses a trained net of experts. */
export async function lookInto(net: TrainedNet, given: Given<"text">): Promise<ExpertNotes> {
  const settings = net.config.experts as ExpertConfig;
  const texts = byDomain(given);
  const domains = [...new Set(texts.map(({ domain }) => domain))];
  const { layers, ...routing } = await routed(net, texts, domains, given);
  const value = async (probe: Probe): Promise<{ value: number; texts: number[] }> => {
    const saying = sayingOf(net.config, probe);
    try {
      const replies = await saying.say(
        net,
        texts.map(({ text }) => text),
        given.context.signal,
      );
      const nats = replies.reduce((sum, one) => sum + one.nats, 0);
      return {
        value: nats / Math.LN2 / replies.reduce((sum, one) => sum + one.bytes, 0),
        texts: replies.map((one) => Math.round((1e5 * one.nats) / Math.LN2 / one.bytes) / 1e5),
      };
    } finally {
      await saying.release();
    }
  };
  const probes: ExpertNotes["probes"] = [];
  if (settings.routing === "top") {
    const { routed: all, chosen, shared } = settings;
    probes.push({ what: "as trained", masked: 0, chosen, ...(await value({})) });
    const most = all - chosen;
    const sixteenths = [1, 2, 3, 4].map((part) => Math.max(part, Math.round((part * all) / 16)));
    for (const masked of [...new Set(sixteenths)].filter((count) => count <= most))
      probes.push({ what: `best ${masked} masked`, masked, ...(await value({ masked })) });
    if (shared > 0) {
      const more = Math.min(all, chosen + shared);
      probes.push({
        what: `shared off, ${more} routed`,
        ...(await value({ shared: false, chosen: more })),
      });
    }
    for (const fewer of fewerThan(chosen))
      probes.push({ what: `${fewer} routed`, chosen: fewer, ...(await value({ chosen: fewer })) });
  }
  return { domains, layers, probes, bytes: texts.map(({ text }) => Buffer.byteLength(text)), ...routing };
}

/** Some numbers below `chosen`, at most four. */
function fewerThan(chosen: number): number[] {
  const all = Array.from({ length: chosen - 1 }, (_, i) => chosen - 1 - i);
  return all.length <= 4
    ? all
    : [0.85, 0.7, 0.55, 0.4].map((share) => Math.max(1, Math.round(share * chosen)));
}

/** Up to `textsOfDomain` of dev's texts for each domain. */
function byDomain({ dev, train }: Given<"text">): { text: string; domain: string }[] {
  const counts = new Map<string, number>();
  const list: { text: string; domain: string }[] = [];
  for (const { input, gold } of dev.length > 0 ? dev : train) {
    const domain = String(gold);
    const have = counts.get(domain) ?? 0;
    if (have >= textsOfDomain) continue;
    counts.set(domain, have + 1);
    list.push({ text: input.slice(0, bytesOfText), domain });
  }
  return list;
}

async function routed(
  net: TrainedNet,
  texts: readonly { text: string; domain: string }[],
  domains: readonly string[],
  given: Given<"text">,
): Promise<Pick<ExpertNotes, "layers" | "violations" | "information">> {
  const { config, tokenizer, weights } = net;
  const settings = config.experts as ExpertConfig;
  const length = config.context;
  const wanted = Array.from({ length: config.layers - settings.dense }, (_, i) => i + settings.dense);
  const program = compile<Tensors[], Tensor[]>(
    (params: Traced, tokens: np.Array, targets: np.Array) => {
      const found: np.Array[] = [];
      const logprobs = nextLogprobs(
        config,
        params,
        { tokens, targets },
        {
          onRouting: ({ ids, load, scores, input }: Routing) => {
            found.push(ids, input);
            load.dispose();
            scores?.dispose();
          },
        },
      );
      logprobs.dispose();
      return found;
    },
    { name: "where tokens go" },
  );
  // By layer: tokens of each text by expert.
  const counts = wanted.map(() => texts.map(() => new Float64Array(settings.routed)));
  const inputs = wanted.map(() => new Float32Array(compared * config.width));
  const rows = texts.flatMap(({ text }, owner) =>
    rowsOfText(tokenizer, text, length).map((row) => ({ ...row, owner })),
  );
  const places = evenly(
    rows.map(({ read }) => read.length),
    compared,
  );
  try {
    for (let from = 0; from < rows.length; from += together) {
      given.context.signal.throwIfAborted();
      const part = rows.slice(from, from + together);
      const read = new Int32Array(together * length);
      for (const [i, row] of part.entries()) read.set(row.read, i * length);
      const tokens = new Tensor("int32", read, [together, length]);
      const found = await program(weights as Tensors, tokens, tokens);
      for (const [l] of wanted.entries()) {
        const ids = found[2 * l]?.data as Int32Array;
        const states = found[2 * l + 1]?.data as Float32Array;
        const { chosen } = settings;
        for (const [k, { row, at }] of places.entries()) {
          if (row < from || row >= from + together) continue;
          const place = (row - from) * length + at;
          inputs[l]?.set(states.subarray(place * config.width, (place + 1) * config.width), k * config.width);
        }
        for (const [i, { read: own, owner }] of part.entries()) {
          const sums = counts[l]?.[owner] as Float64Array;
          for (let t = 0; t < own.length * chosen; t++) {
            const expert = ids[i * length * chosen + t] as number;
            sums[expert] = (sums[expert] as number) + 1;
          }
        }
      }
    }
  } finally {
    await program.release();
  }
  const labels = texts.map(({ domain }) => domains.indexOf(domain));
  const others = Array.from({ length: shuffles }, (_, i) =>
    shuffled(labels, randomFor(given.seed, "shuffled domains", i)),
  );
  /** The sum over layers for each shuffle. */
  const sums = new Float64Array(shuffles);
  const layers = wanted.map((layer, l) => {
    const own = counts[l] as Float64Array[];
    const table = tableOf(own, labels, domains.length, settings.routed);
    const load = table.map((row) => row.reduce((sum, one) => sum + one, 0));
    const all = load.reduce((sum, one) => sum + one, 0);
    const nulls = others.map((other) => information(tableOf(own, other, domains.length, settings.routed)));
    for (const [i, one] of nulls.entries()) sums[i] = (sums[i] as number) + one;
    nulls.sort((a, b) => a - b);
    return {
      layer,
      byDomain: table.map((row, e) =>
        row.map((one) => ((load[e] as number) > 0 ? one / (load[e] as number) : 0)),
      ),
      load: load.map((one) => one / all),
      maxViolation: maxViolation(load),
      information: information(table),
      shuffled: {
        mean: nulls.reduce((sum, one) => sum + one, 0) / nulls.length,
        high: nulls[Math.floor(0.95 * nulls.length)] as number,
      },
      similarity: alikeness(
        net,
        layer,
        (inputs[l] as Float32Array).subarray(0, places.length * config.width),
      ),
    };
  });
  const all = layers.reduce((sum, one) => sum + one.information, 0);
  const asMuch = sums.reduce((count, one) => count + (one >= all ? 1 : 0), 0);
  return {
    layers,
    information: { mean: all / layers.length, p: (1 + asMuch) / (1 + shuffles) },
    violations: texts.map(
      (_, i) =>
        counts.reduce((sum, own) => sum + maxViolation(own[i] as Float64Array), 0) /
        Math.max(1, counts.length),
    ),
  };
}

/** `count` places spread evenly over all tokens of the rows, or all of them if there are fewer. */
export function evenly(lengths: readonly number[], count: number): { row: number; at: number }[] {
  const total = lengths.reduce((sum, one) => sum + one, 0);
  const places: { row: number; at: number }[] = [];
  let before = 0;
  for (const [row, length] of lengths.entries()) {
    for (;;) {
      const k = places.length;
      const next = total <= count ? k : Math.floor(((k + 0.5) * total) / count);
      if (next >= before + length || k >= count) break;
      places.push({ row, at: next - before });
    }
    before += length;
  }
  return places;
}

/** Tokens by expert and domain. */
function tableOf(
  counts: readonly Float64Array[],
  labels: readonly number[],
  domains: number,
  experts: number,
): number[][] {
  const table = Array.from({ length: experts }, () => new Array<number>(domains).fill(0));
  for (const [text, own] of counts.entries()) {
    const domain = labels[text] as number;
    for (const [expert, count] of own.entries()) {
      const row = table[expert] as number[];
      row[domain] = (row[domain] as number) + count;
    }
  }
  return table;
}
