// The leaderboard and the replay of a real study of games: in Markdown, and in a real browser where there is one.

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Outcome } from "../../src/core/outcome.js";
import type { StudyRecord } from "../../src/core/record.js";
import { collectEpisodes } from "../../src/report/episodes.js";
import { profileTable } from "../../src/report/profile.js";
import { openStudy } from "../../src/study/open.js";
import { runStudy } from "../../src/study/run.js";
import { parseStudy } from "../../src/study/spec.js";

const executablePath = process.env.HONE_CHROMIUM ?? "/usr/bin/chromium";
const args = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking".split(
  " ",
);
const root = mkdtempSync(join(tmpdir(), "hone-episodes-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let record: StudyRecord;
let outcomes: Outcome[];
let written: { html: string; markdown: string };
beforeAll(async () => {
  const spec = parseStudy(
    {
      study: "table",
      model: "mock:?skill=0.2",
      task: {
        name: "leduc",
        kind: "arena",
        game: "leduc",
        scoring: "parse",
        answerBy: "label",
        data: { train: 8, dev: 4, test: 30 },
      },
      specialists: ["equilibrium", "random"].map((player) => ({ scripted: { player } })),
      handOver: 2,
    },
    "test",
  );
  const store = join(root, "store");
  record = await runStudy(spec, { store });
  const study = openStudy(store, "table");
  outcomes = [...study.outcomes()];
  written = await study.report(join(root, "report"));
  study.close();
}, 120_000);

describe("a leaderboard", () => {
  it("stands in the Markdown report, the best player first", () => {
    const text = readFileSync(written.markdown, "utf8");
    const board = text.slice(text.indexOf("### Leduc poker against equilibrium"));
    const means = record.results.toSorted((a, b) => b.mean - a.mean).map(({ subject }) => subject);
    expect(board.slice(0, 700)).toMatch(
      /\| player \| winRate \(antes\/hand\) \| 95 % interval \| deals \| beliefs right, % \| illegal, % \| replaced, % \|/,
    );
    const places = means.map((name) => board.indexOf(`| ${name} |`));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(0);
  });

  it("replays every hand from both seats to the pay-off that was scored", () => {
    const all = collectEpisodes(record);
    const key = record.tasks[0]?.key;
    for (const outcome of outcomes) {
      const subject = record.subjects.findIndex(({ ids }) => ids.includes(outcome.subject));
      if (outcome.task === key) all.see(0, subject, outcome);
    }
    const [task] = all.all();
    expect(task?.deals).toHaveLength(30);
    expect(task?.episodes.flat().map((hands) => hands.length)).toEqual(new Array(90).fill(2));
    expect(task?.episodes[0]?.[0]?.[0]?.frames[0]?.tell).toMatch(/^[JQK] against [JQK]; chips 1 and 1$/);
  });

  it("calls no deal right or wrong, and no difference of winnings points", () => {
    const [page, text] = [written.html, written.markdown].map((path) => readFileSync(path, "utf8"));
    // A deal has no right answer: the teacher's move is that of one position.
    expect(text).not.toContain("Right answer");
    expect(page).toContain("● no worse than the generalist, ○ worse");
    expect(page).toContain("worse than generalist");
    expect(page).not.toMatch(/>right answer<|generalist in points/);
    const { illegal = Number.NaN } =
      record.results.find(({ subject }) => subject === "zeroShot")?.details ?? {};
    expect(page).toContain(`<td class="num">${(100 * illegal).toFixed(0)}%</td>`);
    // 0.2 antes are a hundredth of what a deal can win or lose.
    const results = record.results.map((one) => ({ ...one, mean: one.subject === "zeroShot" ? 0 : 0.2 }));
    expect(profileTable({ ...record, results, comparisons: [] }).markup).not.toMatch(/(gain|loss)-[2-4]/);
  });

  it("leaves out what a damaged or forged outcome says", () => {
    const all = collectEpisodes(record);
    const forged = structuredClone(outcomes[0]) as Outcome;
    Object.assign(forged.grade.trail?.[0] ?? {}, { moves: ["<img src=x>"] });
    all.see(0, 0, forged);
    expect(all.all()[0]?.episodes[0]?.[0]?.length).toBe(1);
  });

  it.skipIf(!existsSync(executablePath))(
    "replays in a browser (skipped without chromium)",
    async () => {
      const browser = await chromium.launch({ executablePath, args });
      try {
        const page = await browser.newPage({ viewport: { width: 1100, height: 900 } });
        const trouble: string[] = [];
        page.on("pageerror", (error) => trouble.push(error.message));
        page.on("console", (message) => trouble.push(message.text()));
        await page.goto(pathToFileURL(written.html).href);
        const moves = page.locator("#episode-moves li");
        const whole = await moves.count();
        expect(whole).toBeGreaterThan(3);
        expect(await page.textContent("#episode-now")).toBe(`move ${whole - 2} of ${whole - 2}`);
        await page.click("#episode-back");
        expect(await moves.count()).toBe(whole - 2);
        await page.selectOption("#episode-deal", "5");
        await page.selectOption("#episode-seat", "1");
        expect(await moves.first().textContent()).toMatch(/^the deal [JQK] against [JQK]/);
        expect(await moves.last().textContent()).toMatch(/folded|Showdown/);
        if (process.env.HONE_SCREENSHOT)
          await page.locator("#episode-player").screenshot({ path: process.env.HONE_SCREENSHOT });
        if (process.env.HONE_SCREENSHOT)
          await page.screenshot({ path: `${process.env.HONE_SCREENSHOT}.full.png`, fullPage: true });
        const wins = (name: string) => {
          const { ids = [] } = record.subjects.find((one) => one.name === name) ?? {};
          const own = outcomes.filter(({ subject, split }) => ids.includes(subject) && split === "test");
          return new Map(
            own.map(({ sample, grade }) => [sample, grade.status === "scored" ? grade.score : 0]),
          );
        };
        const general = wins("zeroShot");
        await page.selectOption("#samples-subject", { label: "scripted(random)" });
        const worse = [...wins("scripted(random)")].filter(([id, win]) => win < (general.get(id) ?? 0));
        expect(worse.length).toBeGreaterThan(2);
        expect(await page.textContent("#count-failures")).toBe(String(worse.length));
        expect(trouble).toEqual([]);
      } finally {
        await browser.close();
      }
    },
    60_000,
  );
});
