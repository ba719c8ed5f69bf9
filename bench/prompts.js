// `optimize` on real models and tasks, with its controls: does a searched prompt beat the original one, and sets of examples tried at
// as many calls? Does the search keep the original prompt where no candidate can be better (rewordings that say nothing)? Usage:
//   npm run build && npm run bench:prompts -- --data FOLDER [--store FOLDER] [--only question-type]
// FOLDER holds med/. The tasks and models were fixed on 2026-11-30 before anything was measured: the three of bench/routes-tasks.js with
// the shortest texts, two models. Each study is recorded in bench/recorded/studies/prompts-NAME.json when it ends, the joint results in
// bench/recorded/prompts.json. In one store with bench/routes.js, what both ask is asked once.

import { parseArgs } from "node:util";
import { holm } from "../dist/index.js";
import { ahead, inPoints, recorded, run, scoresOf, seeds } from "./joint.js";
import { record } from "./record.js";
import { routeTasks } from "./routes-tasks.js";

const { values } = parseArgs({
  options: {
    data: { type: "string" },
    store: { type: "string", default: ".hone" },
    only: { type: "string" },
  },
});

const models = { smollm2: "llama:smollm2-135m-instruct", gemma3: "llama:gemma3-270m" };
const names = ["question-type", "subject", "licences"];
const specialists = [
  "optimize",
  { optimize: { proposals: "examples" } },
  { optimize: { proposals: "no-op" } },
];
const of = (short) => Object.fromEntries(names.map((name) => [name, `prompts-${short}-${name}`]));

if (values.data)
  for (const [short, model] of Object.entries(models))
    for (const [name, study] of Object.entries(of(short))) {
      if (values.only && values.only !== name) continue;
      const task = routeTasks[name];
      run({ study, description: `Optimized prompts on ${task.name}.`, model, task, specialists }, values);
    }
summarise();

/** The differences of each model over its recorded tasks, and how often each search replaced the original prompt. */
function summarise() {
  const rows = [];
  const searches = [];
  for (const short of Object.keys(models)) {
    const tasks = recorded(of(short)).map(taskOf);
    if (tasks.length === 0) continue;
    searches.push(
      ...tasks.flatMap((one) => one.searches.map((search) => ({ model: short, task: one.name, ...search }))),
    );
    for (const [system, than] of [
      ["optimize", "original"],
      ["optimize", "examples"],
      ["no-op", "original"],
    ])
      for (const some of [tasks, ...tasks.map((task) => [task])])
        rows.push({
          ...{
            model: short,
            system,
            than,
            task: some.length > 1 || tasks.length === 1 ? "all" : some[0].name,
          },
          ...ahead(some, system, than),
        });
  }
  if (rows.length === 0) return;
  const adjusted = holm(rows.map(({ p }) => p));
  const results = rows.map(({ model, system, than, task, n, delta, low, high, p }, i) => ({
    ...{ model, system, than, task, n, delta, low, high },
    ...{ p, holm: adjusted[i] },
  }));
  record("prompts", { seeds, results, searches });
  for (const one of results)
    console.log(`prompts: ${one.model}, ${one.task}: ${one.system} less ${one.than}: ${inPoints(one)}`);
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
  const searches = Object.entries(arms).flatMap(([system, { optimized }]) =>
    optimized.map(({ seed, notes }) => {
      const { looked, searched, confirmed, shrinkage, returned } = notes;
      return { system, seed, looked, searched, confirmed: confirmed?.delta ?? null, shrinkage, returned };
    }),
  );
  return { name, searches, ...scoresOf(study, subjectOf) };
}
