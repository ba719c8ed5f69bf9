// Quoted speech in a text: it stays as it was said, and people who are named or act within it are not part of the story.

/** A text of the same length with spaces in place of quoted speech. */
export function unquoted(text: string): string {
  const known = masks.get(text);
  if (known !== undefined) return known;
  const out = text.replace(spoken, (found, at: number) => {
    // As in "… is it?" Then: the surrounding sentence ends with the quotation.
    const ends = /[.!?]["”’']$/.test(found) && /^\s*(?:\p{Lu}|$)/u.test(text.slice(at + found.length));
    const inner = " ".repeat(found.length - 3) + (ends ? found.at(-2) : " ");
    return found.length < 3 ? found : found[0] + inner + found.at(-1);
  });
  if (masks.size > 20_000) masks.clear();
  masks.set(text, out);
  return out;
}

const masks = new Map<string, string>();

/** Text between two marks of the same kind; a single mark opens after a space and closes where no letter follows. */
const spoken =
  /"[^"]*"|“[^”]*”|(?<=^|[\s:,(])['‘](?=[\p{L}\p{N}])(?:[^'’"“”\n]|['’](?=\p{L}))*['’](?![\p{L}])/gu;

/** Whether a position is within quotation marks. */
export function quoted(text: string, at: number): boolean {
  return unquoted(text)[at] !== text[at];
}

/** Whether a mark opens and never closes, or marks are nested: quoted speech cannot be separated from the story. */
export function unpaired(text: string): boolean {
  const crooked = [...text.matchAll(spoken)].some(([found]) => /^["“]\s|\s["”]$/.test(found));
  return crooked || /["“”]/.test(text.replace(spoken, ""));
}
