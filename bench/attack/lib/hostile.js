// Building blocks of hostile input: texts that trip parsers, templates, terminals and shells, values of wrong types,
// and bytes changed at random. Drawn with a case's own random numbers.

/** Texts that have broken some program before. */
export const texts = [
  "",
  " ",
  "0",
  "-1",
  "NaN",
  "Infinity",
  "1e999",
  "9007199254740993",
  "null",
  "undefined",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "../../../../../../etc/passwd",
  "..",
  ".",
  "/",
  "a/b",
  "C:\\x",
  "--help",
  "-",
  "--",
  "$(id)",
  "`id`",
  "; ls",
  "%s%n%d",
  "{{x}}",
  "$" + "{x}",
  "'\"",
  "<script>alert(1)</script>",
  "=1+1",
  "a\tb",
  "a\nb",
  "\r",
  "\u001b[31mred\u001b[0m",
  "\u001b]0;title\u0007",
  "\u202eright to left",
  "\u200b",
  "\ufeffbom",
  "\ud83e\udd16",
  "e\u0301".repeat(50),
  "日本語",
  "𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
  "\u0085\u2028\u2029",
  "x".repeat(5_000),
  "(a+)+$",
  "*".repeat(60),
];

/** Texts that may stand in a command line: no NUL. */
export const longTexts = ["x".repeat(100_000), "é".repeat(30_000), "../".repeat(3_000), "{a,b}".repeat(40)];

/** Values of unexpected types. */
export const values = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  -0,
  2 ** 31,
  2 ** 53,
  [],
  {},
  [[]],
  [null],
  { a: 1 },
  { "": "" },
  ["a", "a"],
  "",
  " ",
  "x",
  "__proto__",
  "../../../../x",
  "/",
  "x".repeat(100_000),
  "\u001b[2J",
  "{{",
  "{{}}",
  "{{__proto__}}",
  "{{text|99999999999}}",
];

/** The bytes with a few of them flipped, truncated, doubled, moved or replaced by special values. */
export function mutate(bytes, { int, pick }, times = int(1, 4)) {
  let out = Buffer.from(bytes);
  for (let i = 0; i < times && out.length > 0; i++) {
    const at = int(0, out.length - 1);
    const length = Math.min(out.length - at, int(1, 64));
    const change = pick(["flip", "cut", "drop", "double", "insert", "overwrite"]);
    if (change === "flip") out[at] ^= 1 << int(0, 7);
    else if (change === "cut") out = out.subarray(0, at);
    else if (change === "drop") out = Buffer.concat([out.subarray(0, at), out.subarray(at + length)]);
    else if (change === "double") out = Buffer.concat([out.subarray(0, at + length), out.subarray(at)]);
    else {
      const piece = pick(pieces);
      const rest = out.subarray(change === "insert" ? at : at + piece.length);
      out = Buffer.concat([out.subarray(0, at), piece, rest]);
    }
  }
  return out;
}

const pieces = [
  [0],
  [0, 0, 0, 0],
  [0xff],
  [0xff, 0xff, 0xff, 0xff],
  [0xff, 0xff, 0xff, 0x7f],
  [0x80],
  [0xc3],
  [0xed, 0xa0, 0x80],
  [0xef, 0xbb, 0xbf],
  [0xfe, 0xff],
  [0x1a],
  [0x0d],
  ...[
    '"',
    "'",
    "\\",
    "\n",
    ",",
    ";",
    "{",
    "}",
    "[",
    "]",
    ":",
    "#",
    "&",
    "*",
    "|",
    "-",
    "%",
    "\\u0000",
    "\\ud800",
  ],
].map((piece) => Buffer.from(piece));
