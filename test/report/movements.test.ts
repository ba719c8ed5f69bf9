import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Movement } from "../../src/core/motor.js";
import type { Outcome } from "../../src/core/outcome.js";
import type { SubjectCard } from "../../src/core/record.js";
import { arm26 } from "../../src/motor/plant/arm.js";
import { pointMass } from "../../src/motor/plant/point-mass.js";
import { gather, type Source } from "../../src/report/gather.js";
import { renderSummary, writeReport } from "../../src/report/index.js";
import type { PackedMovements } from "../../src/report/movement-player.js";
import { bodyLooks, lesionedSubjects, lookOf, speedsOf } from "../../src/report/movements.js";
import { fixture } from "./fixture.js";
import { cast, motorFixture } from "./motor-fixture.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hone-movements-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function written(name: string, study: Source): Promise<{ page: string; markdown: string }> {
  const { html, markdown } = await writeReport({ ...study, folder: join(folder, name) });
  return { page: await readFile(html, "utf8"), markdown: await readFile(markdown, "utf8") };
}

const sectionOf = (page: string): string =>
  /<section><h2>Movements<\/h2>.*?<\/section>/s.exec(page)?.[0] ?? "";
const payloadOf = (page: string): PackedMovements =>
  JSON.parse(/id="movements-data">(.*?)<\/script>/s.exec(page)?.[1] ?? "") as PackedMovements;
const figuresOf = (markup: string): string[] =>
  markup.match(/<figure class="movement">.*?<\/figure>/gs) ?? [];

