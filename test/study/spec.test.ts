import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HoneError } from "../../src/core/errors.js";
import { readStudy, studyJsonSchema } from "../../src/study/spec.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hone-spec-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const good = `study: a
model: "mock:"
task:
  name: t
  data:
    source: file:x.jsonl
    input: text
    label: label
    options: [a, b]
specialists: [majority]
`;

async function failureOf(content: string | Buffer): Promise<HoneError> {
  const path = join(folder, "s.study.yaml");
  writeFileSync(path, content);
  const error = await readStudy(path).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(HoneError);
  return error as HoneError;
}

describe("study files", () => {
  it("fills defaults", async () => {
    const path = join(folder, "good.study.yaml");
    writeFileSync(path, good);
    const spec = await readStudy(path);
    expect(spec.task.kind).toBe("choice");
    expect(spec.seeds).toEqual([1]);
    expect(spec.elsewhere).toEqual([]);
  });

  it.each<[string, string | Buffer, RegExp]>([
    ["an empty file", "", /field \(top level\)/],
    ["a list", "- a\n- b\n", /top level/],
    ["broken YAML", "study: [a\nmodel: b\n", /s\.study\.yaml:\d+:\d+/],
    ["a tab as indentation", "study: a\ntask:\n\tname: t\n", /s\.study\.yaml:3/],
    ["a missing model", good.replace(/model:.*\n/, ""), /field model/],
    ["a wrong name", good.replace("study: a", "study: ../../etc"), /yaml:1, field study/],
    ["an unknown field", `${good}colour: red\n`, /top level/],
    ["an unknown task field", good.replace("  name: t", "  name: t\n  scorin: sum"), /field task/],
    [
      "an unknown scoring",
      good.replace("  name: t", "  name: t\n  scoring: guess"),
      /yaml:5, field task\.scoring/,
    ],
    ["an unknown kind", good.replace("  name: t", "  name: t\n  kind: sorting"), /field task\.kind/],
    ["no data", good.replace(/ {2}data:[\s\S]*?specialists/, "specialists"), /field task\.data/],
    ["no specialists", good.replace("[majority]", "[]"), /yaml:10, field specialists/],
    ["seeds that are words", `${good}seeds: [one]\n`, /yaml:11, field seeds\.0/],
    ["a gate of words", `${good}gate: { atLeast: most }\n`, /field gate\.atLeast/],
    ["one option", good.replace("[a, b]", "[a]"), /field task\.data\.options/],
    ["invalid UTF-8", Buffer.from([0x73, 0x74, 0xff, 0xfe, 0x00]), /s\.study\.yaml/],
    [
      "an alias bomb",
      `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\nstudy: [*d,*d,*d,*d]\n`,
      /s\.study\.yaml/,
    ],
    [
      "two tasks of one name",
      `${good}elsewhere:\n  - name: t\n    data: { source: file:y.jsonl, input: text, label: label, options: [a, b] }\n`,
      /yaml:12, field elsewhere\.0\.name/,
    ],
    ["a duplicate key", `${good}study: b\n`, /s\.study\.yaml:11/],
  ])("names the place of %s", async (_what, content, where) => {
    const { failure, exitCode } = await failureOf(content);
    expect(failure.where).toMatch(where);
    expect(failure.why).toBeTruthy();
    expect(failure.next).toBeTruthy();
    expect(exitCode).toBe(2);
  });

  it("says so when there is no such file, or it is a folder", async () => {
    await expect(readStudy(join(folder, "none.yaml"))).rejects.toThrow(/no such file/);
    await expect(readStudy(folder)).rejects.toThrow(/folder/);
  });

  it("has a JSON schema that knows every field", () => {
    const schema = studyJsonSchema() as { properties: Record<string, unknown> };
    expect(Object.keys(schema.properties).sort()).toEqual(
      [
        "description",
        "elsewhere",
        "encoder",
        "gate",
        "handOver",
        "model",
        "seeds",
        "specialists",
        "study",
        "task",
        "use",
      ].sort(),
    );
  });
});
