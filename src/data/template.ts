// Fills templates with the fields of a row: `{{facts}}` is a field, `{{labels.area}}` a nested field, `{{facts|1200}}`
// its first 1200 characters cut at a word boundary. There is nothing else: no logic, no code, no nesting.

import { HoneError } from "../core/errors.js";

/**
 * The value at a dotted path, own properties only; undefined if there is none. A field whose name itself contains dots
 * takes precedence.
 */
export function field(row: Record<string, unknown>, path: string): unknown {
  if (Object.hasOwn(row, path)) return row[path];
  let value: unknown = row;
  for (const part of path.split(".")) {
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

/** A field's value, or a HoneError that names the row and lists the available fields. */
export function requiredField(row: Record<string, unknown>, path: string, place: string): unknown {
  const value = field(row, path);
  if (value !== undefined) return value;
  const known = Object.keys(row).slice(0, 30).join(", ");
  throw new HoneError({
    what: `The row has no field ${JSON.stringify(path)}.`,
    where: place,
    why: `its fields are: ${known || "none"}`,
    next: "Correct the field's name in the study, or add the field to the data.",
  });
}

/** A value as text: lists of plain values one per line, other structures as JSON, null as the empty string. */
export function asText(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value) && value.every((one) => one === null || typeof one !== "object")) {
    return value.map(asText).join("\n");
  }
  return JSON.stringify(value);
}

/** The first `length` characters without a cut word; never half of a surrogate pair. */
function cutAtWord(text: string, length: number): string {
  if (text.length <= length) return text;
  const head = text.slice(0, length + 1);
  const space = head.search(/\s\S*$/);
  const end = space > 0 ? space : length;
  const whole = /[\ud800-\udbff]/.test(text[end - 1] ?? "") ? end - 1 : end;
  return text.slice(0, whole).trimEnd();
}

/** True if the text has a `{{…}}`. */
export function isTemplate(text: string): boolean {
  return text.includes("{{");
}

/** Maximum slots in one template and characters in a filled one: far above any prompt, and soon reported. */
const [mostSlots, mostCharacters] = [1_000, 2_000_000];

/** Checks a template once and returns the function that fills it. `place` names the row in errors. */
export function compileTemplate(template: string): (row: Record<string, unknown>, place: string) => string {
  const parts: (string | { path: string; length?: number })[] = [];
  let from = 0;
  for (let open = template.indexOf("{{"); open >= 0; open = template.indexOf("{{", from)) {
    const close = template.indexOf("}}", open);
    const slot = /^\s*([^|{}]*[^|{}\s])\s*(?:\|\s*([1-9]\d{0,8})\s*)?$/.exec(
      close < 0 ? "" : template.slice(open + 2, close),
    );
    if (!slot) {
      throw new HoneError({
        what: "Cannot read the template.",
        where: `${JSON.stringify(template.slice(0, 80))}, character ${open + 1}`,
        why:
          close < 0
            ? "a {{ is never closed"
            : "between {{ and }} there must be a field's name, optionally followed by | and a length",
        next: "Write for instance {{facts}}, {{labels.area}} or {{facts|1200}}.",
        kind: "usage",
      });
    }
    parts.push(template.slice(from, open), {
      path: slot[1]!,
      ...(slot[2] === undefined ? {} : { length: Number(slot[2]) }),
    });
    from = close + 2;
    if (parts.length > 2 * mostSlots) {
      throw new HoneError({
        what: "The template is too long.",
        where: JSON.stringify(template.slice(0, 80)),
        why: `it names more than ${mostSlots.toLocaleString("en")} fields`,
        next: "Name each field once.",
        kind: "usage",
      });
    }
  }
  parts.push(template.slice(from));
  return (row, place) => {
    let filled = "";
    for (const part of parts) {
      if (typeof part === "string") filled += part;
      else {
        const text = asText(requiredField(row, part.path, place));
        filled += part.length === undefined ? text : cutAtWord(text, part.length);
      }
      if (filled.length > mostCharacters) throw tooLong(place, parts.length);
    }
    return filled;
  };
}

function tooLong(place: string, parts: number): HoneError {
  return new HoneError({
    what: "A filled template is too long.",
    where: place,
    why: `it has more than ${mostCharacters.toLocaleString("en")} characters`,
    next:
      parts > 3
        ? "Name fewer fields, or cut them with a length, as in {{facts|1200}}."
        : "Cut the field with a length, as in {{facts|1200}}.",
  });
}

/**
 * A function that returns a fixed text, or fills a template from a row.
 * @param option name of the study's option, for the error
 * @throws HoneError if a fixed text is the name of a field: the field was probably meant
 */
export function fixedOrTemplate(
  text: string,
  option: string,
): (row: Record<string, unknown>, place: string) => string {
  const fill = compileTemplate(text);
  if (isTemplate(text)) return fill;
  return (row, place) => {
    if (Object.hasOwn(row, text))
      throw new HoneError({
        what: `\`${option}: ${text}\` is a fixed text, the same for all rows, and rows have a field of that name.`,
        where: place,
        next: `Write \`${option}: "{{${text}}}"\` for what the field says.`,
      });
    return fill(row, place);
  };
}

/** A function that reads a field, or fills a template if the text is one. */
export function fieldOrTemplate(text: string): (row: Record<string, unknown>, place: string) => string {
  return isTemplate(text) ? compileTemplate(text) : (row, place) => asText(requiredField(row, text, place));
}

/**
 * Fills a template from a row.
 *
 * @example
 * import { fillTemplate } from "@honelab/hone";
 * fillTemplate("{{facts}} ({{area}})", { facts: "A tax dispute.", area: "Tax" }, "cases.jsonl:3"); // "A tax dispute. (Tax)"
 */
export function fillTemplate(template: string, row: Record<string, unknown>, place = "the row"): string {
  return compileTemplate(template)(row, place);
}
