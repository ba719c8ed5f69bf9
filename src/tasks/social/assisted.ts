// First-person conversion by a language model, as in EgoSocialArena (GPT-4o; its prompt is not public), for items that the
// rules refuse. The model's text is checked, and its lineage is the whole text, so that the original can still be
// restored.

import type { CallContext } from "../../core/call.js";
import type { LanguageSubject } from "../../core/kinds.js";
import { wordsOf } from "./grammar.js";
import { namePattern } from "./people.js";
import { quoted } from "./quotes.js";
import { slipIn } from "./refusals.js";
import type { Conversion, Edit, Told } from "./told.js";

const instruction =
  "Rewrite a story, a question and its options so that one of the characters is the reader. In story and question that character becomes you, in the options I. Change nothing else. Keep one part a line, each with its heading.";

const example: { who: string; told: Told; first: Told } = {
  who: "Wim",
  told: {
    story: "Wim gives his sister a kite. She thanks him.",
    question: "How does Wim feel?",
    options: ["Wim is glad", "He regrets it"],
  },
  first: {
    story: "You give your sister a kite. She thanks you.",
    question: "How do you feel?",
    options: ["I am glad", "I regret it"],
  },
};

function written({ story, question, options }: Told): string {
  const line = (text: string) => text.replace(/\s+/g, " ");
  return [
    `Story: ${line(story)}`,
    `Question: ${line(question)}`,
    ...options.map((option, i) => `Option ${i + 1}: ${line(option)}`),
  ].join("\n");
}

/**
 * Prompts a model to retell an item in the first person.
 * @param who the character who becomes "you"
 * @returns the item, or why the model's text was rejected: a part is missing, the name still occurs outside of quotations, nobody
 * is addressed, or the length differs
 */
export async function assistedFirstPerson(
  told: Told,
  who: string,
  subject: LanguageSubject,
  context: CallContext,
): Promise<Conversion> {
  const { text = "" } = await subject.respond(
    {
      instruction,
      input: `Character: ${who}\n${written(told)}`,
      demonstrations: [
        { input: `Character: ${example.who}\n${written(example.told)}`, answer: written(example.first) },
      ],
      maxTokens: Math.min(4096, 64 + Math.ceil(written(told).length / 2)),
    },
    context,
  );
  const part = (heading: string) => new RegExp(`^${heading}: *(.+)$`, "m").exec(text)?.[1]?.trim();
  const story = part("Story");
  const question = part("Question");
  const options = told.options.map((_, i) => part(`Option ${i + 1}`));
  if (story === undefined || question === undefined || options.some((one) => one === undefined))
    return { refused: "the model left a part out" };
  const first: Told = { story, question, options: options as string[] };
  const why = wrongIn(first, told, who);
  return why === undefined ? { told: first, lineage: lineageOf(first, told, who) } : { refused: why };
}

function wrongIn(first: Told, told: Told, who: string): string | undefined {
  const left = [first.story, first.question, ...first.options].some((text) =>
    [...text.matchAll(namePattern(who))].some(({ index }) => !quoted(text, index)),
  );
  if (left) return "the model left the name in";
  if (!/\byou(?:r|rself)?\b/i.test(first.story)) return "the model addresses nobody";
  const ratio = wordsOf(first.story).length / wordsOf(told.story).length;
  if (ratio < 0.8 || ratio > 1.25) return "the model told another story";
  if (new Set(first.options).size < first.options.length) return "the model made two options one";
  if (first.question === told.question) return "the model left the question as it was";
  return slipIn(first);
}

function lineageOf(first: Told, told: Told, who: string) {
  const whole = (now: string, was: string): Edit[] => (now === was ? [] : [[0, now, was]]);
  return {
    who,
    story: whole(first.story, told.story),
    question: whole(first.question, told.question),
    options: first.options.map((option, i) => whole(option, told.options[i] as string)),
  };
}
