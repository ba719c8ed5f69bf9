// Ways of making a pair, as attempts by number: a new instruction with its input, a new input for a given answer, or a row
// that has no answer yet. What an attempt draws depends on its number and the seed alone, so that an interrupted run makes
// the same pairs again, from the journal.

import { type CallContext, CallError, ofTheSample } from "../../../core/call.js";
import { messageOf } from "../../../core/errors.js";
import type { LanguageModel, Message } from "../../../core/model.js";
import { randomFor, shuffled } from "../../../core/random.js";
import { formOf, type Lineage, type Prompted, type Seed } from "./pair.js";
import { inputPrompt, readTask, taskEnds, taskPrompt, type Written } from "./write.js";

/** What an attempt gave before the filter. */
export interface Attempt {
  lineage: Pick<Lineage, "attempt" | "seeds" | "writer" | "sampling" | "calls">;
  written: Written;
  raw?: string;
  /** The response, if the way gives one. */
  response?: string;
  /** The row's own id, if it has one. */
  id?: string;
}

export interface Way {
  name: "instructions" | "inputs" | "labels";
  /** What a card says of it. */
  summary: string;
  attempt(number: number): Promise<Attempt>;
}

export interface Writer {
  model: LanguageModel;
  context: CallContext;
  seeds: readonly Seed[];
  seed: number;
  domain: string;
  /** Number of seeds in the prompt. */
  shots: number;
  temperature: number;
  topP: number;
  maxTokens: number;
}

/** The context, which also records the keys of the calls made in it. */
export function noting(context: CallContext): { context: CallContext; calls: string[] } {
  const calls: string[] = [];
  return {
    calls,
    context: {
      ...context,
      trace: (call) => {
        calls.push(call.key);
        context.trace?.(call);
      },
    },
  };
}

/** A failure of one request alone becomes a reason; one that the next request would also hit stays an error. */
export async function unlessFailed<T>(make: () => Promise<T>): Promise<T | { why: string }> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof CallError) || !ofTheSample.includes(error.failure)) throw error;
    return { why: `${error.failure}: ${messageOf(error)}`.slice(0, 200) };
  }
}

/** New instructions and inputs after seeds drawn at random (Kang et al. 2023; sampling of Self-MoE, appendix A). */
export function writeInstructions(writer: Writer): Way {
  return {
    name: "instructions",
    summary: "new instructions and inputs, written after seeds",
    attempt: async (number) => {
      const { domain, model } = writer;
      const drawn = draw(writer, number, writer.seeds);
      const first = await write(writer, number, drawn, taskPrompt(drawn, domain, model.format), {});
      // An instruction alone gets its input in a call of its own, as in Self-Instruct (Wang et al. 2023, section 2.2).
      const instruction = "why" in first.written ? oneLine(first.written.instruction) : "";
      if (instruction === "") return first;
      const messages = taskPrompt(drawn, domain, model.format, instruction);
      const second = await write(writer, number, drawn, messages, { instruction });
      return {
        ...second,
        lineage: { ...second.lineage, calls: [...first.lineage.calls, ...second.lineage.calls] },
      };
    },
  };
}

/** New inputs for each answer in turn, so that all answers get equally many. */
export function writeInputs(writer: Writer): Way {
  const groups = new Map<string, Seed[]>();
  for (const seed of writer.seeds) {
    const key = JSON.stringify([seed.instruction, seed.options ?? null, seed.response]);
    groups.set(key, [...(groups.get(key) ?? []), seed]);
  }
  const answers = [...groups.values()];
  return {
    name: "inputs",
    summary: "new inputs, written for a given answer",
    attempt: async (number) => {
      const own = answers[number % answers.length] as Seed[];
      const drawn = draw(writer, number, own);
      const { instruction, options, response } = own[0] as Seed;
      const label = options?.find(({ key }) => key === response)?.text ?? response;
      const messages = inputPrompt(drawn, { instruction, label, domain: writer.domain }, writer.model.format);
      const known = { instruction, ...(options ? { options } : {}) };
      return { ...(await write(writer, number, drawn, messages, known)), response };
    },
  };
}

/** Takes rows as they are; only the answer is missing. */
export function takeRows(rows: readonly (Prompted & { id: string })[]): Way {
  return {
    name: "labels",
    summary: "unlabelled rows",
    attempt: async (number) => {
      const { id, ...task } = rows[number] as Prompted & { id: string };
      const sampling = { temperature: 0, topP: 1, seed: 0 };
      return {
        id,
        lineage: { attempt: number, seeds: [], writer: "source", sampling, calls: [] },
        written: { task },
      };
    },
  };
}

/** The first line, where it is short enough to be an instruction. */
function oneLine(text = ""): string {
  const line = (text.split("\n")[0] as string).trim();
  return line.length <= 300 ? line : "";
}

function draw({ seed, shots }: Writer, number: number, seeds: readonly Seed[]): Seed[] {
  return shuffled(seeds, randomFor(seed, "synthesis/seeds", number)).slice(0, shots);
}

async function write(
  { model, context, seed, temperature, topP, maxTokens }: Writer,
  number: number,
  drawn: readonly Seed[],
  messages: Message[],
  known: Partial<Prompted>,
): Promise<Attempt> {
  const noted = noting(context);
  const sampling = {
    temperature,
    topP,
    seed: Math.floor(randomFor(seed, "synthesis/text", number)() * 2 ** 31),
  };
  const request = {
    messages,
    format: model.format,
    maxTokens,
    ...sampling,
    stop: [...taskEnds],
  };
  const found = await unlessFailed(() => model.generate(request, noted.context));
  const lineage = {
    attempt: number,
    seeds: drawn.map(({ id }) => id),
    writer: model.name,
    sampling,
    calls: noted.calls,
  };
  if ("why" in found) return { lineage, written: { why: found.why }, raw: "" };
  return { lineage, written: readTask(found.text, found.finish, known), raw: found.text };
}

/** Seeds to show before the response: those of the same form, with the same instruction first. */
export function shotsFor(
  seeds: readonly Seed[],
  prompted: Prompted,
  { seed, number, count }: { seed: number; number: number; count: number },
): Seed[] {
  const form = formOf(prompted);
  const mixed = shuffled(
    seeds.filter((one) => formOf(one) === form),
    randomFor(seed, "synthesis/shots", number),
  );
  const near = (one: Seed) => (one.instruction === prompted.instruction ? 0 : 1);
  // The nearest last, next to the query.
  return mixed
    .toSorted((a, b) => near(a) - near(b))
    .slice(0, count)
    .reverse();
}
