// A specialist of a game that a solver teaches: Kuhn and Leduc through a study's train split, with a LoRA on a real file of weights
// (a llama of one layer), so that what is trained on equilibrium's moves is then seated and plays.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { gameEntry } from "../../src/games/index.js";
import { runStudy } from "../../src/study/run.js";
import { parseStudy } from "../../src/study/spec.js";
import { ggufBytes, tinyLlama, withValue } from "../models/llama-make.js";

const root = mkdtempSync(join(tmpdir(), "hone-arena-learns-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const studyOf = (game: string, model: string, specialists: unknown[], data: object) =>
  parseStudy(
    {
      study: game,
      model,
      task: {
        name: game,
        kind: "arena",
        game,
        opponent: "caller",
        instruction: "Poker.",
        beliefs: false,
        answerBy: "text",
        scoring: "sum",
        data,
      },
      specialists,
      seeds: [1],
      handOver: 1,
    },
    "test",
  );

describe.each(["kuhn", "leduc"])("a LoRA taught by the equilibrium of %s", (game) => {
  it("is trained on the solver's moves and plays the test deals", async () => {
    expect(gameEntry(game).teacher).toBe("equilibrium");
    const path = join(root, `${game}.gguf`);
    writeFileSync(
      path,
      ggufBytes(withValue(tinyLlama(), "llama.context_length", { type: "u32", value: 2048 })),
    );
    const lora = { rank: 4, alpha: 8, epochs: 1, batch: 4, rowTokens: 2048, learningRate: 0.01 };
    const record = await runStudy(
      studyOf(
        game,
        `llama:file:${path}?format=plain&context=2048`,
        [{ lora }, { scripted: { player: "equilibrium" } }],
        { train: 8, dev: 2, test: 4 },
      ),
      { store: join(root, game) },
    );
    expect(record.stopped).toBeNull();
    expect(record.results.map(({ subject, n, unscored }) => [subject, n, unscored])).toEqual([
      ["zeroShot", 4, 0],
      ["lora(r=4)", 4, 0],
      ["scripted(equilibrium)", 4, 0],
    ]);
    // Moves are chosen among the legal ones: whoever learnt cannot break a rule.
    for (const { details } of record.results) expect(details.illegal).toBe(0);
  }, 240_000);
});

it("is no task for what learns one weight vector a label: legal moves differ by position", async () => {
  const spec = studyOf("kuhn", "mock:", ["linear"], { train: 8, dev: 2, test: 4 });
  await expect(runStudy(spec, { store: join(root, "linear") })).rejects.toThrow(
    /linear cannot be used here[\s\S]*do not share their labels/,
  );
});
