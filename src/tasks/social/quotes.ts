// What is said in a text: it is left as it was said, and who is named or does something in it says nothing of the story.

/** A text of the same length with spaces for what stands within quotation marks. */
export function unquoted(text: string): string {
  const known = masks.get(text);
  if (known !== undefined) return known;
  const out = text.replace(spoken, (found, at: number) => {
    // "… is it?" Then: the sentence around ends with what was said.
    const ends = /[.!?]["”’']$/.test(found) && /^\s*(?:\p{Lu}|$)/u.test(text.slice(at + found.length));
    const inner = " ".repeat(found.length - 3) + (ends ? found.at(-2) : " ");
    return found.length < 3 ? found : found[0] + inner + found.at(-1);
  });
  if (masks.size > 20_000) masks.clear();
  masks.set(text, out);
  return out;
}

const masks = new Map<string, string>();

/** Between two marks of one kind; a single one opens after a space and closes before none of a word's letters. */
const spoken =
  /"[^"]*"|“[^”]*”|(?<=^|[\s:,(])['‘](?=[\p{L}\p{N}])(?:[^'’"“”\n]|['’](?=\p{L}))*['’](?![\p{L}])/gu;

/** Within quotation marks. */
export function quoted(text: string, at: number): boolean {
  return unquoted(text)[at] !== text[at];
}

/** A mark that opens and never closes, or marks within marks: what is said cannot be told from the story. */
export function unpaired(text: string): boolean {
  const crooked = [...text.matchAll(spoken)].some(([found]) => /^["“]\s|\s["”]$/.test(found));
  return crooked || /["“”]/.test(text.replace(spoken, ""));
}
