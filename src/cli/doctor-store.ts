// hone doctor --store: checks a store's journal and files, and rebuilds the journal from what can be read.

import { existsSync, readdirSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { HoneError, messageOf } from "../core/errors.js";
import { plainText } from "../report/escape.js";
import { findArtifact } from "../store/artifacts.js";
import { askSqlite, type Examination, examine, repair } from "../store/examine.js";
import { version } from "../version.js";
import type { Output } from "./output.js";

export async function examineStore(store: string, mend: boolean, output: Output): Promise<void> {
  const path = join(resolve(store), "journal.db");
  if (!existsSync(path)) {
    throw new HoneError({
      what: "There is no journal here",
      where: path,
      next: "Name the store's folder with --store, or a copy of it.",
      kind: "usage",
    });
  }
  const found = examine(path);
  // Opening a file with a damaged log would discard the log.
  const sqlite = found.damage.some((text) => text.includes("log"))
    ? { ok: true, text: "not asked" }
    : await askSqlite(path);
  const healthy = found.damaged === 0 && sqlite.ok;
  const files = damagedArtifacts(join(resolve(store), "artifacts"));
  const say = (text: string) => output.json || output.say(plainText(text));
  const near = relative(process.cwd(), path) || path;

  say(`${healthy ? "ok  " : "FAIL"}  ${near}: ${counted(found)}`);
  for (const text of found.damage) say(`      damaged: ${text}`);
  if (found.damaged > found.damage.length) say(`      damaged: … ${found.damaged} in all`);
  if (!sqlite.ok) say(`      SQLite:  ${sqlite.text.slice(0, 300)}`);
  for (const text of files) say(`FAIL  ${text}; the next run that needs it recreates it`);

  let repaired: { kept: string; saved: number } | undefined;
  if (!healthy && mend) {
    const { kept, saved } = repair(path);
    repaired = { kept, saved };
    say(
      `\nSaved ${saved} records in a new ${near}. The damaged one is kept as ${relative(process.cwd(), kept)}.`,
    );
    say("Run your studies again: what was lost is asked again, everything else is taken from the journal.");
  } else if (!healthy) {
    say(`\nSave what can be read in a new journal, and keep this one beside it:`);
    say(`  hone doctor --store ${store} --repair`);
  }
  output.record({
    type: "done",
    hone: version,
    healthy: healthy || repaired !== undefined,
    journal: { ...found, sqlite },
    files,
    ...(repaired ? { repaired } : {}),
  });
  if (!healthy && !repaired) process.exitCode = 1;
}

function counted({ readable }: Examination): string {
  const parts = Object.entries(readable).filter(([name, count]) => count > 0 && name !== "locks");
  return parts.map(([name, count]) => `${count.toLocaleString("en")} ${name}`).join(", ") || "no records";
}

/** Artifacts whose files differ from those that were stored. */
function damagedArtifacts(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^[0-9a-f]{64}$/.test(name))
    .flatMap((id) => {
      try {
        findArtifact(folder, id);
        return [];
      } catch (error) {
        if (!(error instanceof HoneError)) throw error;
        return [`${error.failure.where}: ${error.failure.why ?? messageOf(error)}`];
      }
    });
}
