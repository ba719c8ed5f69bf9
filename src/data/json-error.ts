// Locates a syntax error in JSON, since engines do not report its position reliably. JSON.parse does the parsing.

/** Where and why a text is not JSON, or undefined if it is. `offset` is in UTF-16 units from 0. */
export function findJsonError(text: string): { offset: number; why: string } | undefined {
  let i = 0;
  const closers: string[] = [];
  let expect: "value" | "value or ]" | "name or }" | "name" | "end" = "value";
  const literal = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
  const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/y;
  const fail = (offset: number, why: string) => ({ offset, why });
  const skip = (): void => {
    while (i < text.length && " \t\r\n".includes(text[i]!)) i++;
  };
  const readString = (): { offset: number; why: string } | undefined => {
    string.lastIndex = i;
    string.test(text);
    const end = string.lastIndex;
    if (text[end] === '"') {
      i = end + 1;
      return undefined;
    }
    if (end >= text.length) return fail(i, "a string has no closing quote");
    return fail(end, text[end] === "\\" ? "a bad escape in a string" : "a raw control character in a string");
  };
  for (;;) {
    skip();
    const c = text[i];
    if (expect === "end") {
      const closer = closers.at(-1);
      if (closer === undefined)
        return i < text.length ? fail(i, "more text after the end of the value") : undefined;
      if (c === closer) {
        closers.pop();
        i++;
      } else if (c === ",") {
        i++;
        expect = closer === "}" ? "name" : "value";
      } else return fail(i, c === undefined ? `the text ends before a ${closer}` : `expected , or ${closer}`);
      continue;
    }
    if (c === undefined) return fail(i, "the text ends too early");
    if (expect === "name" || expect === "name or }") {
      if (c === "}" && expect === "name or }") {
        closers.pop();
        i++;
        expect = "end";
        continue;
      }
      if (c !== '"') return fail(i, "expected a name in double quotes");
      const problem = readString();
      if (problem) return problem;
      skip();
      if (text[i] !== ":") return fail(i, "expected : after a name");
      i++;
      expect = "value";
      continue;
    }
    if (c === "]" && expect === "value or ]") {
      closers.pop();
      i++;
      expect = "end";
    } else if (c === "{" || c === "[") {
      closers.push(c === "{" ? "}" : "]");
      expect = c === "{" ? "name or }" : "value or ]";
      i++;
    } else {
      if (c === '"') {
        const problem = readString();
        if (problem) return problem;
      } else {
        literal.lastIndex = i;
        if (!literal.test(text)) return fail(i, `${JSON.stringify(c)} cannot begin a value`);
        i = literal.lastIndex;
      }
      expect = "end";
    }
  }
}
