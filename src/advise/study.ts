// Study files that are written for a user: the starter on the demo's texts, or a study of a data file (own-data.ts), with the
// advised specialists. Used by `hone init` and `hone advise`.

import { stringify } from "yaml";
import { oneLine } from "../report/escape.js";
import { parseStudy } from "../study/spec.js";
import { type Advice, namesIn } from "./advise.js";
import type { About } from "./own-data.js";

/** A study to be written. */
export interface Draft {
  study: string;
  model: string;
  task: { kind: string; name: string; data: Record<string, unknown> } & Record<string, unknown>;
  specialists: unknown[];
  /** What was detected in the data file, if there is one. */
  about?: About;
}

export const defaultModel = "llama:smollm2-135m-instruct?format=plain";
/** In an advised study: most specialists in total, and most trained ones. */
const maxAdvised = 8;
const maxTrained = 2;
/** Without advice: one route of each kind, and the references. Fixed examples are for models that cannot be probed. */
const basic = ["knn", "calibrate", "probe", "lora", "linear", "majority"];
const unprobed = [...basic, "fewShot"];
/** Specializers that are fitted separately for each task if one file has several. */
const perTask = new Set(["fewShot", "knn", "linear", "majority", "probe"]);

/** The study's name in a path such as `folder/mine.study.yaml`. */
export function studyName(path: string): string {
  return path.replace(/^.*[\\/]/, "").replace(/(\.study)?\.ya?ml$/, "");
}

/**
 * The draft with the advised specialists, in their order: the first eight, at most two of them trained, and always the first
 * trained one and the floor. The unchanged generalist belongs to every study and is not listed.
 * @param few only the first route of each basic kind, if there is something to learn from
 */
export function withAdvice(
  draft: Draft,
  advice: Advice,
  { model, few = false }: { model?: string | undefined; few?: boolean } = {},
): Draft {
  const advised = advice.routes
    .map(({ specializer, cost }) => ({ specializer, training: cost.training, names: namesIn(specializer) }))
    .filter(({ specializer }) => specializer !== "zeroShot");
  const wanted = advised.some(({ names }) => names[0] === "probe") ? basic : unprobed;
  const isFirst = ({ names }: (typeof advised)[number], place: number): boolean =>
    names.length === 1 &&
    wanted.includes(names[0] as string) &&
    advised.findIndex((one) => one.names[0] === names[0]) === place;
  const usable = few && draft.about?.counts.train !== 0 ? advised.filter(isFirst) : advised;
  const trained = usable.filter(({ training }) => training).slice(0, maxTrained);
  const kept = usable.filter((route) => !route.training || trained.includes(route));
  const chosen = kept.filter(
    (route, place) => place < maxAdvised || route.specializer === "majority" || route === trained[0],
  );
  const stratified = draft.task.data.stratum !== undefined;
  const listed = chosen.map(({ specializer, names }) => {
    const written = few && names[0] === "knn" ? byWords(specializer) : specializer;
    const apart = stratified && !Array.isArray(written) && perTask.has(names[0] as string);
    return apart ? { perStratum: { use: written } } : written;
  });
  return {
    ...draft,
    ...(model === undefined ? {} : { model }),
    specialists: listed.length > 0 ? listed : ["zeroShot"],
  };
}

/** Neighbours by shared words: a first study needs no second model. */
function byWords(specializer: unknown): unknown {
  const { knn } = specializer as { knn: Record<string, unknown> };
  return { knn: { ...knn, by: "bm25" } };
}

/** The part of a draft that goes into the study file. */
export function specOf({ about: _, ...spec }: Draft): Omit<Draft, "about"> {
  return spec;
}

/**
 * The study file's text, checked.
 * @throws HoneError where the draft is not a valid study
 */
export function studyText(path: string, draft: Draft): string {
  const spec = specOf(draft);
  parseStudy(spec, path);
  const named = spec.specialists.flatMap(namesIn);
  const notes = [
    `npx hone run ${path}`,
    "",
    ...(draft.about ? reasons(draft.about) : []),
    ...(named.includes("retrieve")
      ? [
          "Put your documents in place of what retrieve names; text is the field (or the template) that holds their text.",
        ]
      : []),
    ...(named.includes("lora")
      ? ["lora trains the model, which takes minutes to hours on a CPU; take it out for a quick first run."]
      : []),
    "Every field: `hone init --schema`; docs/study.md explains them.",
  ];
  const head = notes.map((line) => (line === "" ? "#" : `# ${tidy(line)}`)).join("\n");
  return `${head}\n${stringify(spec, { lineWidth: 100 })}`;
}

/** A comment line that text from the data cannot end. */
const tidy = (line: string) => `${/^ */.exec(line)?.[0] ?? ""}${oneLine(line, 400)}`;

function reasons({ source, taken, notes }: About): string[] {
  return [
    `What was taken from ${source}, and why:`,
    ...taken.map(({ role, fields, why }) => `  ${role}: ${fields.join(", ")} (${why})`),
    ...notes.map((note) => `  ! ${note}`),
    "",
  ];
}

/** For users without data: the demo's texts, few enough that prompts run in a minute. */
export function starter(study: string): Draft {
  return {
    study,
    model: defaultModel,
    task: {
      name: "permissive or copyleft",
      kind: "choice",
      instruction: "Is this software licence permissive or copyleft?",
      data: {
        source: "pip:licensedcode-data==32.1.0#licensedcode/data/licenses/*.LICENSE",
        where: { is_deprecated: { not: true }, category: ["Permissive", "Copyleft"] },
        id: "key",
        input: "{{text|500}}",
        label: "category",
        options: { Permissive: "permissive", Copyleft: "copyleft" },
        split: { by: "hash", stratify: true, group: "near", seed: 1 },
        limit: { train: 200, dev: 30, test: 60 },
      },
    },
    specialists: ["zeroShot"],
  };
}
