// `hone reproduce PAPER --smoke` as it is shipped: real data, a real model, every claim computed.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";

const bin = resolve(import.meta.dirname, "../../bin/hone.js");
const folder = mkdtempSync(join(tmpdir(), "hone-smoke-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Claim {
  claim: string;
  published: number | null;
  measured: number | null;
  low: number | null;
  high: number | null;
  p: number | null;
  pAdjusted: number | null;
  holds: boolean | null;
}

const smokes = [
  { paper: "bilateral", claims: 12, measured: 8, data: false },
  { paper: "deepseekmoe", claims: 18, measured: 11, data: true },
  { paper: "egosocialarena", claims: 22, measured: 15, data: true },
  { paper: "lawma", claims: 13, measured: 9, data: true },
  { paper: "medprompt", claims: 9, measured: 9, data: true },
  { paper: "self-specialization", claims: 9, measured: 6, data: true },
  { paper: "lexical", claims: 14, measured: 14, data: true },
];

describe("the smoke of a paper (those with data need HONE_TEST_DATA)", () => {
  it.each(smokes.filter(({ data }) => !data || process.env.HONE_TEST_DATA))(
    "measures and judges every claim of $paper",
    { timeout: 600_000 },
    async ({ paper, ...least }) => {
      const folderOfData = process.env.HONE_TEST_DATA;
      const data = least.data ? ["--data", folderOfData as string] : [];
      const args = [bin, "reproduce", paper, "--smoke", "--json", ...data];
      const options = { cwd: folder, maxBuffer: 1e8 };
      const { stdout } = await promisify(execFile)(process.execPath, args, options);
      const done = JSON.parse(stdout.trim().split("\n").at(-1) as string) as {
        claims: Claim[];
        paper: string;
      };
      expect(done).toMatchObject({ type: "done", paper });
      expect(done.claims.length).toBeGreaterThanOrEqual(least.claims);
      for (const { claim, holds, measured, low, high, p, pAdjusted } of done.claims) {
        expect(claim.length).toBeGreaterThan(10);
        expect(p === null).toBe(measured === null);
        if (p !== null) expect(pAdjusted).toBeGreaterThanOrEqual(p);
        if (holds) expect(pAdjusted).toBeLessThan(0.05);
        expect(holds === null).toBe(measured === null);
        if (measured !== null && low !== null && high !== null) {
          expect(low).toBeLessThanOrEqual(measured + 1e-9);
          expect(measured).toBeLessThanOrEqual(high + 1e-9);
        }
      }
      expect(done.claims.filter(({ measured }) => measured !== null).length).toBeGreaterThanOrEqual(
        least.measured,
      );
      // Again: everything is in the journal.
      const start = performance.now();
      const again = await promisify(execFile)(process.execPath, args, options);
      const last = JSON.parse(again.stdout.trim().split("\n").at(-1) as string) as { claims: Claim[] };
      expect(last.claims).toEqual(done.claims);
      expect(performance.now() - start).toBeLessThan(60_000);
    },
  );
});
