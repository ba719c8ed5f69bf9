// Finds a key that occurs twice in one object of a JSON text. JSON.parse silently keeps the last one, so two readers could
// see different tensors in one file. The text must have been parsed before.

/** A key that occurs twice in some object of the text, or undefined. The text must be valid JSON. */
export function duplicateKey(text: string): string | undefined {
  /** The keys of each open object, and undefined for each open array. */
  const open: (Set<string> | undefined)[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text[at];
    if (char === "{") open.push(new Set());
    else if (char === "[") open.push(undefined);
    else if (char === "}" || char === "]") open.pop();
    else if (char === '"') {
      const start = at++;
      while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
      let next = at + 1;
      while (/\s/.test(text[next] ?? "")) next++;
      // A string before a colon is a key; spellings that differ only in escapes are the same key.
      if (text[next] === ":") {
        const key = JSON.parse(text.slice(start, at + 1)) as string;
        const keys = open.at(-1);
        if (keys?.has(key)) return key;
        keys?.add(key);
      }
    }
    at++;
  }
  return undefined;
}
