// Opens the written page in a real browser. Skipped by name where there is none.

import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SubjectCard } from "../../src/core/record.js";
import { writeReport } from "../../src/report/index.js";
import { attacks, type Fixture, fixture } from "./fixture.js";

const executablePath = process.env.HONE_CHROMIUM ?? "/usr/bin/chromium";
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"];
args.push("--disable-background-networking", "--disable-component-update", "--disable-sync");

/** The made-up study with two dozen subjects more, which answer as one of its own does. */
function manySubjects(): Fixture {
  const study = fixture();
  const { record, all } = study;
  const [, like] = record.subjects as [SubjectCard, SubjectCard];
  const more = Array.from({ length: 24 }, (_, i) => ({
    ...like,
    name: `${like.name} #${i + 2}`,
    ids: [`more-${i}`],
  }));
  const own = all.filter(({ subject }) => like.ids.includes(subject));
  const outcomes = [
    ...all,
    ...more.flatMap(({ ids }) => own.map((one) => ({ ...one, subject: ids[0] as string }))),
  ];
  const results = more.flatMap(({ name }) =>
    record.results.filter(({ subject }) => subject === like.name).map((one) => ({ ...one, subject: name })),
  );
  return {
    ...study,
    all: outcomes,
    outcomes: () => outcomes,
    record: { ...record, subjects: [...record.subjects, ...more], results: [...record.results, ...results] },
  };
}

