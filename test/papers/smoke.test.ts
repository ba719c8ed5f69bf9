// `hone reproduce lawma --smoke` as it is shipped: real cases, a real model, real training, every claim computed.

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
  holds: boolean | null;
}

describe.skipIf(!process.env.HONE_TEST_DATA)("the smoke of Lawma (needs HONE_TEST_DATA)", () => {
  it("trains, measures and judges every claim", { timeout: 600_000 }, async () => {
    const args = [bin, "reproduce", "lawma", "--smoke", "--json"];
    const options = { cwd: folder, maxBuffer: 1e8 };
    const { stdout } = await promisify(execFile)(process.execPath, args, options);
    const done = JSON.parse(stdout.trim().split("\n").at(-1) as string) as { claims: Claim[]; paper: string };
    expect(done).toMatchObject({ type: "done", paper: "lawma" });
    expect(done.claims.length).toBeGreaterThan(10);
    for (const { claim, holds, measured, low, high } of done.claims) {
      expect(claim.length).toBeGreaterThan(10);
      expect(holds === null).toBe(measured === null);
      if (measured !== null && low !== null && high !== null) {
        expect(low).toBeLessThanOrEqual(measured + 1e-9);
        expect(measured).toBeLessThanOrEqual(high + 1e-9);
      }
    }
    expect(done.claims.filter(({ measured }) => measured !== null).length).toBeGreaterThan(8);
    // Again: everything is in the journal.
    const start = performance.now();
    const again = await promisify(execFile)(process.execPath, args, options);
    const last = JSON.parse(again.stdout.trim().split("\n").at(-1) as string) as { claims: Claim[] };
    expect(last.claims).toEqual(done.claims);
    expect(performance.now() - start).toBeLessThan(60_000);
  });
});
