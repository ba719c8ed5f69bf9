// Capabilities: a model has the methods that it grants and no others, and one place says what is lacking.

import { describe, expect, it } from "vitest";
import { hasCapability, requireCapability } from "../../src/core/capabilities.js";
import { HoneError } from "../../src/core/errors.js";
import { generalist } from "../../src/models/generalist.js";
import { openModel } from "../../src/models/registry.js";
import { begin } from "../../src/study/kinds.js";

const capabilities = ["text", "logprobs", "embeddings"] as const;
const methods = { text: "generate", logprobs: "score", embeddings: "embed" } as const;
const sets = [
  ["text"],
  ["logprobs"],
  ["embeddings"],
  ["text", "logprobs"],
  ["text", "embeddings"],
  capabilities,
];
const context = { signal: new AbortController().signal };

describe("an endpoint's capabilities", () => {
  it.each(["mock", "openai"] as const)("are the methods that %s grants, and no others", async (scheme) => {
    for (const grants of sets) {
      const model = await openModel(`${scheme}:m?grants=${grants.join(",")}`, {
        env: { OPENAI_BASE_URL: "http://localhost:9/v1" },
      });
      for (const capability of capabilities) {
        const granted = (grants as readonly string[]).includes(capability);
        expect(methods[capability] in model, `${grants} ${capability}`).toBe(granted);
        expect(hasCapability(model, capability)).toBe(granted);
        if (granted) expect(requireCapability(model, capability)).toBe(model);
        else expect(() => requireCapability(model, capability)).toThrow(HoneError);
      }
      await model.close();
    }
  });

  it("say what is lacking, where, why and what to do", async () => {
    const model = await openModel("mock:tiny?grants=text");
    const lacking = () => requireCapability(model, "logprobs");
    expect(lacking).toThrow(/tiny gives no log-probabilities/);
    expect(lacking).toThrow(/where: mock:tiny\?/);
    expect(lacking).toThrow(/it grants text, not logprobs/);
    expect(lacking).toThrow(/`grants=`.* `scoring: parse`/);
    expect(() => requireCapability(model, "embeddings", "encoder: mock:tiny")).toThrow(
      /where: encoder: mock:tiny\n.*\n.*encoder:minilm/,
    );
  });

  it("are asked for when an answer is read from probabilities", async () => {
    const model = requireCapability(await openModel("mock:?grants=text"), "text");
    const query = {
      instruction: "Is it warm?",
      input: "The sun shines.",
      options: [
        { key: "A", text: "yes" },
        { key: "B", text: "no" },
      ],
      demonstrations: [],
    };
    const asked = generalist(model).respond({ ...query, scoring: "sum" }, context);
    await expect(asked).rejects.toThrow(HoneError);
    const parsed = await generalist(model).respond({ ...query, scoring: "parse" }, context);
    expect(parsed.choice ?? parsed.unscored).toBeDefined();
  });

  it("say of which kind a model is", async () => {
    expect(begin(await openModel("mock:")).kind).toBe("language");
    expect(begin(await openModel("mock:?grants=embeddings")).kind).toBe("encoder");
    const scorer = await openModel("mock:?grants=logprobs");
    expect(() => begin(scorer)).toThrow(/does not write\n.*\n.*it grants logprobs, not text/);
  });
});
