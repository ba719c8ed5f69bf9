// npx hone run examples/extend/restrictiveness.study.yaml
//
// A custom model: it scores an option by how often the option's words occur in the prompt, and writes the words that
// the prompt repeats most. `overlap:NAME` in a study's `model` opens it; any service or engine can take its place.

import type { Cost, Extension, LanguageModel } from "@honelab/hone";

const words = (text: string): string[] => text.toLowerCase().match(/\p{L}{3,}/gu) ?? [];

export function overlap(name: string): LanguageModel {
  const cost = (read: number, written: number): Cost => {
    return { calls: 1, inputTokens: read, outputTokens: written, ms: 0, usd: 0 };
  };
  return {
    id: `overlap:${name}`,
    name: `overlap ${name}`.trim(),
    grants: new Set(["text", "logprobs"]),
    format: "plain",
    concurrency: 8,
    async score({ messages, options }) {
      const prompt = words(messages.map(({ content }) => content).join("\n"));
      const times = (word: string): number => prompt.filter((one) => one.startsWith(word.slice(0, 6))).length;
      const counts = options.map((option) => words(option).reduce((sum, word) => sum + times(word), 0));
      const total = Math.log(counts.reduce((sum, count) => sum + count + 1, 0));
      const scored = counts.map((count) => ({ logprob: Math.log(count + 1) - total, tokens: 1 }));
      return { options: scored, cost: cost(prompt.length, 0) };
    },
    async generate({ messages, maxTokens }) {
      const counts = new Map<string, number>();
      for (const word of words(messages.at(-1)?.content ?? "")) counts.set(word, (counts.get(word) ?? 0) + 1);
      const ranked = [...counts].sort((a, b) => b[1] - a[1]).slice(0, maxTokens);
      return { text: ranked.map(([word]) => word).join(" "), finish: "stop", cost: cost(1, ranked.length) };
    },
    close: async () => {},
  };
}

export default { models: { overlap: async (name: string) => overlap(name) } } satisfies Extension;
