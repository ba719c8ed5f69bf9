// node .ci/sum.js CODE FILE …: the tests of several Vitest runs, each given by its exit code and its JSON results, as one
// last line `N passed, N failed`. A run without readable results, or that failed without a failed test, is one failure more;
// the exit code is 1 where anything failed.

import { readFileSync } from "node:fs";

let passed = 0;
let failed = 0;
let skipped = 0;
const given = process.argv.slice(2);
for (let i = 0; i < given.length; i += 2) {
  const [code, path] = [given[i], given[i + 1]];
  try {
    const result = JSON.parse(readFileSync(path, "utf8"));
    passed += result.numPassedTests;
    skipped += result.numPendingTests;
    failed += result.numFailedTests > 0 || code === "0" ? result.numFailedTests : 1;
  } catch (error) {
    console.error(`no results: ${error.message}`);
    failed++;
  }
}
if (skipped > 0) console.log(`${skipped} skipped`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
