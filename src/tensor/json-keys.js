// Finds a key that occurs twice in one object of a JSON text. JSON.parse keeps the last of them without a word, so a file
// could show one reader one tensor and another reader another. The text must have been parsed before.
/** A key that some object of the text has twice, or undefined. The text must be valid JSON. */
export function duplicateKey(text) {
  /** The keys of each object that is open, and undefined for each array. */
  const open = [];
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
      // A string before a colon is a key; two spellings of it (escapes) are one.
      if (text[next] === ":") {
        const key = JSON.parse(text.slice(start, at + 1));
        const keys = open.at(-1);
        if (keys?.has(key)) return key;
        keys?.add(key);
      }
    }
    at++;
  }
  return undefined;
}
