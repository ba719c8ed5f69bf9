// hone advise: which routes fit what the user has, in the order to try them, why, and the study that tries them. Without
// options it says what it would ask, and prints the survey's map.

import { type Advice, advise as adviseOnRoutes } from "../advise/advise.js";
import { endpointPrice, ownPrice, type Situation, type Strength, strengths } from "../advise/situation.js";
import { type Draft, fromData, starter, studyName, studyText, withAdvice } from "../advise/study.js";
import { HoneError } from "../core/errors.js";
import type { Grant } from "../core/language.js";
import { priceField } from "../models/price.js";
import { listModels } from "../models/registry.js";
import { formatCount } from "../report/format.js";
import { makeSpecializer, specializers } from "../specializers/index.js";
import { mapTree } from "../specializers/map.js";
import { makeOutput } from "./output.js";
import { refuseToOverwrite, writeStudy } from "./study-file.js";
import { table } from "./table.js";

export interface AdviseFlags {
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
  ownOptions?: boolean;
  calculates?: boolean;
  strength?: string;
  model?: string;
  data?: string;
  input?: string;
  label?: string;
  force?: boolean;
  json?: boolean;
}

const grants: readonly Grant[] = ["text", "logprobs", "embeddings", "gradients", "weights"];

const questions = `hone advise answers with the routes that fit what you have. Tell it:
  --access     what your model gives: ${grants.join(", ")}
  --labels     how many labelled samples you have to learn from
  --documents  whether there are documents to search
  --budget, --latency, --hours   what answers may cost and take, and training
  --task, --options, --own-options, --calculates   what is asked
  --strength, --model   how strong the model is, or which it is
What you leave out is taken as not there. hone advise --help has them all.

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

/** Whether anything was said that advice could follow from, data apart. */
export function tellsWhatThereIs(flags: AdviseFlags): boolean {
  return whatThereIs.some((key) => flags[key] !== undefined);
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
  output.record({
    type: "done",
    situation: { ...situation, access: [...situation.access] },
    assumed,
    ...advice,
    study,
    ...(flags.out === undefined ? {} : { path }),
  });
  if (flags.json) return;
  output.prose(forPeople(advice, assumed));
  output.say(flags.out === undefined ? `\nThe study (--out FILE writes it):\n\n${study}` : `\nWrote ${path}`);
}

/** Routes for what the flags say, and the study that tries them. @param path where that study would lie */
export async function adviseOn(
  path: string,
  flags: AdviseFlags,
): Promise<{ situation: Situation; assumed: string[]; advice: Advice; draft: Draft }> {
  const name = studyName(path);
  const draft = flags.data === undefined ? starter(name) : await fromData(name, path, flags.data, flags);
  const { situation, assumed } = await situationOf(flags, draft);
  const advice = adviseOnRoutes(situation);
  return { situation, assumed, advice, draft: withAdvice(draft, advice, flags.model) };
}

async function situationOf(
  flags: AdviseFlags,
  draft: Draft,
): Promise<{ situation: Situation; assumed: string[] }> {
  const assumed: string[] = [];
  const said = flags.access?.map((word) => oneOf(word, grants, "--access"));
  const known = flags.model === undefined ? undefined : await knownOf(flags.model);
  const access = new Set<Grant>(implied(said ?? known?.grants ?? ["text"]));
  if (said === undefined)
    assumed.push(`access: ${[...access].join(", ")}${known ? ", as this model gives" : ""}`);
  const rows = draft.rows;
  const labels = flags.labels ?? Math.round((rows ?? 0) * trainShare);
  if (flags.labels === undefined && rows !== undefined)
    assumed.push(`labels: ${labels}, what a split of ${rows} rows leaves to learn from`);
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
  const fromFile = flags.data === undefined ? undefined : draft.task;
  const given = fromFile?.data.options;
  const options =
    flags.options ?? (typeof given === "object" && given !== null ? Object.keys(given).length : undefined);
  const task = oneOf(flags.task ?? fromFile?.kind ?? "choice", ["choice", "answer"] as const, "--task");
  const strength: Strength | null =
    flags.strength === undefined ? (known?.strength ?? null) : oneOf(flags.strength, strengths, "--strength");
  if (strength === null) assumed.push("strength: not known, so nothing is promised of what large models do");
  const situation: Situation = {
    access,
    labels,
    ...documentsOf(flags.documents ?? "no"),
    task,
    ownOptions: flags.ownOptions ?? false,
    ...(options === undefined ? {} : { options }),
    calculates: flags.calculates ?? false,
    strength,
    ...(flags.latency === undefined ? {} : { latencyMs: flags.latency }),
    ...(flags.budget === undefined ? {} : { budgetUsd: flags.budget }),
    answers: flags.answers ?? 1000,
    price: price ?? (own ? ownPrice : endpointPrice),
    ...(flags.hours === undefined ? {} : { hours: flags.hours }),
  };
  return { situation, assumed };
}

/** What a split by hash leaves for training; dev and test are taken from the rest. */
const trainShare = 0.7;

/** Who holds the weights can do all; whatever scores text also answers in it. */
function implied(said: readonly Grant[]): readonly Grant[] {
  if (said.includes("weights")) return grants;
  const answers = said.some((grant) => grant !== "embeddings");
  return grants.filter((grant) => said.includes(grant) || (grant === "text" && answers));
}

/** What the registry says of a model; an endpoint is taken to give text alone unless its reference says more. */
async function knownOf(model: string): Promise<{ grants: readonly Grant[]; strength?: Strength }> {
  const [ref = "", query = ""] = model.split("?");
  const listing = (await listModels()).find((one) => one.ref === ref);
  if (listing) return { grants: listing.grants, ...(listing.sizeMB === null ? {} : { strength: "small" }) };
  if (ref.startsWith("llama:")) return { grants };
  const stated = new URLSearchParams(query).get("grants")?.split(",") ?? ["text"];
  return { grants: grants.filter((grant) => stated.includes(grant)) };
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
    what: `${flag} does not know ${JSON.stringify(given)}`,
    where: "hone advise",
    why: `it takes ${expects}`,
    next: "hone advise --help tells what each option means.",
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
  const out = ruledOut.map(({ specializer, why }) => `  ${short(specializer)}: ${why}`);
  return [
    ...(assumed.length > 0 ? ["Taken for granted:", ...assumed.map((line) => `  ${line}`), ""] : []),
    table(["", "route", "leaf", "needs", "calls", "tokens", "trained"], rows, [0, 4, 5]),
    "",
    "Why, in this order:",
    ...why,
    ...(out.length > 0 ? ["", "Not for you:", ...out] : []),
  ].join("\n");
}
