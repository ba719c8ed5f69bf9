// Tests whether `search` finds planted effects, and whether it keeps the simplest composition if nothing is better: searches
// over prompt layers with known effects, with a subject that is right with the resulting probability.
// `npm run build && npm run bench:search -- [--runs 40]`; writes bench/recorded/search.json.
//
// Twelve combinations (three levels, two, two), the simplest right in 50 % of cases; 400 train and 200 dev samples, three
// options; half of what decides an answer belongs to the sample, so that combinations agree on easy and hard samples.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { record } from "./record.js";

/** Accuracy by the layers that a query passed through. */
export const settings = {
  "none differs": () => 0.5,
  "all others are worse": (has) => 0.5 - 0.05 * (has("one") + has("two") + has("helps") + has("idle")),
  "main effects of 10 and 10 points": (has) => 0.5 + 0.1 * has("one") - 0.1 * has("two") + 0.1 * has("helps"),
  "main effects of 5 and 5 points": (has) =>
    0.5 + 0.05 * has("one") - 0.05 * has("two") + 0.05 * has("helps"),
  "two help only together, by 15 points": (has) =>
    0.5 + (has("one") && has("helps") ? 0.15 : -0.05 * (has("one") + has("helps"))),
};

export const samplesOf = (n, split) =>
  Array.from({ length: n }, (_, i) => ({ id: `${split}${i}`, input: `${split} ${i}`, gold: "abc"[i % 3] }));

/** A layer whose word the subject sees. */
export const layer = ({ defineSpecializer }, word) =>
  defineSpecializer({
    name: word,
    behave: () => ({
      prepare: (query) => ({ ...query, instruction: `${query.instruction} [${word}]` }),
    }),
  });

export const taskOf = ({ choice }) =>
  choice("planted", { instruction: "Which?" }, [
    { key: "a", text: "one" },
    { key: "b", text: "two" },
    { key: "c", text: "three" },
  ]);

export const spaceOf = (api) => ({
  factors: [
    { name: "prompt", levels: [null, layer(api, "one"), layer(api, "two")] },
    { name: "scoring", levels: [null, layer(api, "helps")] },
    { name: "order", levels: [null, layer(api, "idle")] },
  ],
  alone: [],
});

/**
 * A subject that is right with the probability that the layers' words imply. `counts` has the number of calls made; it throws
 * before call number `breakAt`.
 * @param api { randomFor } of Hone
 */
export function planted({ randomFor }, accuracy, samples, { seed = 1, concurrency = 4 } = {}) {
  const golds = new Map(samples.map(({ input, gold }) => [input, gold]));
  const counts = { calls: 0 };
  const asked = [];
  const subject = {
    ...{ kind: "language", name: "planted", id: `planted ${seed}`, counts, asked, breakAt: Infinity },
    model: { id: "planted", name: "planted", grants: new Set(["text", "logprobs"]), concurrency },
    respond: async ({ input, instruction = "" }, context) => {
      if (counts.calls >= subject.breakAt) throw new Error("the power went out");
      counts.calls++;
      await Promise.resolve();
      asked.push(input);
      const gold = golds.get(input);
      const key = `${instruction} ${input}`;
      const own = randomFor(seed, "sample", input)();
      const luck = own < 0.5 ? 2 * own : randomFor(seed, "call", key)();
      const right = luck < accuracy((word) => Number(instruction.includes(`[${word}]`)));
      const choice = right ? gold : "abc".replace(gold, "")[Math.floor(4 * own) % 2];
      const cost = { calls: 1, inputTokens: 20, outputTokens: 1, ms: 0, usd: 0.001 };
      context.trace?.({ key, model: "planted", operation: "score", request: null, response: null, cost });
      return { choice, scores: { a: 0, b: 0, c: 0, [choice]: 1 } };
    },
  };
  return subject;
}

/** How often a search returned something no better, and the share of the possible gain that it achieved. */
async function simulate(api, accuracy, runs, folder) {
  const [train, dev] = [samplesOf(400, "train"), samplesOf(200, "dev")];
  const space = spaceOf(api);
  const truth = (levels) => accuracy((word) => Number(levels.includes(word)));
  const all = ["none", "one", "two"].flatMap((a) =>
    ["none", "helps"].flatMap((b) => ["none", "idle"].map((c) => truth([a, b, c]))),
  );
  const [simplest, best] = [truth([]), Math.max(...all)];
  const counts = { accepted: 0, worse: 0, near: 0, calls: 0, gain: 0, interaction: 0 };
  const verdicts = {};
  for (let run = 0; run < runs; run++) {
    const subject = planted(api, accuracy, [...train, ...dev], { seed: run + 1 });
    const given = {
      ...{ task: taskOf(api), train, dev, seed: run + 1, base: folder, progress: () => {} },
      artifacts: api.openArtifacts(join(folder, String(run))),
      encoder: () => Promise.reject(new Error("none")),
      context: api.taskContext(new AbortController().signal),
    };
    const { search } = await api.search(space).fit(subject, given);
    verdicts[search.verdict] = (verdicts[search.verdict] ?? 0) + 1;
    const got =
      search.returned.reduce((sum, b) => sum + truth(search.branches[b].levels), 0) / search.returned.length;
    if (search.verdict === "confirmed" && got <= simplest) counts.accepted++;
    if (got < simplest) counts.worse++;
    if (best - got <= 0.025) counts.near++;
    if (search.interaction?.shown) counts.interaction++;
    counts.gain += got - simplest;
    counts.calls += search.spent.calls;
  }
  return {
    falseAccepts: counts.accepted / runs,
    worse: counts.worse / runs,
    withinHalf: counts.near / runs,
    gainPoints: (100 * counts.gain) / runs,
    bestPoints: 100 * (best - simplest),
    interactionShown: counts.interaction / runs,
    calls: Math.round(counts.calls / runs),
    verdicts,
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { runs: { type: "string", default: "40" } } });
  const runs = Number(values.runs);
  const api = {
    ...(await import("../dist/core/random.js")),
    ...(await import("../dist/core/task.js")),
    ...(await import("../dist/specializers/index.js")),
    ...(await import("../dist/store/artifacts.js")),
    ...(await import("../dist/tasks/choice.js")),
  };
  const folder = mkdtempSync(join(tmpdir(), "hone-bench-search-"));
  const found = {};
  for (const [name, accuracy] of Object.entries(settings)) {
    const own = await simulate(api, accuracy, runs, join(folder, name));
    found[name] = own;
    console.log(
      `${name}: returned a gain of ${own.gainPoints.toFixed(1)} of ${own.bestPoints.toFixed(1)} points, ${(100 * own.falseAccepts).toFixed(1)} % false accepts, ${own.calls} calls, ${JSON.stringify(own.verdicts)}`,
    );
  }
  rmSync(folder, { recursive: true, force: true });
  record("search", { runs, train: 400, dev: 200, combinations: 12, settings: found });
  const worst = Math.max(...Object.values(found).map(({ falseAccepts }) => falseAccepts));
  console.log(`search: ratio ${worst.toFixed(2)} against accepting always`);
}
