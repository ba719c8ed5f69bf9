// Draws the mock's answers, by its seed, when they must be JSON of a schema or may be tool calls.

import type { Json } from "../core/json.js";
import type { GenerateRequest, Message, ToolCall } from "../core/model.js";
import type { Random } from "../core/random.js";
import { checkSchema } from "./json-schema.js";
import { type CheckedSchema, leastLevels, type Shape } from "./json-shapes.js";
import { forcedCall } from "./tool-calls.js";

/** An answer in the requested form; undefined if it is to be text. A tool is called if the last message names it. */
export function answerInForm(
  request: Pick<GenerateRequest, "json" | "tools" | "toolChoice"> & {
    messages: readonly Pick<Message, "role" | "content">[];
  },
  random: Random,
): { text: string; calls?: readonly ToolCall[] } | undefined {
  const { json, tools, messages } = request;
  const forced = tools && forcedCall(request);
  const last = messages.at(-1);
  const named = tools?.find(({ name }) => last?.role !== "tool" && last?.content.includes(name));
  const called = forced ?? (named && forcedCall({ tools: tools ?? [], toolChoice: { name: named.name } }));
  if (called) {
    const call = drawValue(called, random) as { name: string; arguments: Json };
    const id = `call_${Math.floor(random() * 1e9)}`;
    return { text: "", calls: [{ id, name: call.name, arguments: JSON.stringify(call.arguments) }] };
  }
  return json && { text: JSON.stringify(drawValue(checkSchema(json.schema ?? { type: "object" }), random)) };
}

const words = ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath"];
const dates = { date: "2026-01-28", time: "10:20:30Z", "date-time": "2026-01-28T10:20:30Z" } as const;

/** A value that a schema allows. Beyond a few levels it nests no deeper than necessary. */
function drawValue(checked: CheckedSchema, random: Random): Json {
  const levels = leastLevels(checked);
  const whole = (below: number) => Math.floor(random() * below);
  const draw = (shape: Shape, depth: number): Json => {
    const deep = depth > 4;
    const some = (min: number, max = min + 2) => (deep ? min : Math.min(max, min + whole(3)));
    switch (shape.kind) {
      case "any":
        return words[whole(words.length)] as string;
      case "literal":
        return shape.values[whole(shape.values.length)] as Json;
      case "ref":
        return draw(checked.parts.get(shape.name) as Shape, depth);
      case "number":
        return shape.from === "one" ? 1 + whole(99) : shape.whole ? whole(100) : whole(1000) / 10;
      case "string": {
        if (shape.format) return dates[shape.format];
        const word = (words[whole(words.length)] as string).padEnd(shape.min, "-");
        return shape.max === undefined ? word : word.slice(0, shape.max);
      }
      case "or": {
        const least = Math.min(...shape.of.map(levels));
        const among = deep ? shape.of.filter((one) => levels(one) === least) : shape.of;
        return draw(among[whole(among.length)] as Shape, depth + 1);
      }
      case "array": {
        const { first, items, min, max } = shape;
        const own = first.slice(0, max).map((one) => draw(one, depth + 1));
        const n = items
          ? Math.max(0, some(Math.max(0, min - own.length), max === undefined ? undefined : max - own.length))
          : 0;
        return [...own, ...Array.from({ length: n }, () => draw(items as Shape, depth + 1))];
      }
      case "map": {
        const n = some(shape.min, shape.max);
        return Object.fromEntries(
          Array.from({ length: n }, (_, i) => [
            `${words[i % words.length]}${i}`,
            draw(shape.values, depth + 1),
          ]),
        );
      }
      case "object":
        return Object.fromEntries(
          shape.members
            .filter(({ required }) => required || (!deep && random() < 0.5))
            .map(({ name, shape: inner }) => [name, draw(inner, depth + 1)]),
        );
    }
  };
  return draw(checked.root, 0);
}
