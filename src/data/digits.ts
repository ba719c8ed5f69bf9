// Integers that a double cannot hold are kept as strings of their digits, so that an id never becomes another id.

/** The number, or its digits if a double cannot hold it. */
export function plainInteger(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

/** A reviver for YAML that was parsed with `intAsBigInt`. */
export function keepDigits(_key: unknown, value: unknown): unknown {
  return typeof value === "bigint" ? plainInteger(value) : value;
}

/**
 * JSON.parse, except that integers that a double cannot hold become strings of their digits. (From Node 22 on, a reviver
 * receives the source text; before that, the digits are quoted before a second parse.)
 */
export function parseKeepingDigits(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (!/\d{16}/.test(text)) return value;
  let out = "";
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22) {
      for (i++; text.charCodeAt(i) !== 0x22; i++) if (text.charCodeAt(i) === 0x5c) i++;
    } else if (c === 0x2d || (c >= 0x30 && c <= 0x39)) {
      number.lastIndex = i;
      const [digits] = number.exec(text) as RegExpExecArray;
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
