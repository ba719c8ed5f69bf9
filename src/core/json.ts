// Canonical JSON and fingerprints: equal values give equal text, so a hash of it can name a call or a plan.

import { createHash } from "node:crypto";

/** A JSON value, immutable. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/** JSON with object keys sorted and `undefined` members left out, so that equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (inner === null || typeof inner !== "object" || Array.isArray(inner)) return inner;
    const record = inner as Record<string, unknown>;
    return Object.fromEntries(
      Object.keys(record)
        .sort()
        .map((key) => [key, record[key]]),
    );
  });
}

/** First `length` hex digits of the SHA-256 of a value's canonical JSON. 24 digits (96 bits) by default. */
export function fingerprint(value: unknown, length = 24): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex").slice(0, length);
}
