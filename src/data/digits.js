// Integers that a double cannot hold: they are kept as text of their digits, for an id must not become another id.
/** The number, or its digits where a double cannot hold it. */
export function plainInteger(value) {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}
/** A reviver for YAML that was parsed with `intAsBigInt`. */
export function keepDigits(_key, value) {
  return typeof value === "bigint" ? plainInteger(value) : value;
}
/**
 * JSON.parse, but integers that a double cannot hold come as strings of their digits. (From Node 22 on a reviver is given
 * the source text; until then the digits are quoted before a second parse.)
 */
export function parseKeepingDigits(text) {
  const value = JSON.parse(text);
  if (!/\d{16}/.test(text)) return value;
  let out = "";
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22) {
      for (i++; text.charCodeAt(i) !== 0x22; i++) if (text.charCodeAt(i) === 0x5c) i++;
    } else if (c === 0x2d || (c >= 0x30 && c <= 0x39)) {
      number.lastIndex = i;
      const [digits] = number.exec(text);
      if (/^-?\d{16,}$/.test(digits) && !Number.isSafeInteger(Number(digits))) {
        out += `${text.slice(from, i)}"${digits}"`;
        from = i + digits.length;
      }
      i += digits.length - 1;
    }
  }
  return from === 0 ? value : JSON.parse(out + text.slice(from));
}
const number = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
