// A model that does not fit into memory, the machine's or a container's, is refused before its weights are read.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import os, { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { freeMemory, usableMemory } from "../../src/core/memory.js";
import { taskContext } from "../../src/core/task.js";
import { choice, generalist, lora } from "../../src/index.js";
import { openLlama } from "../../src/models/llama.js";
import { openArtifacts } from "../../src/store/artifacts.js";
import { ggufBytes, tinyLlama } from "../models/llama-make.js";

const memory = { free: 1e6 };
beforeAll(() => {
  vi.spyOn(os, "freemem").mockImplementation(() => memory.free);
  syncBuiltinESMExports();
});
afterAll(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

it.each([
  ["no limit, as Node tells it in one way", 0, os.totalmem(), 1e12],
  ["and in the other", 2 ** 64, os.totalmem(), 1e12],
  ["a limit below the machine", 1e6, 1e6, 0],
])("knows %s", (_, limit, there, free) => {
  const limited = vi.spyOn(process, "constrainedMemory").mockReturnValue(limit);
  memory.free = 1e12;
  expect([usableMemory(), freeMemory()]).toEqual([there, free]);
  limited.mockRestore();
  memory.free = 1e6;
});

it("refuses with the estimate, and trains where there is room", async () => {
  const folder = mkdtempSync(join(tmpdir(), "hone-memory-"));
  const path = join(folder, "tiny.gguf");
  writeFileSync(path, ggufBytes(tinyLlama()));
  const model = await openLlama(path, { format: "plain", context: 256, lanes: 1, threads: 1 });
  const notes: string[] = [];
  const given = {
    task: choice("letters", {}, [
      { key: "x", text: "ab" },
      { key: "y", text: "cd" },
    ]),
    train: [
      { id: "1", input: "ab", gold: "x" },
      { id: "2", input: "cd", gold: "y" },
    ],
    dev: [],
    seed: 1,
    encoder: () => Promise.reject(new Error("none")),
    artifacts: openArtifacts(join(folder, "artifacts")),
    base: process.cwd(),
    context: taskContext(new AbortController().signal),
    progress: (_done: number, _total: number, note = "") => void notes.push(note),
  };
  try {
    const trained = () => lora({ rank: 2, epochs: 1, rowTokens: 64 }).fit(generalist(model), given);
    await expect(trained()).rejects.toThrow(/too large to train[\s\S]*takes about [\d.]+ GiB[\s\S]*next:/);
    expect(notes).toEqual([]);
    memory.free = 8e9;
    const limited = vi.spyOn(process, "constrainedMemory").mockReturnValue(process.memoryUsage.rss());
    await expect(trained()).rejects.toThrow(/too large to train/);
    limited.mockRestore();
    await trained();
    expect(notes[0]).toBe("loading the weights");
  } finally {
    await model.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
