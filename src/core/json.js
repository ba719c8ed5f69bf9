// Canonical JSON and fingerprints: equal values give equal text, so a hash of it can name a call or a plan.
import { createHash } from "node:crypto";
/** JSON with object keys sorted and `undefined` members left out, so that equal values give equal text. */
export function canonicalJson(value) {
  return JSON.stringify(value, (_key, inner) => {
    if (inner === null || typeof inner !== "object" || Array.isArray(inner)) return inner;
    const record = inner;
    return Object.fromEntries(
      Object.keys(record)
        .sort()
        .map((key) => [key, record[key]]),
    );
  });
}
/** First `length` hex digits of the SHA-256 of a value's canonical JSON. 24 digits (96 bits) by default. */
export function fingerprint(value, length = 24) {
  return createHash("sha256").update(canonicalJson(value)).digest("hex").slice(0, length);
}