describe.skipIf(!existsSync(executablePath))(
  "the page in a browser (skipped without chromium; HONE_CHROMIUM names it)",
  () => {
    let folder: string;
    let browser: Browser;
    const urls = { plain: "", hostile: "", many: "" };

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "hone-report-"));
      for (const kind of ["plain", "hostile"] as const) {
        const study = fixture({ hostile: kind === "hostile" });
        const { html } = await writeReport({ ...study, folder: join(folder, kind) });
        urls[kind] = pathToFileURL(html).href;
      }
      const { html } = await writeReport({ ...manySubjects(), folder: join(folder, "many") });
      urls.many = pathToFileURL(html).href;
      browser = await chromium.launch({ executablePath, args });
    });
    afterAll(async () => {
      await browser?.close();
      await rm(folder, { recursive: true, force: true });
    });

    /** Opens a page and collects what it must never do. */
    async function open(kind: keyof typeof urls, width = 1200): Promise<{ page: Page; trouble: string[] }> {
      const trouble: string[] = [];
      const page = await browser.newPage({ viewport: { width, height: 900 } });
      page.on("request", (request) => {
        if (request.url() !== urls[kind]) trouble.push(`request ${request.url()}`);
      });
      page.on("dialog", (dialog) => {
        trouble.push(`dialog ${dialog.message()}`);
        void dialog.dismiss();
      });
      page.on("pageerror", (error) => trouble.push(`error ${error.message}`));
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) trouble.push(`console ${message.text()}`);
      });
      await page.goto(urls[kind]);
      return { page, trouble };
    }

    test("hostile text stays text: no request, no dialog, no element of its own", async () => {
      const { page, trouble } = await open("hostile");
      for (const subject of [0, 3, 7]) {
        await page.selectOption("#samples-subject", String(subject));
        for (const filter of ["failures", "different", "unscored", "all"])
          await page.check(`#filter-${filter}`, { force: true });
        await page.locator("tr.row .opener").nth(subject).click();
      }
      for (const tab of await page.locator("tr.open .tab").all()) await tab.click();
      await page.selectOption("select[data-matrices]", { index: 2 });
      await page.hover("h1");
      // One script for data, one to run, one style; nothing that the attacks ask for.
      expect(await page.locator("script").count()).toBe(2);
      expect(await page.locator("style").count()).toBe(1);
      expect(
        await page
          .locator("img, iframe, object, embed, a, link, svg[onload], [onerror], [onmouseover]")
          .count(),
      ).toBe(0);
      expect(await page.locator("tr.open pre").first().textContent()).toContain(attacks[0]);
      expect(await page.evaluate("({}).polluted === undefined && Object.keys(Object.prototype).length")).toBe(
        0,
      );
      expect(trouble).toEqual([]);
      await page.close();
    });

    test("the policy stops a script that gets into the page", async () => {
      const { page, trouble } = await open("plain");
      const ran = await page.evaluate(`(() => {
      const script = document.createElement("script");
      try { script.textContent = "window.ran = true"; } catch { return "refused"; }
      document.body.append(script);
      return window.ran === true ? "ran" : "refused";
    })()`);
      expect(ran).toBe("refused");
      const failed = page.waitForEvent("requestfailed");
      await page.evaluate(
        `document.body.append(Object.assign(document.createElement("img"), { src: "https://attacker.invalid/x.png" }))`,
      );
      expect((await failed).failure()?.errorText).toBe("csp");
      expect(trouble.some((line) => /Content Security Policy|Trusted ?Type/i.test(line))).toBe(true);
      await page.close();
    });

    test("filters, search, subject and task choose the samples that the outcomes say", async () => {
      const { page, trouble } = await open("plain");
      const { all, record } = fixture();
      const first = record.tasks[0];
      const subject = 1;
      await page.selectOption("#samples-task", "0");
      await page.selectOption("#samples-subject", String(subject));
      const own = all.filter((outcome) => outcome.task === first?.key && outcome.subject === `id-${subject}`);
      const scored = own.flatMap(({ grade }) => (grade.status === "scored" ? [grade] : []));
      const general = new Map(
        all
          .filter((o) => o.task === first?.key && o.subject === "id-0")
          .map((o) => [o.sample, o.grade.status === "scored" ? o.grade.prediction : o.grade.cause]),
      );
      const expected: Record<string, number> = {
        all: own.length,
        failures: scored.filter(({ score }) => score < 1).length,
        unscored: own.length - scored.length,
        different: own.filter(
          (o) => general.get(o.sample) !== (o.grade.status === "scored" ? o.grade.prediction : o.grade.cause),
        ).length,
      };
      expect(expected.failures).toBeGreaterThan(10);
      for (const [filter, count] of Object.entries(expected)) {
        await page.check(`#filter-${filter}`, { force: true });
        expect(await page.textContent(`#count-${filter}`)).toBe(String(count));
        expect(await page.locator("tr.row").count()).toBe(Math.min(50, count));
      }
      await page.check("#filter-all", { force: true });
      await page.click("#samples-more");
      expect(await page.locator("tr.row").count()).toBe(100);
      await page.fill("#samples-search", "lic-0042");
      expect(await page.locator("tr.row").count()).toBe(1);
      await page.fill("#samples-search", "no such thing");
      expect(await page.textContent("#samples-status")).toBe("No sample matches.");
      expect(trouble).toEqual([]);
      await page.close();
    });

    test("a row opens by keyboard to the exact prompt, the options' scores and every subject's answer", async () => {
      const { page } = await open("plain");
      const study = fixture();
      await page.selectOption("#samples-task", "0");
      await page.fill("#samples-search", "lic-0042");
      await page.focus("tr.row .opener");
      await page.keyboard.press("Enter");
      expect(await page.getAttribute("tr.row .opener", "aria-expanded")).toBe("true");
      for (const [s, { name }] of study.record.subjects.entries()) {
        const outcome = study.all.find((o) => o.sample === "lic-0042" && o.subject === `id-${s}`);
        await page.locator("tr.open .tab", { hasText: name }).first().click();
        const shown = (await page.textContent(".transcript")) ?? "";
        if (outcome?.grade.status === "unscored") expect(shown).toContain(`unscored: ${outcome.grade.cause}`);
        else expect(shown).toMatch(/answered .* · score [01]/);
        const call = outcome?.calls[0] === undefined ? undefined : study.call(outcome.calls[0]);
        if (!call) continue;
        const { messages } = call.request as { messages: { content: string }[] };
        const prompts = await page.locator(".transcript pre").allTextContents();
        for (const { content } of messages) expect(prompts).toContain(content);
        expect(await page.locator(".scores tr").count()).toBe(7);
      }
      await page.keyboard.press("Tab");
      await page.locator("tr.row .opener").press("Enter");
      expect(await page.locator("tr.open").count()).toBe(0);
      await page.close();
    });

    test("the cost switch and the confusion selector work", async () => {
      const { page } = await open("plain");
      const visible = async (): Promise<number[]> =>
        Promise.all(["ms", "tokens"].map((unit) => page.locator(`.show-${unit}:visible`).count()));
      expect(await visible()).toEqual([2, 0]);
      await page.check("#cost-0-tokens", { force: true });
      expect(await visible()).toEqual([1, 1]);
      await page.selectOption("select[data-matrices]", { label: "majority" });
      expect(await page.locator("[data-matrix]:visible").count()).toBe(1);
      expect(await page.locator("[data-matrix]:visible caption").textContent()).toContain("majority");
      await page.close();
    });

    test("with many subjects nothing is wider than a phone, and wide tables scroll by themselves", async () => {
      const { page } = await open("many", 375);
      await page.locator("tr.row .opener").nth(1).click();
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(375);
      const [inner, outer] = (await page.evaluate(`(() => {
        const wide = document.querySelector(".results").closest(".scroll");
        wide.scrollLeft = 100;
        return [wide.scrollLeft, wide.clientWidth];
      })()`)) as [number, number];
      expect(inner).toBe(100);
      expect(outer).toBeLessThanOrEqual(375);
      await page.close();
    });

    test("on paper the legends of marks and signs stay, and what only a screen can do goes", async () => {
      const { page } = await open("plain", 700);
      await page.emulateMedia({ media: "print" });
      expect(await page.locator(".legend").first().isVisible()).toBe(true);
      for (const [text, seen] of [
        ["● right, ○ wrong", true],
        ["chosen on dev", true],
        ["A row opens to", false],
        ["cost per answer in", false],
      ] as const)
        expect([text, await page.getByText(text).last().isVisible()]).toEqual([text, seen]);
      await page.close();
    });

    test.each(["plain", "hostile"] as const)(
      "nothing of the %s page is wider than 400 pixels",
      async (kind) => {
        const { page } = await open(kind, 400);
        await page.locator("tr.row .opener").nth(1).click();
        expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(400);
        await page.close();
      },
    );
  },
);
