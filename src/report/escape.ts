// Makes untrusted text inert wherever it is shown: terminal, HTML, Markdown, CSV, and JSON inside HTML.
// Model output, data, labels, ids and names all pass through here. It does not judge text and it does not translate it.

/** Escape sequences that terminals act on: CSI, and the string kinds (OSC, DCS, SOS, PM, APC) up to their terminator. */
const ansi =
  /(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f\n]{0,2048}(?:\x07|\x1b\\|\x9c)|\x1b[ -/]{0,8}[0-~]/g;

/** Controls, bidirectional overrides, and invisible characters; newline and tab stay, and so do joiners. */
const unseen =
  /[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\p{Surrogate}|[\u{e0000}-\u{e01ef}]/gu;

/** More marks on one letter than any script stacks: what is left of it climbs over the lines above. */
const stacked = /(\p{M}{4})\p{M}+/gu;

/** `text` cut to `limit` UTF-16 units with a note of how much is missing; never inside a surrogate pair. */
export function clip(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const last = text.charCodeAt(limit - 1);
  const end = last >= 0xd800 && last < 0xdc00 ? limit - 1 : limit;
  return `${text.slice(0, end)}… (${(text.length - end).toLocaleString("en")} more characters)`;
}

/**
 * Text that a terminal prints without acting on it: ANSI sequences, control characters and bidirectional overrides are removed.
 * Newlines and tabs stay; carriage returns and line separators become newlines.
 */
export function plainText(text: string, limit = Number.POSITIVE_INFINITY): string {
  const clean = text
    .replace(ansi, "")
    .replace(/\r\n?|[\u2028\u2029\x85]/g, "\n")
    .replace(unseen, (found) => (/\p{Surrogate}/u.test(found) ? "\ufffd" : ""))
    .replace(stacked, "$1");
  return clip(clean, limit);
}

/** `plainText` on one line, for table cells, names and file names; cut with an ellipsis. */
export function oneLine(text: string, limit = 200): string {
  // What lies far behind the limit is not worth cleaning: names can be megabytes long.
  const line = plainText(text.slice(0, 4 * limit + 4096))
    .replace(/\s+/g, " ")
    .trim();
  return line.length > limit ? `${clip(line, limit).replace(/… \([\d,]+ more characters\)$/, "")}…` : line;
}

/** Text as it is, with what cannot be seen spelled out (`‹ESC›`, `‹U+202E›`): for showing exact prompts and outputs. */
export function visibleText(text: string, limit = Number.POSITIVE_INFINITY): string {
  const shown = clip(text, limit)
    .replace(/\r\n/g, "\n")
    .replace(/[\u2028\u2029]/g, "\n")
    .replace(unseen, (found) => (found === "\x1b" ? "‹ESC›" : `‹U+${hex(found)}›`));
  return shown.replace(stacked, "$1‹more marks›");
}

function hex(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;",
};

/** For text and quoted attribute values of HTML. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => entities[character] as string);
}

/** Markup that is known to be safe; only `html` makes it from strings written in this repository. */
export interface Html {
  readonly markup: string;
}

type Content = string | number | null | undefined | false | Html | readonly Content[];

/**
 * HTML with everything put into it escaped, unless it is itself made by `html`. Attribute values must be quoted.
 *
 * @example
 * html`<b>${"<script>"}</b>`.markup; // "<b>&lt;script&gt;</b>"
 */
export function html(literals: TemplateStringsArray, ...contents: Content[]): Html {
  let markup = literals[0] ?? "";
  for (const [i, content] of contents.entries()) markup += markupOf(content) + (literals[i + 1] ?? "");
  return { markup };
}

function markupOf(content: Content): string {
  if (content === null || content === undefined || content === false) return "";
  if (typeof content === "string") return escapeHtml(plainText(content));
  if (typeof content === "number") return String(content);
  if (isList(content)) return content.map(markupOf).join("");
  return content.markup;
}

function isList(content: Html | readonly Content[]): content is readonly Content[] {
  return Array.isArray(content);
}

/** JSON for use inside a script element: no character in it can end the element or a line of script. */
export function embedJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${hex(character).toLowerCase()}`,
  );
}

/** One line of Markdown text, fit for a table cell: no markup, link, HTML or heading survives in it. */
export function escapeMarkdown(text: string, limit = 2000): string {
  return oneLine(text, limit)
    .replace(/[\\`*_[\]|~$!{}]/g, "\\$&")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/@/g, "&#64;")
    .replace(/:(?=\/\/)/g, "&#58;")
    .replace(/\b(www)\./gi, "$1&#46;")
    .replace(/^([#+=-])/, "\\$1")
    .replace(/^(\d+)([.)])(?=\s|$)/, "$1\\$2");
}

/** Long text in Markdown: a fence longer than any run of backticks inside. */
export function fenced(text: string, limit = Number.POSITIVE_INFINITY): string {
  const shown = visibleText(text, limit);
  const longest = Math.max(2, ...(shown.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${shown}\n${fence}`;
}

/** One CSV cell. Text is quoted, and text that a spreadsheet would read as a formula is prefixed with an apostrophe. */
export function csvCell(value: string | number | boolean | null | undefined): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string") return String(value);
  const clean = plainText(value);
  const guarded =
    /^[\s'"]*[=+\-@＝＋－＠]|^[\t\r\n]/.test(clean) || /^[\t\r]/.test(value) ? `'${clean}` : clean;
  return `"${guarded.replace(/"/g, '""')}"`;
}
