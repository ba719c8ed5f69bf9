// hone models list | show | pull

import { listModels, pullModel, showModel } from "../models/registry.js";
import { formatCount } from "../report/format.js";
import { makeOutput } from "./output.js";
import { table } from "./table.js";

interface Flags {
  json?: boolean;
}

export async function listCommand(flags: Flags): Promise<void> {
  const output = makeOutput(flags);
  const models = await listModels();
  output.record({ type: "done", models });
  if (flags.json) return;
  const rows = models.map(({ ref, grants, sizeMB, here, summary }) => [
    ref,
    grants.join(", "),
    sizeMB === null ? "–" : `${formatCount(sizeMB)} MB`,
    here ? "here" : "–",
    summary,
  ]);
  output.say(table(["model", "grants", "size", "cached", "what it is"], rows, [2]));
}

export async function showCommand(name: string, flags: Flags): Promise<void> {
  const output = makeOutput(flags);
  const model = await showModel(name);
  output.record({ type: "done", model });
  if (flags.json) return;
  const rows = Object.entries(model).map(([key, value]) => [
    key,
    Array.isArray(value)
      ? value.join("\n")
      : typeof value === "object"
        ? JSON.stringify(value)
        : String(value),
  ]);
  output.prose(rows.map(([key, value]) => `${`${key}:`.padEnd(12)} ${value}`).join("\n"));
}

export async function pullCommand(name: string, flags: Flags): Promise<void> {
  const output = makeOutput(flags);
  const { paths } = await pullModel(name, {
    progress: (done, total, note) => {
      if (process.stderr.isTTY) {
        const share = total > 0 ? `${Math.floor((100 * done) / total)}%` : `${formatCount(done / 1e6)} MB`;
        process.stderr.write(`\r\x1b[2K${note} ${share}`);
      }
    },
  });
  output.record({ type: "done", model: name, paths });
  if (!flags.json) output.say(paths.join("\n"));
}
