// Checksums of JSON texts: every changed character is noticed, and texts without one are read as they are.

import { describe, expect, it } from "vitest";
import { DamagedRecord } from "../../src/store/damage.js";
import { fromText, toText, withChecksum, withoutChecksum } from "../../src/store/records.js";

describe("records", () => {
  const value = { text: "B", list: [1, 2.5, null], nested: { crc: "not this one" }, "\ud800": "é" };

  it("come back, with and without a checksum", () => {
    expect(fromText(toText(value), "it", "file")).toEqual(value);
    expect(fromText(JSON.stringify(value), "it", "file")).toEqual(value);
    for (const json of ["{}", "[]", "null", '"}"', '{"a":1}', ""]) {
      expect(withoutChecksum(withChecksum(json))).toBe(json);
    }
  });

  it("are damaged by every flipped bit, also of the checksum itself", () => {
    const bytes = Buffer.from(toText({ text: "B", n: 1.25 }));
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 1; bit < 256; bit *= 2) {
        const copy = Buffer.from(bytes);
        copy[at] = (copy[at] as number) ^ bit;
        expect(() => fromText(copy.toString("latin1"), "it", "file"), copy.toString("latin1")).toThrow(
          DamagedRecord,
        );
      }
    }
  });
});
