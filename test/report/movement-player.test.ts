// Plays a trial in a real browser. Skipped by name where there is none.

import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeReport } from "../../src/report/index.js";
import { motorFixture } from "./motor-fixture.js";

const executablePath = process.env.HONE_CHROMIUM ?? "/usr/bin/chromium";
const args = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking".split(
  " ",
);

describe.skipIf(!existsSync(executablePath))(
  "the player in a browser (skipped without chromium; HONE_CHROMIUM names it)",
  () => {
    let folder: string;
    let browser: Browser;
    let url: string;
    let trouble: string[];

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "hone-player-"));
      const hostile = " <img src=x onerror=alert(1)>";
      url = pathToFileURL((await writeReport({ ...motorFixture({ hostile }), folder })).html).href;
      browser = await chromium.launch({ executablePath, args });
    });
    afterAll(async () => {
      await browser?.close();
      await rm(folder, { recursive: true, force: true });
    });

    async function open(options: BrowserContextOptions = {}): Promise<Page> {
      trouble = [];
      const page = await browser.newPage({ viewport: { width: 1100, height: 900 }, ...options });
      page.on("request", (request) => request.url() !== url && trouble.push(request.url()));
      page.on("pageerror", (error) => trouble.push(error.message));
      page.on("console", (message) => trouble.push(message.text()));
      await page.goto(url);
      return page;
    }
    const time = async (page: Page): Promise<number> => Number(await page.inputValue("#movement-time"));
    const drawn = (page: Page): Promise<string | null> =>
      page.locator("#movement-stage .arm:not(.beside)").getAttribute("d");

    test("begins with a lesion beside its intact subject, and stands still until it is asked", async () => {
      const page = await open();
      expect(await page.locator("#movement-subject option:checked").textContent()).toContain("lesion");
      expect(await page.locator("#movement-beside option:checked").textContent()).toMatch(/^bilateral </);
      expect(await page.locator("#movement-stage .arm").count()).toBe(2);
      const before = await drawn(page);
      await page.waitForTimeout(300);
      expect(await drawn(page)).toBe(before);
      expect(before).not.toContain("NaN");
      expect(trouble).toEqual([]);
      await page.close();
    });

    test("plays to the end in its time, pauses and scrubs by keyboard, and nothing jumps", async () => {
      const page = await open();
      const place = () =>
        page.evaluate(`[...document.querySelectorAll(".player :is(svg, button, input, table)"), document.querySelector("footer")]
          .map((one) => one.getBoundingClientRect()).map(({ x, y, width, height }) => [x, y + scrollY, width, height])`);
      const before = await place();
      await page.selectOption("#movement-pace", "1");
      await page.focus("#movement-play");
      await page.keyboard.press("Enter");
      expect(await page.textContent("#movement-play")).toBe("Pause");
      await expect.poll(() => time(page), { interval: 10 }).toBeGreaterThan(5);
      await page.keyboard.press("Space");
      await expect.poll(() => page.textContent("#movement-play")).toBe("Play");
      const paused = await time(page);
      await page.waitForTimeout(150);
      expect(await time(page)).toBe(paused);
      await page.keyboard.press("Enter");
      await expect.poll(() => page.textContent("#movement-play"), { timeout: 5_000 }).toBe("Play");
      expect(await time(page)).toBe(50);
      await page.focus("#movement-time");
      await page.keyboard.press("ArrowLeft");
      expect(await time(page)).toBe(49);
      expect(await page.getAttribute("#movement-time", "aria-valuetext")).toMatch(
        /^0\.49 s, 0\.\d{3} m from the target$/,
      );
      await page.keyboard.press("Home");
      expect(await page.textContent("#movement-now")).toMatch(/^0\.00 s/);
      expect(await place()).toEqual(before);
      expect(trouble).toEqual([]);
      await page.close();
    });

    test("the arm's hand is where the movement's hand was, in the chosen task and trial", async () => {
      const page = await open();
      await page.selectOption("#movement-task", "1");
      await page.selectOption("#movement-subject", "0");
      await page.selectOption("#movement-beside", "-1");
      await page.selectOption("#movement-trial", "4");
      expect(await page.locator("#movement-stage .arm").count()).toBe(1);
      const step = motorFixture({ hostile: " <img src=x onerror=alert(1)>" }).all.find(
        (outcome) =>
          outcome.subject === "id-3" && /^hold.*@1$/.test(outcome.task) && /^test-4 /.test(outcome.sample),
      )?.grade.trail?.[0];
      if (step?.kind !== "movement") throw new Error("the fixture keeps movements");
      const [x = 0, y = 0] = step.movement.hand.at(-1) ?? [];
      expect(await drawn(page)).toMatch(
        new RegExp(`^M0 0L.*L${Math.round(1000 * x)} ${Math.round(-1000 * y)}$`),
      );
      const level = Math.round(1000 * (step.movement.activation.at(-1)?.[0] ?? 0)) / 10;
      expect(await page.getAttribute("#movement-muscle-0", "width")).toBe(`${level}%`);
      await page.close();
    });

    test("shows stills where less motion is asked for", async () => {
      const page = await open({ reducedMotion: "reduce" });
      expect(await page.isVisible("#movement-still")).toBe(true);
      await page.selectOption("#movement-pace", "1");
      await page.evaluate(`{
        window.places = new Set();
        new MutationObserver(() => window.places.add(document.querySelector("#movement-stage .arm").getAttribute("d")))
          .observe(document.getElementById("movement-stage"), { attributes: true, subtree: true });
      }`);
      await page.click("#movement-play");
      await expect.poll(() => page.textContent("#movement-play"), { timeout: 5_000 }).toBe("Play");
      const places = Number(await page.evaluate("window.places.size"));
      expect(places).toBeGreaterThan(2);
      expect(places).toBeLessThanOrEqual(9);
      await page.close();
    });

    test("without a script the drawings stay and the player is not shown; nothing is wider than 400 pixels", async () => {
      const still = await open({ javaScriptEnabled: false });
      expect(await still.isVisible(".player")).toBe(false);
      expect(await still.locator(".from-above:visible").count()).toBe(14);
      await still.close();
      const narrow = await open({ viewport: { width: 400, height: 900 } });
      expect(await narrow.evaluate("document.documentElement.scrollWidth")).toBe(400);
      expect(await narrow.locator("img").count()).toBe(0);
      await narrow.close();
    });
  },
);
