// The survey's map against the table of specializers: no leaf is silently empty, and each is printed once.

import { expect, test } from "vitest";
import { specializers } from "../../src/specializers/index.js";
import { families, type Leaf, leaves, mapTree } from "../../src/specializers/map.js";

const held = new Set<Leaf | null>(Object.values(specializers).map((entry) => entry.leaf));

test("every leaf has a specializer, or says why not and names a leaf that has one", () => {
  for (const [name, leaf] of Object.entries(leaves)) {
    const absent = "absent" in leaf ? leaf.absent : undefined;
    expect(held.has(name as Leaf) && absent !== undefined, `${name} is held and absent`).toBe(false);
    const stands = absent ? absent.nearest : (name as Leaf);
    expect(held.has(stands), `${name}: nothing on ${stands}`).toBe(true);
  }
});

test("the tree prints every family, every leaf once, and every placed specializer at its leaf", () => {
  const lines = mapTree(specializers);
  for (const family of Object.keys(families))
    expect(lines.some((line) => line.startsWith(family))).toBe(true);
  for (const leaf of Object.keys(leaves)) {
    expect(lines.filter((line) => line.startsWith(`    ${leaf} [`))).toHaveLength(1);
  }
  for (const [name, { leaf }] of Object.entries(specializers)) {
    if (leaf === null) continue;
    const line = lines.find((text) => text.startsWith(`    ${leaf} [`));
    expect(line?.split("]: ")[1]?.split(", ")).toContain(name);
  }
});
