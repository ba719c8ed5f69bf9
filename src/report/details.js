// Packs the samples that a report lets people open: exact prompts, raw outputs, option scores and cost, within a size limit.
// Prompts are shared by call, and strings are front-coded (sorted, each as what differs from the one before), because
// the prompts of a study repeat their demonstrations thousands of times.
import { directionOf } from "../core/metric.js";
import { clip, embedJson, visibleText } from "./escape.js";
/** Escaped JSON for the page of as many rows as fit `bytes`, in their order, and how many that is. */
export function packSamples(source, gathered, bytes, textLimit) {
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
function pack(source, gathered, rows, rawLimit, textLimit) {
  const { record } = source;
  const indexes = new Map();
  let raw = 0;
  const intern = (value) => {
    // Clip first: a 10 MB answer must not be scanned for what it hides.
    const shown = visibleText(clip(value, textLimit));
    const known = indexes.get(shown);
    if (known !== undefined) return known;
    raw += shown.length;
    indexes.set(shown, indexes.size);
    return indexes.size - 1;
  };
  const maybe = (value) => (value === undefined ? null : intern(value));
  const calls = [];
  const callIndexes = new Map();
  const callIndex = (key) => {
    let index = callIndexes.get(key);
    if (index === undefined) {
      index = calls.length;
      callIndexes.set(key, index);
      calls.push(packCall(source.call(key), intern));
    }
    return index;
  };
  const packAnswer = ({ seed, grade, cost, calls: keys }) => ({
    seed,
    score: grade.status === "scored" ? grade.score : null,
    said: intern(grade.status === "scored" ? grade.prediction : ""),
    cause: grade.status === "unscored" ? intern(grade.cause) : null,
    detail: grade.status === "unscored" ? maybe(grade.detail) : null,
    raw: maybe(grade.raw),
    cost: packCost(cost),
    calls: keys.map(callIndex),
  });
  const samples = [];
  for (const row of rows) {
    if (raw > rawLimit) break;
    const text = source.samples(record.tasks[row.task]?.name ?? "", row.id);
    samples.push({
      task: row.task,
      id: intern(row.id),
      gold: intern(row.gold),
      group: maybe(row.group),
      eyesOff: row.eyesOff,
      input: maybe(text?.input),
      question: maybe(text?.question),
      options: (text?.options ?? []).map((option) => [intern(option.key), intern(option.text)]),
      answers: row.answers.map((answers) => answers.map(packAnswer)),
    });
  }
  const packed = {
    strings: frontCode(indexes),
    subjects: record.subjects.map(({ name, role }) => ({
      name: visibleText(name, 120),
      role,
      champion: name === record.verdict?.champion,
    })),
    tasks: record.tasks.map((task, i) => ({
      name: visibleText(task.name, 120),
      binary: gathered.binary[i] ?? false,
      lower: directionOf(task.metric) < 0,
      labels: (task.labels ?? []).map(({ key, text }) => [visibleText(key, 500), visibleText(text, 500)]),
    })),
    generalist: record.subjects.findIndex(({ role }) => role === "generalist"),
    samples,
    calls,
  };
  return { json: embedJson(packed), taken: samples.length };
}
function frontCode(indexes) {
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
function packCost(cost) {
  const short = (value) => Number(value.toPrecision(4));
  return [cost.calls, cost.inputTokens, cost.outputTokens, short(cost.ms), short(cost.usd)];
}
/** Requests and responses come from a file on disk, so nothing about their shape is taken for granted. */
function packCall(call, intern) {
  const packed = {
    operation: call?.operation ?? "unknown",
    model: intern(call?.model ?? ""),
    format: intern(""),
    messages: [],
    options: [],
    output: null,
    note: null,
    cost: packCost(call?.cost ?? { calls: 0, inputTokens: 0, outputTokens: 0, ms: 0, usd: 0 }),
  };
  if (!call) return { ...packed, note: intern("The journal does not have this call any more.") };
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
  const settings = ["maxTokens", "temperature", "seed", "stop"].filter((name) => request[name] !== undefined);
  const said = settings.map((name) => `${name} ${JSON.stringify(request[name])}`);
  if (typeof response.finish === "string") said.push(`finished: ${response.finish}`);
  if (said.length > 0) packed.note = intern(said.join(" · "));
  return packed;
}
function fields(value) {
  return typeof value === "object" && value !== null ? value : {};
}
function list(value) {
  return Array.isArray(value) ? value : [];
}
function stringOf(value) {
  return typeof value === "string" ? value : value === undefined ? "" : (JSON.stringify(value) ?? "");
}
