// hone advise: which routes fit the user's situation, in the order to try them, why, and the study that tries them.
// Without options it lists the questions that it would ask, and prints the survey's map.

import { existsSync } from "node:fs";
import { type Advice, advise as adviseOnRoutes } from "../advise/advise.js";
import { type DataFlags, fromData } from "../advise/own-data.js";
import { endpointPrice, ownPrice, type Situation, type Strength, strengths } from "../advise/situation.js";
import { type Draft, starter, studyName, studyText, withAdvice } from "../advise/study.js";
import { HoneError } from "../core/errors.js";
import { usableMemory } from "../core/memory.js";
import type { Grant } from "../core/model.js";
import { fitOf, hubModels, trainingBytes } from "../models/hub-models.js";
import { priceField } from "../models/price.js";
import { listModels, requireKnown } from "../models/registry.js";
import { formatCount } from "../report/format.js";
import { makeSpecializer, specializers } from "../specializers/index.js";
import { mapTree } from "../specializers/map.js";
import { aboutText } from "./about.js";
import { makeOutput } from "./output.js";
import { refuseToOverwrite, writeStudy } from "./study-file.js";
import { table } from "./table.js";

export interface AdviseFlags extends DataFlags {
  access?: string[];
  labels?: number;
  documents?: string;
  budget?: number;
  answers?: number;
  price?: string;
  latency?: number;
  hours?: number;
  task?: string;
  options?: number;
  calculates?: boolean;
  strength?: string;
  model?: string;
  data?: string;
  force?: boolean;
  json?: boolean;
}

const grants: readonly Grant[] = ["text", "logprobs", "embeddings", "gradients", "weights"];

const questions = `hone advise recommends the routes that fit what you have. Tell it:
  --access     what your model gives: ${grants.join(", ")}
  --labels     how many labelled samples you have to learn from
  --documents  whether there are documents to search
  --budget, --latency, --hours   limits on cost and time of answers, and on training
  --task, --options, --own-options, --calculates   the kind of task
  --strength, --model   how strong the model is, or which it is
Anything you leave out counts as absent. hone advise --help lists all options.

The map (Ling et al., arXiv 2305.18703), with what each leaf needs, and the specializers on it:
`;

const whatThereIs = [
  "access",
  "labels",
  "documents",
  "budget",
  "answers",
  "price",
  "latency",
  "hours",
  "task",
  "options",
  "ownOptions",
  "calculates",
  "strength",
  "model",
] as const satisfies readonly (keyof AdviseFlags)[];

/** Options that only say which study to write, and do not ask for advice. */
const ofTheStudy: ReadonlySet<string> = new Set(["task", "options", "ownOptions", "model"]);

/** Whether any option besides the data gives advice a basis. */
function tellsWhatThereIs(flags: AdviseFlags): boolean {
  return whatThereIs.some((key) => flags[key] !== undefined);
}

/** Whether a study gets all advised routes, rather than only the basic ones. */
export function asksForAdvice(flags: AdviseFlags & { advise?: boolean }): boolean {
  return flags.advise === true || whatThereIs.some((key) => !ofTheStudy.has(key) && flags[key] !== undefined);
}

export async function adviseCommand(flags: AdviseFlags & { out?: string }): Promise<void> {
  const output = makeOutput(flags);
  if (!tellsWhatThereIs(flags) && flags.data === undefined && flags.out === undefined) {
    const map = mapTree(specializers);
    output.record({ type: "done", questions, map });
    if (!flags.json) output.prose(`${questions}${map.join("\n")}`);
    return;
  }
  const path = flags.out ?? "advised.study.yaml";
  if (flags.out !== undefined) refuseToOverwrite(path, flags.force);
  const { situation, assumed, advice, draft } = await adviseOn(path, flags);
  const study = studyText(path, draft);
  if (flags.out !== undefined) await writeStudy(path, study);
  const { about } = draft;
  output.record({
    type: "done",
    ...(about ? { about } : {}),
    situation: { ...situation, access: [...situation.access] },
    assumed,
    ...advice,
    study,
    ...(flags.out === undefined ? {} : { path }),
  });
  if (flags.json) return;
  if (about) output.prose(`${aboutText(about)}\n`);
  output.prose(forPeople(advice, assumed));
  output.say(flags.out === undefined ? `\nThe study (--out FILE writes it):\n\n${study}` : `\nWrote ${path}`);
}

