// External tasks, specializers and models: what a module that a study names under `use` exports, and how it is loaded.

import { realpath } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, isAbsolute, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { HoneError, messageOf } from "../core/errors.js";
import { fingerprint } from "../core/json.js";
import type { OpensWeights } from "../core/model.js";
import { sha256Of } from "../models/llama/hash.js";
import type { Opener } from "../models/registry.js";
import { type SpecializerTable, specializers } from "../specializers/index.js";
import { type TaskTable, tasks } from "../tasks/index.js";
import { schemes } from "./kinds.js";

/** Entries by the names that a study writes: kinds of task, specializers, schemes of models. */
export interface Extension {
  readonly tasks?: TaskTable;
  readonly specializers?: SpecializerTable;
  readonly models?: Readonly<Record<string, Opener>>;
}

/** What a module's default export must look like. */
const extensionSchema = z.strictObject({
  tasks: z
    .record(z.string(), z.looseObject({ options: z.any(), data: z.any(), make: z.function() }))
    .optional(),
  specializers: z.record(z.string(), z.looseObject({ options: z.any(), make: z.function() })).optional(),
  models: z.record(z.string(), z.function()).optional(),
});

/** Hone's own tables merged with those of extensions. */
export function tablesWith(...extensions: readonly Extension[]): Required<Extension> {
  return {
    tasks: Object.assign({}, tasks, ...extensions.map((one) => one.tasks)),
    specializers: Object.assign({}, specializers, ...extensions.map((one) => one.specializers)),
    models: Object.assign({}, schemes, ...extensions.map(({ models = {} }) => each(models, whole))),
  };
}

/** The same opener, which rejects a model that would lose methods. */
function whole(open: Opener, scheme: string): Opener {
  return async (rest, options) => {
    const model = await open(rest, options);
    const place = `${scheme}:${rest.slice(0, 80)}`;
    requireOwnParts(model, `The model ${place}`, `model: ${place}`);
    const { weights } = model as Partial<OpensWeights>;
    if (weights) requireOwnParts(weights, `What opens the weights of ${place}`, `model: ${place}`);
    return model;
  };
}

/**
 * Hone wraps objects by copying their fields, which loses what they inherit from their class.
 * @throws HoneError for an object that would lose methods
 */
function requireOwnParts(made: object, what: string, where: string): void {
  const lost: string[] = [];
  for (let at = Object.getPrototypeOf(made); at && at !== Object.prototype; at = Object.getPrototypeOf(at))
    lost.push(...Object.getOwnPropertyNames(at).filter((name) => name !== "constructor"));
  if (lost.length === 0) return;
  throw new HoneError({
    what: `${what} is not a plain object`,
    where,
    why: `${lost.slice(0, 5).join(", ")} ${lost.length === 1 ? "is" : "are"} of its class, and Hone copies an object's own fields only`,
    next: "Give a plain object whose functions call yours, { id, name, …, score: (request, context) => mine.score(request, context) }.",
    kind: "usage",
  });
}

function each<T>(
  table: Readonly<Record<string, T>>,
  change: (entry: T, name: string) => T,
): Record<string, T> {
  return Object.fromEntries(Object.entries(table).map(([name, entry]) => [name, change(entry, name)]));
}

/**
 * The modules' absolute paths. Loading a module runs its code, so one outside the study's folder needs permission.
 * @throws HoneError for one outside it that was not allowed
 */
export async function placesOf(refs: readonly string[], folder: string, allowed: boolean): Promise<string[]> {
  const places: string[] = [];
  for (const ref of refs) {
    const path = resolve(folder, ref);
    const real = await realpath(path).catch(() => undefined);
    if (real === undefined) throw unusable(ref, "there is no such file", "Correct the path under `use`.");
    const from = relative(await realpath(folder), real);
    if (!allowed && (from.startsWith("..") || isAbsolute(from)))
      throw unusable(
        ref,
        "it does not lie beside the study, and loading a module runs its code",
        "Read it, then allow it with --allow-modules, or put it into the study's folder.",
      );
    places.push(real);
  }
  return places;
}

/**
 * Loads modules, TypeScript or JavaScript, each with an extension as its default export. The identity of what they make
 * includes the hash of the module's file, so that an edited module is measured again.
 * @param paths absolute
 * @throws HoneError for a module that fails, exports something else, or uses a name that is already taken
 */
export async function loadModules(paths: readonly string[]): Promise<Required<Extension>> {
  const found: Extension[] = [];
  for (const path of paths) {
    const extension = await loadModule(path);
    const known = tablesWith(...found);
    for (const table of ["tasks", "specializers", "models"] as const) {
      const twice = Object.keys(extension[table] ?? {}).find((name) => Object.hasOwn(known[table], name));
      if (twice !== undefined)
        throw unusable(path, `its ${table} include ${twice}, which already exists`, "Give it another name.");
    }
    found.push(signed(extension, (await sha256Of(path, { note: false })).slice(0, 12)));
  }
  return tablesWith(...found);
}

async function loadModule(path: string): Promise<Extension> {
  const { createJiti } = await import("jiti");
  const own = fileURLToPath(new URL("../index.js", import.meta.url));
  // Options of an entry are zod schemas: a module beside a study finds both packages, with nothing installed there.
  const zod = createRequire(import.meta.url).resolve("zod");
  const jiti = createJiti(dirname(path), { alias: { "@honelab/hone": own, zod } });
  let loaded: unknown;
  try {
    loaded = await jiti.import(path, { default: true });
  } catch (error) {
    throw unusable(path, messageOf(error), "Fix the module.", error);
  }
  const checked = extensionSchema.safeParse(loaded);
  if (checked.success) return loaded as Extension;
  const next =
    "Export default { tasks, specializers, models }, each a record of entries; docs/extending.md has examples.";
  throw unusable(path, z.prettifyError(checked.error), next, checked.error);
}

/** The same entries, made so that the module's hash is in the identity of what they make. */
function signed({ tasks = {}, specializers = {}, models = {} }: Extension, hash: string): Extension {
  return {
    tasks: each(tasks, (entry, name) => ({
      ...entry,
      make: (...given) => {
        const made = entry.make(...given);
        requireOwnParts(made, `The task ${made.name}`, `kind: ${name}`);
        return { ...made, id: fingerprint([made.id, hash]) };
      },
    })),
    specializers: each(specializers, (entry, name) => ({
      ...entry,
      make: (...given) => {
        const made = entry.make(...given);
        requireOwnParts(made, `The specializer ${name}`, `specialists: ${name}`);
        return {
          ...made,
          options: { ...(made.options as object), module: hash },
          apply: (subject, state, tools) => {
            const applied = made.apply(subject, state, tools);
            return { ...applied, id: fingerprint([applied.id, hash]) };
          },
        };
      },
    })),
    models: each(models, (open, scheme) => async (rest, options) => {
      const model = await whole(open, scheme)(rest, options);
      return { ...model, id: `${model.id}@${hash}` };
    }),
  };
}

function unusable(module: string, why: string, next: string, cause?: unknown): HoneError {
  return new HoneError({
    what: "A module that the study uses cannot be loaded",
    where: `use: ${module}`,
    why,
    next,
    kind: "usage",
    cause,
  });
}
