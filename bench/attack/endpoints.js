// Attacks by endpoint: endpoints that misbehave in one or several ways, for some requests or all, under `hone run`. The
// run must end in time, with a clear error or with the failed calls unscored; its scores must be what an honest endpoint
// would have given; and the key must not occur in anything that it prints or stores.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openStudy } from "../../dist/study/open.js";
import { lastRecord, runCases } from "./lib/cases.js";
import { allBehaviours, mayChange, startEndpoint } from "./lib/endpoint.js";
import { study, writeTones } from "./lib/tones.js";

const [dev, test] = [3, 8];
/** How options are scored, and the model options for it. */
const ways = {
  top: { scoring: "sum", more: "&score=top" },
  echo: { scoring: "sum", more: "&score=echo&format=plain" },
  streamed: { scoring: "parse", more: "" },
  whole: { scoring: "parse", more: "&stream=0" },
};

/** Answers with these behaviours are malformed, even if something could be parsed from them. */
const noText = new Set(["invalid-utf8", "invalid-utf8-content", "utf16"]);

/** Runs the study against its own endpoint; returns the result, the record and the outcomes. */
async function runAgainst(attack, way, rates, key) {
  const { scoring, more } = ways[way];
  const endpoint = await startEndpoint({ rates, key, seed: attack.number });
  try {
    writeTones(attack.path("tones.jsonl"), 80);
    // Timeouts that a bad endpoint can use up; an honest one gets all the time that a busy machine may need.
    const patience = Object.keys(rates).length > 0 ? "timeout=0.3&totalTimeout=0.6" : "timeout=30";
    const limits = `${patience}&retries=1&backoff=0.01&maxRetryAfter=0.2&concurrency=8&maxBytes=200000`;
    const spec = study({ model: `openai:m?base=${endpoint.url}&${limits}${more}`, scoring, dev, test });
    writeFileSync(attack.path("attacked.study.yaml"), JSON.stringify(spec));
    const args = ["run", "attacked.study.yaml", "--json", ...(attack.chance(0.5) ? ["--quiet"] : [])];
    const result = await attack.hone(args, { env: { OPENAI_API_KEY: key }, limit: 60_000 });
    if (result.refused && result.code !== 100) return { result };
    const opened = openStudy(attack.path(".hone"), "tones");
    const outcomes = [...opened.outcomes()];
    opened.close();
    return { result, record: lastRecord(result), outcomes };
  } finally {
    await endpoint.close();
  }
}

/** The predictions, by the subject's index in the study and by sample. */
function predictions({ record, outcomes }) {
  const place = (id) => record.subjects.findIndex(({ ids }) => ids.includes(id));
  const scored = outcomes.filter(({ grade }) => grade.status !== "unscored");
  return new Map(
    scored.map(({ subject, sample, grade }) => [`${place(subject)} ${sample}`, grade.prediction]),
  );
}

/** Everything that the run left on disk or printed, except the study file. */
function* traces(folder, result) {
  yield ["stdout", result.stdout];
  yield ["stderr", result.stderr];
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile())
      yield [entry.name, readFileSync(join(entry.parentPath ?? entry.path, entry.name)).toString("latin1")];
}

const honest = {};
/** The predictions with an honest endpoint; computed once per way. */
function truth(attack, way) {
  honest[way] ??= runAgainst(attack, way, {}, "sk-honest-0000000000000000").then((run) => {
    attack.expect(
      run.record?.results.every(({ unscored }) => unscored === 0),
      `an honest endpoint failed: ${run.result.stderr}`,
    );
    return predictions(run);
  });
  return honest[way];
}

async function attackBy(attack, names, share) {
  const way = attack.pick(Object.keys(ways));
  const key = `sk-${Array.from({ length: 28 }, () => attack.pick([..."abcdefghijkmnpqrstuvwxyz23456789"])).join("")}`;
  const expected = await truth(attack, way);
  const run = await runAgainst(
    { ...attack, hone: attack.hone },
    way,
    Object.fromEntries(names.map((name) => [name, share / names.length])),
    key,
  );
  const { result, record } = run;
  for (const [where, text] of traces(attack.folder, result)) {
    const said = `${names.join(", ")} (${way}): ${where} holds`;
    attack.expect(!text.includes(key), `${said} the key`);
    attack.expect(
      !new RegExp(`${key.slice(0, 5)}[.*…]+${key.slice(-4)}`).test(text),
      `${said} the key in its shortened form`,
    );
  }
  if (record === undefined) return result;
  const answered = record.results.reduce((sum, { n, subject }) => sum + (subject === "majority" ? 0 : n), 0);
  attack.expect(
    result.code !== 0 || answered > 0,
    `no call was answered (${names}, ${way}), and it ended with 0`,
  );
  const unreadable = share === 1 && names.every((name) => noText.has(name));
  attack.expect(!unreadable || answered === 0, `bytes that are no UTF-8 (${names}, ${way}) were scored`);
  for (const { subject, n, unscored } of record.results)
    attack.expect(
      n + unscored === test,
      `${subject} has ${n} + ${unscored} of ${test} samples (${names}, ${way})`,
    );
  if (!mayChange(names))
    for (const [place, prediction] of predictions(run))
      attack.expect(
        JSON.stringify(prediction) === JSON.stringify(expected.get(place)),
        `${names.join(", ")} (${way}): ${place} is scored ${JSON.stringify(prediction)}, where an honest endpoint gives ${JSON.stringify(expected.get(place))}`,
      );
  return result;
}

const one = (name, share) => (attack) => attackBy(attack, [name], share);
const classes = {
  ...Object.fromEntries(allBehaviours.map((name) => [`${name}, sometimes`, one(name, 0.3)])),
  ...Object.fromEntries(allBehaviours.map((name) => [`${name}, always`, one(name, 1)])),
  "several together": (attack) =>
    attackBy(
      attack,
      Array.from({ length: attack.int(2, 8) }, () => attack.pick(allBehaviours)),
      attack.pick([0.3, 0.6]),
    ),
};

export default {
  name: "endpoints",
  count: Object.keys(classes).length,
  run: (given) => runCases({ name: "endpoints", classes, atOnce: 4, ...given }),
};
