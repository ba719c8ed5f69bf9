// Packs the samples that a report lets people open: exact prompts, raw outputs, option scores and cost, within a size limit.
// Prompts are shared by call, and strings are front-coded (sorted, each as its difference from the one before), because
// the prompts of a study repeat their demonstrations thousands of times.

import type { Call, Cost } from "../core/call.js";
import type { Outcome } from "../core/outcome.js";
import { clip, embedJson, visibleText } from "./escape.js";
import { type Gathered, type Judged, judgedBy, type SampleRow, type Source } from "./gather.js";

/** An index into the packed strings. */
export type Text = number;

export interface PackedCall {
  operation: string;
  model: Text;
  format: Text;
  /** Role and content of each message. */
  messages: [role: Text, content: Text][];
  /** For scored options: text, summed natural-log probability, tokens. */
  options: [text: Text, logprob: number | null, tokens: number][];
  output: Text | null;
  /** What is neither prompt nor output: how it finished, how many vectors came back, or that the journal lost it. */
  note: Text | null;
  cost: PackedCost;
}

export type PackedCost = [calls: number, inputTokens: number, outputTokens: number, ms: number, usd: number];

export interface PackedAnswer {
  seed: number;
  score: number | null;
  said: Text;
  cause: Text | null;
  detail: Text | null;
  raw: Text | null;
  cost: PackedCost;
  /** Indexes of the calls. */
  calls: number[];
}

export interface PackedSample {
  task: number;
  id: Text;
  right: Text[];
  group: Text | null;
  eyesOff: boolean;
  input: Text | null;
  question: Text | null;
  options: [key: Text, text: Text][];
  /** By subject, then by seed. */
  answers: PackedAnswer[][];
}

export interface Packed {
  /** Front-coded: index, characters shared with the string before, the rest. */
  strings: [index: number, shared: number, rest: string][];
  subjects: { name: string; role: string; champion: boolean }[];
  tasks: { name: string; binary: boolean; judged: Judged; labels: [key: string, text: string][] }[];
  generalist: number;
  samples: PackedSample[];
  calls: PackedCall[];
}

export interface Limits {
  /** Most bytes of the HTML file. Default 20 million. */
  bytes?: number;
  /** Most samples whose details are kept. Default 5,000. */
  samples?: number;
  /** Most characters shown of one prompt message or output. Default 60,000. */
  text?: number;
}

/** Escaped JSON of as many rows as fit `bytes`, in their order, and how many that is. */
export function packSamples(
  source: Source,
  gathered: Gathered,
  bytes: number,
  textLimit: number,
): { json: string; kept: number } {
  let kept = gathered.rows.length;
  for (;;) {
    const { json, taken } = pack(source, gathered, gathered.rows.slice(0, kept), 4 * bytes, textLimit);
    const size = Buffer.byteLength(json);
    kept = taken;
    if (size <= bytes || kept === 0) return { json, kept };
    kept = Math.min(kept - 1, Math.floor((0.95 * kept * bytes) / size));
  }
}

