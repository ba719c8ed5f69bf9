// What the documents say is what the program does: every study in them parses, and every shipped example begins with
// the command that runs it.

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { fields } from "../src/models/openai-options.js";
import { makeSpecializer, specializers } from "../src/specializers/index.js";
import { mapTree } from "../src/specializers/map.js";
import { parseStudy, readStudy, studyJsonSchema } from "../src/study/spec.js";

const root = resolve(import.meta.dirname, "..");

describe("documents", () => {
  it("shows only study files that make sense", () => {
    let seen = 0;
    for (const name of ["README.md", ...readdirSync(join(root, "docs")).map((file) => `docs/${file}`)]) {
      if (!name.endsWith(".md")) continue;
      for (const [, block] of readFileSync(join(root, name), "utf8").matchAll(/```yaml\n([\s\S]*?)```/g)) {
        const spec = parseStudy(parse(block as string), name);
        spec.specialists.forEach((specialist, i) => {
          expect(makeSpecializer(specialist, `${name} specialists.${i}`).label).toBeTruthy();
        });
        seen++;
      }
    }
    expect(seen).toBeGreaterThan(0);
  });

  it("names every option of an endpoint", () => {
    const page = readFileSync(join(root, "docs/study.md"), "utf8");
    const section = page.slice(page.indexOf("### An endpoint"), page.indexOf("### Local models"));
    // The key's option is in the table of references.
    const named = Object.keys(fields).filter((name) => name !== "key");
    expect(named.filter((name) => !section.includes(`${name}=`) && !section.includes(`\`${name}\``))).toEqual(
      [],
    );
  });

  it("shows only specialists that exist", () => {
    let seen = 0;
    for (const file of readdirSync(join(root, "docs"))) {
      if (!file.endsWith(".md")) continue;
      for (const [, block] of readFileSync(join(root, "docs", file), "utf8").matchAll(
        /```\n(specialists:\n[\s\S]*?)```/g,
      )) {
        for (const specialist of (parse(block as string) as { specialists: unknown[] }).specialists) {
          expect(makeSpecializer(specialist as never, file).label).toBeTruthy();
          seen++;
        }
      }
    }
    expect(seen).toBeGreaterThan(0);
  });

  it("prints the survey's map as it stands", () => {
    const page = readFileSync(join(root, "docs/advise.md"), "utf8");
    expect(page).toContain(`\`\`\`\n${mapTree(specializers).join("\n")}\n\`\`\``);
  });

  it("ships the schema that the program checks with", () => {
    const shipped = JSON.parse(readFileSync(join(root, "schema/study.schema.json"), "utf8"));
    expect(shipped, "run `npx hone init --schema > schema/study.schema.json`").toEqual(studyJsonSchema());
  });
});

describe("examples", () => {
  const examples = readdirSync(join(root, "examples"));
  const studies = examples.filter((name) => name.endsWith(".study.yaml"));

  it("are all known to a test", () => {
    // A new example comes with a test that runs it; this counts them.
    expect(studies.sort()).toEqual([
      "blackjack.study.yaml",
      "licences.study.yaml",
      "pubmedqa.study.yaml",
      "reach.study.yaml",
      "scotus.study.yaml",
    ]);
    expect(examples.filter((name) => !name.endsWith(".study.yaml")).sort()).toEqual(["extend", "library.ts"]);
  });

  it.each(studies)("%s begins with the command that runs it, and parses", async (name) => {
    const path = join(root, "examples", name);
    expect(readFileSync(path, "utf8").split("\n")[0]).toMatch(new RegExp(`^# npx hone run examples/${name}`));
    const spec = await readStudy(path);
    spec.specialists.forEach((specialist, i) => {
      expect(makeSpecializer(specialist, `specialists.${i}`).label).toBeTruthy();
    });
  });
});
