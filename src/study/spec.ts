// The schema of the study file, and reading it with errors that name the line.

import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { isNode, LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { HoneError, messageOf } from "../core/errors.js";
import { keepDigits } from "../data/digits.js";
import { type TaskSpec, type TaskTable, taskSchemaOf, tasks } from "../tasks/index.js";
import { loadModules, placesOf } from "./extension.js";

const named = {
  name: z
    .string()
    .regex(/^[A-Za-z0-9][\w .-]{0,63}$/, "letters, digits, spaces, dots, dashes and underscores, at most 64")
    .describe("Name of the task in tables"),
};

const gateSchema = z.strictObject({
  atLeast: z
    .number()
    .optional()
    .describe(
      "Where more is better: the lower end of the interval of the champion's score on test must reach this",
    ),
  atMost: z
    .number()
    .optional()
    .describe(
      "Where less is better: the upper end of the interval of the champion's score on test must not exceed this",
    ),
  beats: z
    .string()
    .optional()
    .describe("The champion must be better than this subject with Holm-adjusted p below 0.05"),
});

const studySchemaOf = (table: TaskTable) => {
  const task = taskSchemaOf<TaskSpec>(table, ({ data }) => ({ ...named, data }));
  return z
    .strictObject({
      study: z
        .string()
        .regex(/^[A-Za-z0-9][\w.-]{0,63}$/, "letters, digits, dots, dashes and underscores, at most 64")
        .describe("Name of the study; its results are kept under it"),
      use: z
        .union([z.string(), z.array(z.string())])
        .transform((refs) => [refs].flat())
        .default([])
        .describe("Modules with tasks, specializers or models of your own: paths from the study file"),
      description: z.string().max(2000).optional().describe("One or two sentences for the report"),
      model: z
        .string()
        .min(1)
        .describe(
          "The generalist: llama:NAME, openai:MODEL?base=URL, mock:…, motor:BODY, net:decoder; `hone models list` shows what there is",
        ),
      encoder: z
        .string()
        .default("encoder:minilm")
        .describe("Sentence vectors for specializers that retrieve"),
      task: task.describe("The domain task: specialists are made for it and judged on it"),
      elsewhere: z
        .array(task)
        .default([])
        .describe("Other tasks on which the same specialists are measured, to show what was lost"),
      specialists: z
        .array(z.unknown())
        .min(1)
        .describe("Specializers by name, with options, or a list of them to be applied one after the other"),
      seeds: z
        .array(
          z
            .int()
            .min(0)
            .max(2 ** 31),
        )
        .min(1)
        .max(100)
        .refine((seeds) => new Set(seeds).size === seeds.length, "a seed is listed twice")
        .default([1])
        .describe("One fit and one measurement of every seeded specialist for each seed"),
      gate: gateSchema.optional().describe("Exit code 100 unless met"),
      handOver: z
        .int()
        .min(0)
        .default(20)
        .describe("How many test samples the saved champion is scored on again, without the journal"),
    })
    .superRefine(({ task, elsewhere }, { addIssue }) => {
      // Results are told apart by their task's name.
      const names = [task, ...elsewhere].map(({ name }) => name);
      const again = elsewhere.findIndex(({ name }, i) => names.indexOf(name) <= i);
      if (again >= 0)
        addIssue({
          code: "custom",
          path: ["elsewhere", again, "name"],
          message: "another task has this name",
        });
    });
};

const studySchema = studySchemaOf(tasks);

/** A study file, checked and with its defaults. */
export type StudySpec = z.infer<typeof studySchema>;
export type { TaskSpec } from "../tasks/index.js";

/** The JSON schema of study files, for editors. */
export function studyJsonSchema(): unknown {
  return z.toJSONSchema(studySchema, { io: "input" });
}

/** Checks a study given as a value. @throws HoneError that names the field. */
export function parseStudy(
  value: unknown,
  where: string,
  lineOf: (path: PropertyKey[]) => string = () => "",
  table: TaskTable = tasks,
): StudySpec {
  const withKinds = fillKinds(value);
  const parsed = (table === tasks ? studySchema : studySchemaOf(table)).safeParse(withKinds);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues;
  const issue = deepest(issues[0] as z.core.$ZodIssue);
  const field = issue.path.map(String).join(".") || "(top level)";
  throw new HoneError({
    what: "The study file does not make sense",
    where: `${where}${lineOf(issue.path)}, field ${field}`,
    why: issue.message + (issues.length > 1 ? ` (and ${issues.length - 1} more)` : ""),
    next: "See `hone init` for a working study, or `hone init --schema` for every field.",
    kind: "usage",
  });
}

/**
 * Reads a study file (YAML or JSON), and loads the modules that it uses.
 * @param allowModules whether they may lie outside the study's folder
 * @throws HoneError that names file, line and field
 */
export async function readStudy(
  path: string,
  { allowModules = false }: { allowModules?: boolean } = {},
): Promise<StudySpec> {
  let text: string;
  try {
    const found = await stat(path);
    // Reading a pipe blocks until something writes to it.
    if (!found.isFile() && !found.isDirectory()) throw new Error("it is a pipe, a socket or a device");
    text = new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new HoneError({
      what: "Cannot read the study file",
      where: path,
      why:
        code === "ENOENT" ? "there is no such file" : code === "EISDIR" ? "it is a folder" : messageOf(error),
      next: "Name a YAML file, or make one with `hone init`.",
      kind: "usage",
    });
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, intAsBigInt: true });
  const problem = document.errors[0];
  if (problem) {
    const { line, col } = lines.linePos(problem.pos[0]);
    throw new HoneError({
      what: "The study file is not valid YAML",
      where: `${path}:${line}:${col}`,
      why: problem.message,
      next: "Fix that line.",
      kind: "usage",
    });
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100, reviver: keepDigits });
  } catch (error) {
    throw new HoneError({
      what: "The study file is not valid YAML",
      where: path,
      why: messageOf(error),
      next: "Write out in full what the aliases stand for.",
      kind: "usage",
    });
  }
  const lineOf = (fieldPath: PropertyKey[]): string => {
    for (let length = fieldPath.length; length >= 0; length--) {
      const node = document.getIn(fieldPath.slice(0, length), true);
      const range = isNode(node) ? node.range : undefined;
      if (range) return `:${lines.linePos(range[0]).line}`;
    }
    return "";
  };
  const named = z.looseObject({ use: studySchema.shape.use }).safeParse(value);
  const use = named.success ? await placesOf(named.data.use, dirname(path), allowModules) : [];
  const table = use.length > 0 ? (await loadModules(use)).tasks : tasks;
  return { ...parseStudy(value, path, lineOf, table), use };
}

/** `kind: choice` may be left out. */
function fillKinds(value: unknown): unknown {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  const study = value as Record<string, unknown>;
  const fill = (task: unknown) =>
    task !== null && typeof task === "object" && !Array.isArray(task) ? { kind: "choice", ...task } : task;
  return {
    ...study,
    ...("task" in study ? { task: fill(study.task) } : {}),
    ...(Array.isArray(study.elsewhere) ? { elsewhere: study.elsewhere.map(fill) } : {}),
  };
}

/** A union's issue hides what is wrong inside its branches: the branch that got furthest is taken as the intended one. */
function deepest(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return issue;
  const inner = issue.errors
    .map((branch) => branch[0])
    .filter((candidate) => candidate !== undefined)
    .sort((a, b) => b.path.length - a.path.length)[0];
  return inner ? deepest({ ...inner, path: [...issue.path, ...inner.path] }) : issue;
}