/**
 * Routes for the situation that the flags describe, and the study that tries them.
 * @param path where that study would be written
 * @param how `few`: only the basic routes, on the study's own model and rows unless the flags say otherwise
 */
export async function adviseOn(
  path: string,
  flags: AdviseFlags,
  { few = false }: { few?: boolean } = {},
): Promise<{ situation: Situation; assumed: string[]; advice: Advice; draft: Draft }> {
  const name = studyName(path);
  const draft = flags.data === undefined ? starter(name) : await fromData(name, path, flags.data, flags);
  const { situation, assumed } = await situationOf(flags, draft, few);
  const advice = adviseOnRoutes(situation);
  return { situation, assumed, advice, draft: withAdvice(draft, advice, { model: flags.model, few }) };
}

async function situationOf(
  flags: AdviseFlags,
  draft: Draft,
  few: boolean,
): Promise<{ situation: Situation; assumed: string[] }> {
  const { about } = draft;
  const assumed: string[] = [];
  const said = flags.access?.map((word) => oneOf(word, grants, "--access"));
  // If a study is to be written, its own model determines what is available.
  const model = flags.model ?? (few || about ? draft.model : undefined);
  const known = model === undefined ? undefined : await knownOf(model);
  const access = new Set<Grant>(implied(said ?? known?.grants ?? ["text"]));
  if (said === undefined)
    assumed.push(`access: ${[...access].join(", ")}${known ? `, as ${model} gives` : ""}`);
  const given = draft.task.data.limit as { train?: number } | undefined;
  const labels = flags.labels ?? about?.counts.train ?? (few ? (given?.train ?? 0) : 0);
  if (flags.labels === undefined && about)
    assumed.push(`labels: ${labels}, what a split of ${about.rows} rows leaves for training`);
  const price = flags.price === undefined ? undefined : priceField.read(flags.price);
  if (flags.price !== undefined && price === undefined)
    throw misuse("--price", flags.price, priceField.expects);
  const own = access.has("weights");
  if (flags.budget !== undefined && price === undefined)
    assumed.push(
      own
        ? "price: nothing, your own machine"
        : `price: $${endpointPrice.input} and $${endpointPrice.output} per million tokens in and out; say --price`,
    );
  const fromFile = about ? draft.task : undefined;
  const options = flags.options ?? about?.options.most;
  const task = oneOf(flags.task ?? fromFile?.kind ?? "choice", ["choice", "answer"] as const, "--task");
  const strength: Strength | null =
    flags.strength === undefined ? (known?.strength ?? null) : oneOf(flags.strength, strengths, "--strength");
  if (strength === null) assumed.push("strength: not known, so no gain that needs a large model is assumed");
  const situation: Situation = {
    access,
    labels,
    ...documentsOf(flags.documents ?? "no"),
    task,
    ownOptions: about?.options.own ?? flags.ownOptions !== undefined,
    ...(options === undefined ? {} : { options }),
    calculates: flags.calculates ?? false,
    strength,
    ...(flags.latency === undefined ? {} : { latencyMs: flags.latency }),
    ...(flags.budget === undefined ? {} : { budgetUsd: flags.budget }),
    answers: flags.answers ?? 1000,
    price: price ?? (own ? ownPrice : endpointPrice),
    ...(flags.hours === undefined ? {} : { hours: flags.hours }),
    ...(known?.parameters === undefined ? {} : { parameters: known.parameters }),
    ...(known?.memory ? { memory: known.memory } : {}),
  };
  return { situation, assumed };
}

/** Weights grant everything; any grant but embeddings implies text. */
function implied(said: readonly Grant[]): readonly Grant[] {
  if (said.includes("weights")) return grants;
  const answers = said.some((grant) => grant !== "embeddings");
  return grants.filter((grant) => said.includes(grant) || (grant === "text" && answers));
}

interface Known extends Pick<Situation, "parameters" | "memory"> {
  grants: readonly Grant[];
  strength?: Strength;
}

