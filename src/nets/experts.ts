// A mixture of experts' configuration, and its tensors by llama.cpp's names.

/** The experts in a decoder's feed-forwards. A standard feed-forward has `NetConfig.hidden` neurons. */
export interface ExpertConfig {
  /** By the highest affinities, or by a fixed table of tokens (hash layers). */
  readonly routing: "top" | "hash";
  /** Routed experts per layer: mN - Ks of eq. 9. */
  readonly routed: number;
  /** How many of them a token is sent to: mK - Ks. */
  readonly chosen: number;
  /** Experts that every token is sent to, without a gate: Ks. */
  readonly shared: number;
  /** Neurons of one expert, routed or shared. */
  readonly neurons: number;
  /** Number of first layers with one dense feed-forward instead. */
  readonly dense: number;
  readonly affinity: "softmax" | "sigmoid";
  /** Whether the chosen gates are normalized to sum to 1; not in DeepSeekMoE. */
  readonly normalize: boolean;
  /** Multiplies the gates; 1 in DeepSeekMoE. */
  readonly scale: number;
  /** Whether a bias, adjusted by the load, affects the choice (loss-free balancing). */
  readonly bias: boolean;
  /** Size of the vocabulary, for hash routing. */
  readonly vocab: number;
}

/** Whether a layer's feed-forward has experts. */
export function isRouted(experts: ExpertConfig | undefined, layer: number): experts is ExpertConfig {
  return experts !== undefined && layer >= experts.dense;
}

/** The experts' tensors of a layer by GGUF name without its `blk.N.`, with shapes outermost first. */
export function expertShapes(
  { routed, shared, neurons, routing, bias }: ExpertConfig,
  width: number,
): [name: string, shape: readonly number[]][] {
  const list: [string, readonly number[]][] = [];
  if (routing === "top") list.push(["ffn_gate_inp.weight", [routed, width]]);
  if (bias) list.push(["exp_probs_b.bias", [routed]]);
  list.push(
    ["ffn_gate_exps.weight", [routed, neurons, width]],
    ["ffn_up_exps.weight", [routed, neurons, width]],
    ["ffn_down_exps.weight", [routed, width, neurons]],
  );
  if (shared === 0) return list;
  return [
    ...list,
    ["ffn_gate_shexp.weight", [shared * neurons, width]],
    ["ffn_up_shexp.weight", [shared * neurons, width]],
    ["ffn_down_shexp.weight", [width, shared * neurons]],
  ];
}
