// Writes a checked schema as a grammar in llama.cpp's notation (GBNF): JSON on one line, at most one space after a comma or a
// colon. The grammar ends with the value, so the model must end its text there.

import type { CheckedSchema, Literal, Shape } from "../json-shapes.js";

const common = `ws ::= [ ]?
char ::= [^"\\\\\\x7F\\x00-\\x1F] | "\\\\" (["\\\\/bfnrt] | "u" [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F])
string ::= "\\"" char* "\\""
natural ::= "0" | [1-9] [0-9]{0,15}
positive ::= [1-9] [0-9]{0,15}
part ::= ("." [0-9]{1,16})? ([eE] [-+]? [0-9]{1,3})?
number ::= "-"? natural part
any ::= string | number | "true" | "false" | "null" | anylist | anymap
anylist ::= "[" ws (any ("," ws any)*)? ws "]"
anymap ::= "{" ws (string ":" ws any ("," ws string ":" ws any)*)? ws "}"
date ::= [0-9]{4} "-" ("0" [1-9] | "1" [0-2]) "-" ("0" [1-9] | "1" [0-9] | "2" [0-8])
time ::= ([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] ("." [0-9]{1,3})? ("Z" | [-+] ("0" [0-9] | "1" [0-4]) ":" [0-5] [0-9])
`;

/** The grammar of a schema's values. Its size is linear in the schema's. */
export function grammarOf({ root, parts }: CheckedSchema): string {
  const rules: string[] = [];
  let made = 0;
  const add = (body: string): string => {
    const name = `r${made++}`;
    rules.push(`${name} ::= ${body}`);
    return name;
  };
  const names = new Map([...parts.keys()].map((name, i) => [name, `p${i}`]));

  const times = (one: string, min: number, max: number | undefined): string =>
    `${one}{${min},${max === undefined ? "" : max}}`;
  /** Between `min` and `max` items, separated by commas. */
  const listed = (one: string, min: number, max: number | undefined): string => {
    if (max === 0) return "";
    const more = times(`("," ws ${one})`, Math.max(0, min - 1), max === undefined ? undefined : max - 1);
    return min === 0 ? `(${one} ${more})?` : `${one} ${more}`;
  };

  const rule = (shape: Shape): string => {
    switch (shape.kind) {
      case "any":
        return "any";
      case "ref":
        return names.get(shape.name) as string;
      case "or":
        return add(shape.of.map(rule).join(" | "));
      case "literal":
        return add(trie([...new Set(shape.values.map(jsonOf))].sort(), 0, add));
      case "string": {
        if (shape.format === "date-time") return add('"\\"" date "T" time "\\""');
        if (shape.format) return add(`"\\"" ${shape.format} "\\""`);
        if (shape.min === 0 && shape.max === undefined) return "string";
        return add(`"\\"" ${shape.max === 0 ? "" : times("char", shape.min, shape.max)} "\\""`);
      }
      case "number": {
        const whole = shape.from === "one" ? "positive" : "natural";
        return add(`${shape.from === "any" ? '"-"? ' : ""}${whole}${shape.whole ? "" : " part"}`);
      }
      case "map": {
        const pair = add(`string ":" ws ${rule(shape.values)}`);
        return add(`"{" ws ${listed(pair, shape.min, shape.max)} ws "}"`);
      }
      case "array": {
        const { first, items, min, max } = shape;
        const most = max === undefined ? first.length : Math.min(max, first.length);
        const own = first.slice(0, most).map(rule);
        const rest = items !== undefined && (max === undefined || max > most) ? rule(items) : undefined;
        if (own.length === 0) return add(`"[" ws ${rest === undefined ? "" : listed(rest, min, max)} ws "]"`);
        const more = (n: number | undefined) => (n === undefined ? undefined : Math.max(0, n - most));
        const after = rest === undefined ? "" : times(`("," ws ${rest})`, more(min) as number, more(max));
        return add(`"[" ws ${own.join(' "," ws ')} ${after} ws "]"`);
      }
      case "object": {
        const pairs = shape.members.map(({ name, shape: inner, required }) => ({
          required,
          pair: add(`${quoted(`${JSON.stringify(name)}:`)} ws ${rule(inner)}`),
        }));
        // From last to first: what may follow if a member has been written before, and if none has.
        let [later, begin] = ["", ""];
        for (const { required, pair } of pairs.reverse()) {
          const [here, there] = [`${pair} ${later}`, `"," ws ${pair} ${later}`];
          begin = add(required ? here : begin === "" ? `(${here})?` : `${here} | ${begin}`);
          later = add(required ? there : later === "" ? `(${there})?` : `${there} | ${later}`);
        }
        return add(`"{" ws ${begin} ws "}"`);
      }
    }
  };
  const top = rule(root);
  for (const [name, shape] of parts) rules.push(`${names.get(name)} ::= ${rule(shape)}`);
  return `root ::= ${top}\n${rules.join("\n")}\n${common}`;
}

const jsonOf = (value: Literal): string => JSON.stringify(value);

/** A prefix tree over sorted texts, so that one letter decides between them. */
function trie(texts: readonly string[], at: number, add: (body: string) => string): string {
  const letters = (text: string) => [...text];
  if (texts.length === 1)
    return quoted(
      letters(texts[0] as string)
        .slice(at)
        .join(""),
    );
  let shared = at;
  const [first, last] = [letters(texts[0] as string), letters(texts.at(-1) as string)];
  while (shared < first.length && first[shared] === last[shared]) shared++;
  const groups = new Map<string, string[]>();
  for (const text of texts) {
    const letter = letters(text)[shared] ?? "";
    groups.set(letter, [...(groups.get(letter) ?? []), text]);
  }
  const ways = [...groups].map(([letter, group]) => {
    const [only] = group;
    if (letter === "") return '""';
    return group.length === 1
      ? quoted(
          letters(only as string)
            .slice(shared)
            .join(""),
        )
      : add(trie(group, shared, add));
  });
  const head = shared > at ? `${quoted(first.slice(at, shared).join(""))} ` : "";
  return `${head}(${ways.join(" | ")})`;
}

/** A text as a GBNF literal. */
function quoted(text: string): string {
  const escaped = [...text].map((letter) => {
    const code = letter.codePointAt(0) as number;
    if (letter === '"' || letter === "\\") return `\\${letter}`;
    if (code >= 0x20 && code < 0x7f) return letter;
    return code > 0xffff
      ? `\\U${code.toString(16).padStart(8, "0")}`
      : `\\u${code.toString(16).padStart(4, "0")}`;
  });
  return `"${escaped.join("")}"`;
}
