// The card of a set of synthetic data: how many pairs there are and why others were refused, their topics, lengths and
// diversity, and which models made them. It counts pairs as they come and keeps none of them.

import type { SyntheticCard as Card } from "../../../core/synthetic.js";
import { words } from "../../../learn/text.js";
import { formOf, type Judged, type Pair, type Rule, responseText, rules } from "./pair.js";

/** Words that say nothing about the topic. */
const common = new Set(
  "about above after again all also although among and any are because been before being between both but can could did does doing down during each few for from further had has have having her here hers him his how into its itself just more most must not now off once only other our out over own same she should some such than that the their them then there these they this those through too under until very was were what when where which while who whom why will with would you your following best answer question patient one two may based given if is it in of on to a an as at be by or no yes".split(
    " ",
  ),
);

const shown = 24;
/** Maximum number of distinct words and word pairs that are counted; beyond it the figures cover only the first part. */
const mostCounted = 400_000;

export type CardHead = Pick<Card, "way" | "domain" | "sampling" | "seeds"> & Pick<Card, "self">;

export function makeCard(head: CardHead): {
  add: (judged: Judged) => void;
  cost: (read: number, written: number) => void;
  card: () => Card;
} {
  const met = new Map<Rule, number>();
  const refused = new Map<Rule, Map<string, number>>();
  const counts = {
    forms: new Map<string, number>(),
    answers: new Map<string, number>(),
    topics: new Map<string, number>(),
    instructions: new Map<string, number>(),
  };
  const lengths = { asked: new Map<number, number>(), response: new Map<number, number>() };
  const writers = new Set<string>();
  const responders = new Set<string>();
  const singles = new Set<string>();
  const doubles = new Set<string>();
  const seen = { words: 0, runs: 0 };
  const tokens = { read: 0, written: 0 };
  const overlap = { dev: 0, test: 0, passages: 0 };
  let attempts = 0;
  let pairs = 0;

  const keep = (pair: Pair): void => {
    pairs++;
    up(counts.forms, formOf(pair));
    up(counts.answers, pair.options ? responseText(pair).slice(0, 60) : "(written)");
    up(counts.instructions, pair.instruction);
    const asked = words([pair.input, pair.question].filter(Boolean).join("\n"));
    const response = words(responseText(pair));
    up(lengths.asked, bin(asked.length));
    up(lengths.response, bin(response.length));
    for (const word of new Set(asked)) if (word.length > 2 && !common.has(word)) up(counts.topics, word);
    for (const [i, word] of asked.entries()) {
      if (singles.size < mostCounted) {
        singles.add(word);
        seen.words++;
      }
      const next = asked[i + 1];
      if (next !== undefined && doubles.size < mostCounted) {
        doubles.add(`${word} ${next}`);
        seen.runs++;
      }
    }
  };

  return {
    add(judged) {
      attempts++;
      const { lineage, decisions } = judged;
      writers.add(lineage.writer);
      if (lineage.responder !== null) responders.add(lineage.responder);
      for (const { rule, passed, why } of decisions) {
        up(met, rule);
        if (passed) continue;
        const reasons = refused.get(rule) ?? new Map<string, number>();
        refused.set(rule, reasons);
        // Reasons that differ only in numbers are one reason.
        up(reasons, (why ?? "").replace(/\d+(?:\.\d+)?/g, "n"));
        if (rule.endsWith("leak")) overlap[why?.endsWith("test") ? "test" : "dev"]++;
      }
      if (judged.kept) {
        keep(judged.pair as Pair);
        if (lineage.passages.length > 0) overlap.passages++;
      }
    },
    cost(read, written) {
      tokens.read += read;
      tokens.written += written;
    },
    card: () => {
      return {
        hone: "synthetic/1",
        ...head,
        writers: [...writers],
        responders: [...responders],
        attempts,
        pairs,
        funnel: rules
          .filter((rule) => met.has(rule))
          .map((rule) => ({
            rule,
            met: met.get(rule) as number,
            refused: [...(refused.get(rule)?.values() ?? [])].reduce((sum, n) => sum + n, 0),
            reasons: top(refused.get(rule) ?? new Map(), 5),
          })),
        forms: top(counts.forms, shown),
        answers: top(counts.answers, shown),
        topics: top(counts.topics, shown),
        instructions: { distinct: counts.instructions.size, commonest: top(counts.instructions, 10) },
        lengths: { asked: bins(lengths.asked), response: bins(lengths.response) },
        diversity: {
          words: singles.size,
          distinct1: seen.words === 0 ? 0 : singles.size / seen.words,
          distinct2: seen.runs === 0 ? 0 : doubles.size / seen.runs,
        },
        overlap,
        tokens,
      };
    },
  };
}

function up<Key>(map: Map<Key, number>, key: Key): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}

function top<Key>(map: ReadonlyMap<Key, number>, n: number): [Key, number][] {
  return [...map].sort((a, b) => b[1] - a[1] || (String(a[0]) < String(b[0]) ? -1 : 1)).slice(0, n);
}

/** The lower end of the bin: 0, 1, 2, 4, 8, … */
const bin = (n: number) => (n === 0 ? 0 : 2 ** Math.floor(Math.log2(n)));
const bins = (map: ReadonlyMap<number, number>): [number, number][] => [...map].sort((a, b) => a[0] - b[0]);