describe("the section", () => {
  test("has a panel a subject, the champion and the generalist first, the same trials in all", async () => {
    const study = motorFixture();
    const section = sectionOf((await written("plain", study)).page);
    const figures = figuresOf(section);
    const panels = figures.filter((figure) => figure.includes("hand speed of"));
    expect(panels).toHaveLength(2 * cast.length);
    const names = panels.slice(0, cast.length).map((panel) => /<bdi>(.*?)<\/bdi>/.exec(panel)?.[1]);
    expect(names.slice(0, 3)).toEqual([
      "bilateral",
      "untrained controller of arm26",
      "bilateral + lesion(leftInput)",
    ]);
    expect(new Set(names).size).toBe(cast.length);
    for (const half of [panels.slice(0, cast.length), panels.slice(cast.length)]) {
      const targets = half.map((panel) => panel.match(/<circle class="target"[^>]*>/g) ?? []);
      const frames = half.map((panel) => /viewBox="([^"]*)"/.exec(panel)?.[1]);
      expect(targets[0]).toHaveLength(6);
      for (const own of targets) expect(own).toEqual(targets[0]);
      expect(new Set(frames).size).toBe(1);
      // Six paths from above and six speeds.
      for (const panel of half) expect(panel.match(/<path class="hand /g)).toHaveLength(12);
    }
  });

  test("draws paths where the hand was, to the millimetre, y upwards", async () => {
    const study = motorFixture();
    const { page } = await written("places", study);
    const { grade } = study.all.find(
      ({ subject, sample }) => subject === "id-3" && sample === "test-2",
    ) as Outcome;
    const step = grade.trail?.[0];
    if (step?.kind !== "movement") throw new Error("the fixture keeps movements");
    const mm = (value: number): number => Math.round(1000 * value) || 0;
    const places = step.movement.hand.map(([x, y]) => [mm(x), mm(-y)]);
    const line = places.map((place) => place.join(" ")).filter((place, i, all) => place !== all[i - 1]);
    expect(sectionOf(page)).toContain(`d="M${line.join("L")}"`);
    const packed = payloadOf(page).tasks[0]?.motions[0]?.[2];
    expect(packed?.hand).toEqual(places.flat());
    const [elbowX, elbowY] = packed?.elbow?.slice(0, 2) ?? [];
    expect(Math.abs(Math.hypot(elbowX as number, elbowY as number) - 309)).toBeLessThan(2);
    const last = packed?.elbow?.slice(-2) ?? [];
    const hand = places.at(-1) as number[];
    const forearm = Math.hypot(
      (hand[0] as number) - (last[0] as number),
      (hand[1] as number) - (last[1] as number),
    );
    expect(Math.abs(forearm - 333)).toBeLessThan(2);
  });

  test("lays a lesion over the intact subject, in the same trials", async () => {
    const { page, markdown } = await written("lesion", motorFixture());
    const pairs = figuresOf(sectionOf(page)).filter((figure) => figure.includes("intact,"));
    expect(pairs).toHaveLength(2);
    for (const pair of pairs) {
      expect(pair.match(/class="hand cut"/g)).toHaveLength(4);
      expect(pair.match(/class="hand intact"/g)).toHaveLength(4);
      const starts = [...pair.matchAll(/class="hand (?:cut|intact)" d="(M-?\d+ -?\d+)/g)].map(
        ([, start]) => start,
      );
      expect(starts.slice(0, 4)).toEqual(starts.slice(4));
    }
    expect(payloadOf(page).tasks[0]?.lesioned).toEqual([[2, 0]]);
    expect(markdown).toMatch(/\| bilateral \+ lesion\(leftInput\) \| bilateral \| 0\.\d{3} \|/);
  });

  test("shows six named muscles of the champion's first trial", async () => {
    const section = sectionOf((await written("muscles", motorFixture())).page);
    expect(section.match(/<table class="muscles">/g)).toHaveLength(2);
    for (const muscle of bodyLooks.arm26?.muscles ?? [])
      expect(section).toContain(`<th scope="row">${muscle}</th>`);
    expect(section.match(/<path class="level"/g)).toHaveLength(12);
    expect(section).toContain("<b><bdi>bilateral</bdi></b>, trial <bdi>test-0</bdi>");
  });

  test("has no figure that is not a number, and stays small", async () => {
    const { page } = await written("numbers", motorFixture());
    expect(sectionOf(page)).not.toMatch(/NaN|Infinity|undefined|null|\[object/);
    expect(JSON.stringify(payloadOf(page))).not.toMatch(/null|\.\d{4}/);
    expect(sectionOf(page).length + JSON.stringify(payloadOf(page)).length).toBeLessThan(400_000);
  });

  test("is absent where nothing moved", async () => {
    const { page, markdown } = await written("language", fixture());
    expect(page).not.toMatch(/<h2>Movements|movements-data|requestAnimationFrame|id="movement-/);
    expect(markdown).not.toContain("## Movements");
    expect(gather(fixture(), 10).movements).toEqual([]);
  });

  test("keeps hostile names and ids as text, and its data inside its element", async () => {
    const hostile = `</script><img src=x onerror=alert(1)>"'`;
    const { page, markdown } = await written("hostile", motorFixture({ hostile }));
    expect(page.match(/<script/g)).toHaveLength(3);
    expect(page).not.toContain("<img");
    expect(payloadOf(page).tasks[0]?.trials[0]).toBe(`test-0${hostile}`);
    expect(markdown).not.toMatch(/<img|<\/script/);
    const tags = page.slice(page.indexOf("<body>"), page.indexOf("<script")).replace(/"[^"]*"/g, '""');
    expect(tags).not.toMatch(/<[a-z][^>]*\s(style|on[a-z]+|href|src)=/);
  });
});

describe("what is picked", () => {
  test("the bodies look as the plants are", () => {
    const arm = arm26();
    expect(bodyLooks.arm26?.muscles).toEqual(arm.muscles);
    expect(bodyLooks.pointMass?.muscles).toEqual(pointMass().muscles);
    const [l1, l2] = bodyLooks.arm26?.links ?? [0, 0];
    expect(arm.place([0, 0])[0]).toBeCloseTo(l1 + l2, 9);
    expect(arm.place([0, Math.PI])[0]).toBeCloseTo(l1 - l2, 9);
    const { record } = motorFixture({ model: "arm26 slack=1.4" });
    expect(lookOf(record, 6)).toBe(bodyLooks.arm26);
    expect(lookOf(record, 2)).toEqual({ muscles: ["muscle 1", "muscle 2"] });
    expect(lookOf({ ...record, model: "constructor" }, 1)).toEqual({ muscles: ["muscle 1"] });
  });

  test("a lesion finds the subject that is made the same way without it, or none", () => {
    const card = (role: SubjectCard["role"], ...chain: SubjectCard["chain"]): SubjectCard => ({
      ...{ name: "", role, ids: [], seeds: [] },
      chain,
    });
    const made = (callosum: string) => ({ name: "bilateral", options: { callosum } });
    const lesion = { name: "lesion", options: { cut: ["callosum"] } };
    const subjects = [
      card("generalist", { name: "generalist", options: {} }),
      card("specialist", made("learned")),
      card("specialist", { name: "chain", options: [made("learned"), lesion] }),
      card("specialist", { name: "chain", options: [made("none"), lesion] }),
      card("specialist", lesion),
      card("specialist", made("learned"), lesion),
    ];
    expect(lesionedSubjects(subjects)).toEqual([
      { cut: 2, intact: 1 },
      { cut: 4, intact: 0 },
      { cut: 5, intact: 1 },
    ]);
  });

  test("of several seeds the first is drawn, whatever the order", () => {
    const study = motorFixture();
    const other = study.all.map((outcome, i) => ({ ...outcome, seed: i % 2 === 0 ? 0 : 7 }));
    const both = [...study.all, ...other];
    const subjects = study.record.subjects.map((card) => {
      const [id = ""] = card.ids;
      return { ...card, ids: [id, id, id], seeds: [1, 0, 7] };
    });
    const record = { ...study.record, subjects };
    const seeds = (all: Outcome[]) =>
      gather({ ...study, record, outcomes: () => all }, 1).movements.map(({ motions }) =>
        motions.flat().map((motion) => motion?.seed),
      );
    expect(seeds(both)).toEqual(seeds(both.toReversed()));
    expect(new Set(seeds(both).flat())).toEqual(new Set([0, 1]));
  });

  test("long movements are resampled evenly and end where they end; broken ones are left out", () => {
    const study = motorFixture({ length: 900 });
    const [first] = gather(study, 1).movements;
    const motion = first?.motions[0]?.[0];
    const outcome = study.all.find(
      ({ subject, sample }) => subject === "id-3" && sample === "test-0",
    ) as Outcome;
    const step = outcome.grade.trail?.[0];
    if (step?.kind !== "movement" || !motion) throw new Error("the fixture keeps movements");
    expect(motion.movement.hand).toHaveLength(251);
    expect(motion.movement.dt * 250).toBeCloseTo(9, 9);
    expect(motion.movement.hand.at(-1)?.[0]).toBeCloseTo(step.movement.hand.at(-1)?.[0] as number, 9);
    expect(Math.max(...speedsOf(motion.movement))).toBeCloseTo(Math.max(...speedsOf(step.movement)), 1);

    const { hand, joints } = step.movement;
    const broken: unknown[] = [
      { ...step.movement, dt: 0 },
      { ...step.movement, hand: hand.slice(1) },
      { ...step.movement, joints: joints.map(([q]) => [q]) },
      { ...step.movement, hand: hand.map(([x], i) => [x, i === 3 ? null : 0.1]) },
      { ...step.movement, activation: "none" },
      { hand: [] },
      undefined,
    ];
    for (const movement of broken) {
      const trail = [{ ...step, movement: movement as Movement }];
      const all = [{ ...outcome, grade: { ...outcome.grade, trail } }];
      expect(gather({ ...study, outcomes: () => all }, 1).movements).toEqual([]);
    }
  });

  test("a movement that runs far away does not shrink the others", () => {
    const study = motorFixture({ model: "pointMass" });
    const outcomes = study.all.map((outcome, i) => {
      const step = outcome.grade.trail?.[0];
      if (step?.kind !== "movement" || i !== 0) return outcome;
      const hand = step.movement.hand.map(([x, y], t): [number, number] => [x + 10 * t, y]);
      return {
        ...outcome,
        grade: { ...outcome.grade, trail: [{ ...step, movement: { ...step.movement, hand } }] },
      };
    });
    const plain = gather(study, 1).movements[0]?.frame;
    const far = gather({ ...study, outcomes: () => outcomes }, 1).movements[0]?.frame;
    expect(plain?.cut).toBe(false);
    expect(far?.cut).toBe(true);
    expect(far?.width).toBeLessThan(3 * (plain?.width ?? 0));
  });
});

describe("less error is better", () => {
  const study = motorFixture();
  const { record } = study;

  test("the page ranks, tints and names it so", async () => {
    const { page } = await written("direction", study);
    const dots = /<table class="dots">.*?<\/table>/s.exec(page)?.[0] ?? "";
    expect(dots.indexOf("<bdi>bilateral<")).toBeLessThan(dots.indexOf("<bdi>unilateral(right)<"));
    expect(dots.indexOf("<bdi>unilateral(right)<")).toBeLessThan(dots.indexOf("<bdi>untrained"));
    expect(dots).toContain(">error (m)</th>");
    expect(dots).not.toContain("%</td>");
    const profile = /<table class="profile">.*?<\/table>/s.exec(page)?.[0] ?? "";
    const row = (name: string): string =>
      profile.split("<tr>").find((line) => line.includes(`<bdi>${name}</bdi>`)) ?? "";
    expect(row("bilateral")).toMatch(/heat gain-4.*heat gain-4/s);
    // Trained to reach: better there, and worse than the generalist at holding.
    expect(row("bilateral + lesion(leftInput)")).toMatch(/heat gain-4.*heat loss-3/s);
    expect(profile.indexOf("<bdi>bilateral<")).toBeLessThan(profile.indexOf("<bdi>untrained"));
    const forest = /<table class="forest">.*?<\/table>/s.exec(page)?.[0] ?? "";
    expect(forest).toContain("difference, m</th>");
    expect(forest).toMatch(/interval better/);
    expect(forest).not.toContain("interval worse");
    expect(page).not.toMatch(/in points|majority<\/th>/);
    expect(page).toContain("○ worse");
  });

  test("so do the terminal and the Markdown", async () => {
    const text = renderSummary(record, { colour: false, width: 100 });
    expect(text).toContain("error (m)");
    expect(text).toMatch(/bilateral against untrained controller of arm26: −0\.\d{3} m \(/);
    expect(text).not.toMatch(/points|baseline|%(?! interval)/);
    expect(text.indexOf("▸ bilateral")).toBeLessThan(text.indexOf("  unilateral(right)"));
    const { markdown } = await written("words", study);
    expect(markdown).toContain("| subject | error \\(m\\) |".replaceAll("\\", ""));
    expect(markdown).toContain("jerk (m/s³)");
    expect(markdown).toContain("difference, m |");
    expect(markdown).toContain("random reach, error (m)");
  });

  test("an unscored trial leaves the score unbounded above: no error is the worst there is", async () => {
    const results = record.results.map((result, i) =>
      i === 0
        ? { ...result, unscored: 3, causes: { timeout: 3 }, bounds: [0.0123, null] as [number, null] }
        : result,
    );
    const { page, markdown } = await written("bounds", { ...study, record: { ...record, results } });
    const table = page.slice(page.indexOf("<h2>Unscored</h2>"), page.indexOf("<h2>Samples</h2>"));
    expect(table).toContain(">3</td>");
    expect(table).toContain("0.012 or more");
    expect(markdown).toContain("0.012 or more");
  });
});