/** Stops early once `rawLimit` characters have been read, so that a huge journal is not held in memory whole. */
function pack(
  source: Source,
  gathered: Gathered,
  rows: readonly SampleRow[],
  rawLimit: number,
  textLimit: number,
) {
  const { record } = source;
  const indexes = new Map<string, Text>();
  let raw = 0;
  const intern = (value: string): Text => {
    // Clip first: a 10 MB answer must not be scanned for invisible characters.
    const shown = visibleText(clip(value, textLimit));
    const known = indexes.get(shown);
    if (known !== undefined) return known;
    raw += shown.length;
    indexes.set(shown, indexes.size);
    return indexes.size - 1;
  };
  const maybe = (value: string | undefined): Text | null => (value === undefined ? null : intern(value));
  const calls: PackedCall[] = [];
  const callIndexes = new Map<string, number>();
  const callIndex = (key: string): number => {
    let index = callIndexes.get(key);
    if (index === undefined) {
      index = calls.length;
      callIndexes.set(key, index);
      calls.push(packCall(source.call(key), intern));
    }
    return index;
  };
  const packAnswer = ({ seed, grade, cost, calls: keys }: Outcome): PackedAnswer => ({
    seed,
    score: grade.status === "scored" ? grade.score : null,
    said: intern(grade.status === "scored" ? grade.prediction : ""),
    cause: grade.status === "unscored" ? intern(grade.cause) : null,
    detail: grade.status === "unscored" ? maybe(grade.detail) : null,
    raw: maybe(grade.raw),
    cost: packCost(cost),
    calls: keys.map(callIndex),
  });
  const samples: PackedSample[] = [];
  for (const row of rows) {
    if (raw > rawLimit) break;
    const text = source.samples(record.tasks[row.task]?.name ?? "", row.id);
    samples.push({
      task: row.task,
      id: intern(row.id),
      right: row.right.map(intern),
      group: maybe(row.group),
      eyesOff: row.eyesOff,
      input: maybe(text?.input),
      question: maybe(text?.question),
      options: (text?.options ?? []).map((option) => [intern(option.key), intern(option.text)]),
      answers: row.answers.map((answers) => answers.map(packAnswer)),
    });
  }
  const packed: Packed = {
    strings: frontCode(indexes),
    subjects: record.subjects.map(({ name, role }) => ({
      name: visibleText(name, 120),
      role,
      champion: name === record.verdict?.champion,
    })),
    tasks: record.tasks.map((task, i) => ({
      name: visibleText(task.name, 120),
      binary: gathered.binary[i] ?? false,
      judged: judgedBy(task),
      labels: (task.labels ?? []).map(({ key, text }) => [visibleText(key, 500), visibleText(text, 500)]),
    })),
    generalist: record.subjects.findIndex(({ role }) => role === "generalist"),
    samples,
    calls,
  };
  return { json: embedJson(packed), taken: samples.length };
}

function frontCode(indexes: ReadonlyMap<string, Text>): Packed["strings"] {
  let before = "";
  return [...indexes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([value, index]) => {
      const most = Math.min(before.length, value.length);
      let shared = 0;
      while (shared < most && before.charCodeAt(shared) === value.charCodeAt(shared)) shared++;
      before = value;
      return [index, shared, value.slice(shared)];
    });
}

function packCost(cost: Cost): PackedCost {
  const short = (value: number): number => Number(value.toPrecision(4));
  return [cost.calls, cost.inputTokens, cost.outputTokens, short(cost.ms), short(cost.usd)];
}

/** Requests and responses come from a file on disk, so nothing about their shape is assumed. */
function packCall(call: Call | undefined, intern: (value: string) => Text): PackedCall {
  const packed: PackedCall = {
    operation: call?.operation ?? "unknown",
    model: intern(call?.model ?? ""),
    format: intern(""),
    messages: [],
    options: [],
    output: null,
    note: null,
    cost: packCost(call?.cost ?? { calls: 0, inputTokens: 0, outputTokens: 0, ms: 0, usd: 0 }),
  };
  if (!call) return { ...packed, note: intern("This call is no longer in the journal.") };
  const request = fields(call.request);
  const response = fields(call.response);
  packed.format = intern(stringOf(request.format));
  if (call.operation === "embed") {
    const texts = list(Array.isArray(call.request) ? call.request : request.texts).map(stringOf);
    packed.messages = texts.map((text) => [intern("text"), intern(text)]);
    const vectors = list(response.vectors);
    return { ...packed, note: intern(`${vectors.length} vectors of ${list(vectors[0]).length} numbers`) };
  }
  for (const message of list(request.messages).map(fields)) {
    packed.messages.push([intern(stringOf(message.role)), intern(stringOf(message.content))]);
  }
  const scores = list(response.options).map(fields);
  for (const [i, option] of list(request.options).map(stringOf).entries()) {
    const logprob = Number(scores[i]?.logprob ?? Number.NaN);
    const tokens = Number(scores[i]?.tokens ?? 0);
    packed.options.push([intern(option), Number.isFinite(logprob) ? logprob : null, tokens]);
  }
  if (typeof response.text === "string") packed.output = intern(response.text);
  else if (packed.options.length === 0) packed.output = intern(JSON.stringify(call.response) ?? "");
  const settings = ["maxTokens", "temperature", "topP", "minP", "repetitionPenalty", "seed", "stop"].filter(
    (name) => request[name] !== undefined,
  );
  const said = settings.map((name) => `${name} ${JSON.stringify(request[name])}`);
  if (typeof response.finish === "string") said.push(`finished: ${response.finish}`);
  if (said.length > 0) packed.note = intern(said.join(" · "));
  return packed;
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function stringOf(value: unknown): string {
  return typeof value === "string" ? value : value === undefined ? "" : (JSON.stringify(value) ?? "");
}
