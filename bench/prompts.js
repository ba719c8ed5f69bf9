// `optimize` on a real model and real tasks, with its controls: does a searched prompt beat the original one, and the best of as many sets
// of examples? Does the search keep the original prompt where no candidate can be better (rewordings that say nothing)? Usage:
//   npm run build && npm run bench:prompts -- --data FOLDER [--store FOLDER] [--only question-type]
// FOLDER holds med/. The tasks were fixed on 2026-11-30 before anything was measured: three of bench/routes-tasks.js with short texts.
// Each study is estimated to take one to three hours of one core and is recorded in bench/recorded/studies/prompts-NAME.json when it
// ends, the joint results in bench/recorded/prompts.json. In one store with bench/routes.js, what both ask is asked once.

import { parseArgs } from "node:util";
import { pairedDifference } from "../dist/index.js";
import { adjusted, ahead, inPoints, recorded, run, scoresOf, seeds } from "./joint.js";
import { record } from "./record.js";
import { routeTasks } from "./routes-tasks.js";

const { values } = parseArgs({
  options: {
    data: { type: "string" },
    store: { type: "string", default: ".hone" },
    only: { type: "string" },
  },
});

const model = "llama:smollm2-135m-instruct";
const names = ["question-type", "subject", "licences"];
// The sizes of bench/routes.js, so that its calls serve here.
const sizes = { draws: 2, search: 128 };
const specialists = ["bank", "examples", "no-op"].map((proposals) => ({ optimize: { ...sizes, proposals } }));
const studies = Object.fromEntries(names.map((name) => [name, [`prompts-${name}`]]));

if (values.data)
  for (const [name, [study]] of Object.entries(studies)) {
    if (values.only && values.only !== name) continue;
    const task = routeTasks[name];
    const spec = { study, description: `Optimized prompts on ${task.name}.`, model, task, specialists };
    run(spec, values, `npm run bench:prompts -- --data FOLDER --only ${name}`);
  }
summarize();

/** The differences over the recorded tasks and on each, and what each search found. */
function summarize() {
  const tasks = recorded(studies).map(taskOf);
  if (tasks.length === 0) return;
  const pairs = [
    ["optimize", "original"],
    ["optimize", "examples"],
    ["no-op", "original"],
  ];
  const rows = pairs.flatMap(([system, than]) => [
    { system, than, task: "all", ...ahead(tasks, system, than) },
    ...tasks.map((task) => ({ system, than, task: task.name, ...ahead([task], system, than) })),
  ]);
  const results = adjusted(rows);
  const searches = tasks.flatMap(({ name, searches }) => searches.map((one) => ({ task: name, ...one })));
  record("prompts", { tasks: tasks.length, of: names.length, seeds, results, searches });
  for (const one of results)
    console.log(`prompts: ${one.system} less ${one.than}, ${one.task}: ${inPoints(one)}`);
}

/** One study's scores by system, and what each search found. */
function taskOf({ key: name, ...study }) {
  const { subjects } = study;
  const chosen = (proposals) =>
    subjects.find(
      ({ chain: [first] }) => first?.name === "optimize" && first.options.proposals === proposals,
    );
  const arms = { optimize: chosen("bank"), examples: chosen("examples"), "no-op": chosen("no-op") };
  const original = subjects.find(({ role }) => role === "generalist");
  const subjectOf = Object.fromEntries(
    Object.entries({ ...arms, original }).map(([system, subject]) => [system, subject.name]),
  );
  const scores = scoresOf(study, subjectOf);
  const { groups, columns } = scores;
  const searches = Object.entries(arms).flatMap(([system, { optimized }]) =>
    optimized.map(({ seed, notes }) => {
      const { looked, searched, confirmed, shrinkage, returned } = notes;
      const at = seeds.indexOf(seed);
      const both = [columns[system][at], columns.original[at]];
      const { delta, low, high } = pairedDifference(...both, { seed: 1, range: [0, 1], groups });
      return {
        ...{ system, seed, looked, searched, confirmed: confirmed?.delta ?? null, shrinkage, returned },
        test: { delta, low, high },
      };
    }),
  );
  return { name, searches, ...scores };
}
