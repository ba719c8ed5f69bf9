// Builds dist/ once before the suite: the command line is tested as it is shipped.

import { execFileSync } from "node:child_process";
import { resolve } from "node:path";

export default function setup(): void {
  // Commands that tests start print whole lines, whatever terminal the tests run in.
  delete process.env.COLUMNS;
  const root = resolve(import.meta.dirname, "..");
  execFileSync(
    process.execPath,
    [resolve(root, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.build.json"],
    {
      cwd: root,
      stdio: "inherit",
    },
  );
}