/** The registry's entry for a model; an endpoint is assumed to return only text unless its reference says more. */
async function knownOf(model: string): Promise<Known> {
  requireKnown(model);
  const [ref = "", query = ""] = model.split("?");
  const said = new URLSearchParams(query).get("grants")?.split(",");
  const listing = (await listModels()).find((one) => one.ref === ref);
  if (listing && !said)
    return {
      grants: listing.grants,
      ...(listing.sizeMB === null ? {} : { strength: "small" }),
      ...sizeOf(ref),
    };
  if (ref.startsWith("llama:")) return { grants: (await isTrainable(ref)) ? grants : grants.slice(0, 3) };
  const stated = said ?? ["text"];
  return { grants: grants.filter((grant) => stated.includes(grant)) };
}

/** Parameters of a model of the list from the Hub, and what training it takes if this machine has too little memory for that. */
function sizeOf(ref: string): Pick<Known, "parameters" | "memory"> {
  const model = hubModels[ref.replace(/^llama:/, "")];
  if (!model) return {};
  const { parameters } = model;
  if (fitOf(model) === "train" || !model.trains) return { parameters };
  return { parameters, memory: { needed: trainingBytes(model) / 1e9, usable: usableMemory() / 1e9 } };
}

/** Whether weights of this kind can be trained here; assumed true for a file that is not here yet. */
async function isTrainable(ref: string): Promise<boolean> {
  const path = /^llama:file:(.+)$/.exec(ref)?.[1];
  if (path === undefined || !existsSync(path)) return true;
  const [{ readGguf }, { untrainable }] = await Promise.all([
    import("../tensor/gguf.js"),
    import("../nets/config.js"),
  ]);
  try {
    return untrainable(readGguf(path)) === undefined;
  } catch (error) {
    if (error instanceof HoneError) return false;
    throw error;
  }
}

function documentsOf(said: string): Pick<Situation, "documents" | "documentsFrom"> {
  if (said === "no") return { documents: 0 };
  if (said === "yes") return { documents: 1 };
  if (/^\d+$/.test(said)) return { documents: Number(said) };
  if (/^-?[\d.]+$/.test(said)) throw misuse("--documents", said, "a whole number, yes, no, or a file");
  return { documents: 1, documentsFrom: /^(file|hf|pip):/.test(said) ? said : `file:${said}` };
}

function oneOf<const T extends string>(word: string, known: readonly T[], flag: string): T {
  const found = known.find((one) => one === word);
  if (found === undefined) throw misuse(flag, word, known.join(", "));
  return found;
}

function misuse(flag: string, given: string, expects: string): HoneError {
  return new HoneError({
    what: `${flag} does not accept ${JSON.stringify(given)}`,
    where: "hone advise",
    why: `it takes ${expects}`,
    next: "hone advise --help explains each option.",
    kind: "usage",
  });
}

function forPeople({ routes, ruledOut }: Advice, assumed: readonly string[]): string {
  const short = (specializer: unknown) => makeSpecializer(specializer, "hone advise").label;
  const rows = routes.map(({ specializer, leaf, needs, cost }, place) => [
    String(place + 1),
    short(specializer),
    leaf ?? "–",
    needs.join(", ") || "–",
    String(cost.calls),
    formatCount(cost.inputTokens + cost.outputTokens),
    cost.training ? "yes" : "no",
  ]);
  const why = routes.map(({ specializer, why, evidence }, place) => {
    const figures = evidence.map(({ figure, source, n, interval }) => {
      const counts = [n && `n = ${n}`, interval && `${interval[0]} to ${interval[1]}`]
        .filter(Boolean)
        .join(", ");
      return `     ${figure}${counts ? ` (${counts})` : ""}. ${source}`;
    });
    return [`${String(place + 1).padStart(2)}. ${short(specializer)}: ${why}`, ...figures].join("\n");
  });
  // Routes with the same reason are listed together.
  const reasons = new Map<string, string[]>();
  for (const { specializer, why } of ruledOut)
    reasons.set(why, [...(reasons.get(why) ?? []), short(specializer)]);
  const out = [...reasons].map(([why, names]) => `  ${names.join(", ")}: ${why}`);
  return [
    ...(assumed.length > 0 ? ["Assumed:", ...assumed.map((line) => `  ${line}`), ""] : []),
    table(["", "route", "leaf", "needs", "calls", "tokens", "trained"], rows, [0, 4, 5]),
    "",
    "Why, in this order:",
    ...why,
    ...(out.length > 0 ? ["", "Not recommended:", ...out] : []),
  ].join("\n");
}
