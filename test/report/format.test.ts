import { expect, test } from "vitest";
import {
  formatCost,
  formatCount,
  formatDate,
  formatDelta,
  formatDeltaInterval,
  formatDuration,
  formatInterval,
  formatP,
  formatScore,
  plural,
} from "../../src/report/format.js";

test("scores carry a decimal only where n does", () => {
  expect(formatScore(0.6267, 150)).toBe("62.7%");
  expect(formatScore(0.6267, 99)).toBe("63%");
  expect(formatScore(1.23456, 20, "number")).toBe("1.235");
  expect(formatScore(Number.NaN)).toBe("–");
  expect(formatInterval(0.547, 0.7, 150)).toBe("54.7–70.0");
});

test("differences show their sign, and zero has none", () => {
  expect(formatDelta(0.053, 150)).toBe("+5.3");
  expect(formatDelta(-0.053, 150)).toBe("−5.3");
  expect(formatDelta(-0.0001, 150)).toBe("0.0");
  expect(formatDelta(0.0001, 50)).toBe("0");
  expect(formatDeltaInterval(-0.029, 0.136, 150)).toBe("−2.9 to +13.6");
});

test("p-values say no more than they can", () => {
  expect([0, 0.0009, 0.001, 0.0341, 0.2, 0.995, 1].map(formatP)).toEqual([
    "< 0.001",
    "< 0.001",
    "0.001",
    "0.034",
    "0.20",
    "> 0.99",
    "1",
  ]);
});

test("money, time and counts", () => {
  expect([0, 1e-9, 0.000012, 0.0123, 0.5, 1.5, 1234.5].map(formatCost)).toEqual([
    "$0",
    "< $0.000001",
    "$0.000012",
    "$0.012",
    "$0.50",
    "$1.50",
    "$1,235",
  ]);
  expect([0, 0.01, Math.PI, 850.2, 3100, 252_000, 7_500_000].map(formatDuration)).toEqual([
    "0 ms",
    "0.01 ms",
    "3.1 ms",
    "850 ms",
    "3.1 s",
    "4 min 12 s",
    "2 h 5 min",
  ]);
  // No value may round up into a unit that is already full.
  expect([0.9949, 0.9951, 9.96, 999.4, 999.6, 59_960, 3_599_600].map(formatDuration)).toEqual([
    "0.99 ms",
    "1.0 ms",
    "10 ms",
    "999 ms",
    "1.0 s",
    "1 min 0 s",
    "1 h 0 min",
  ]);
  expect([0, 0.5, 812, 9412, 12_400, 999_600, 3_100_000].map(formatCount)).toEqual([
    "0",
    "0.5",
    "812",
    "9,412",
    "12.4k",
    "1.0M",
    "3.1M",
  ]);
  expect([plural(1, "sample"), plural(2, "sample"), plural(2, "copy", "copies")]).toEqual([
    "1 sample",
    "2 samples",
    "2 copies",
  ]);
  expect(formatDate("2026-11-23T14:05:00.000Z")).toBe("23 Nov 2026, 14:05 UTC");
  expect(formatDate("yesterday")).toBe("yesterday");
});
