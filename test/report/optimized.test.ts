// How prompts were optimized: what a state tells, whichever algorithm made it, and the sentence in the report.

import { expect, it } from "vitest";
import { share } from "../../src/core/metric.js";
import { optimizeNotesOf } from "../../src/core/optimized.js";
import type { StudyRecord } from "../../src/core/record.js";
import { escapeMarkdown, html } from "../../src/report/escape.js";
import { optimizedSection, optimizedWords } from "../../src/report/optimized.js";

const confirm = { n: 90, delta: 0.05, low: 0.01, high: 0.09, p: 0.011 };
const race = {
  candidate: {},
  report: { looked: 13, returned: 4, search: { n: 120, delta: 0.08 }, confirm, shrinkage: 0.03 },
};
const published = { report: { looked: 9, returned: 2, gain: 0.1, confirm: null, shrinkage: null } };
const none = { report: { looked: 13, returned: 0, search: null, confirm: null, shrinkage: null } };

it("is read from the states of the race and of the published algorithms, and from no other", () => {
  expect(optimizeNotesOf(race as never)).toEqual({
    ...{ looked: 13, returned: true, searched: 0.08, confirmed: confirm, shrinkage: 0.03 },
  });
  expect(optimizeNotesOf(published as never)).toMatchObject({
    searched: 0.1,
    confirmed: null,
    returned: true,
  });
  expect(optimizeNotesOf(none as never)).toMatchObject({ searched: null, returned: false });
  for (const other of [null, [], "x", { report: "x" }, { report: { looked: 3 } }])
    expect(optimizeNotesOf(other as never)).toBeUndefined();
});

it("says how far a search came, what the best had gained, and what a reflector wrote", () => {
  const record = (report: object) =>
    ({
      seeds: [1],
      subjects: [
        {
          ...{ name: "optimize", role: "specialist", ids: [], seeds: [1], chain: [] },
          optimized: [{ seed: 1, notes: optimizeNotesOf({ report } as never) }],
        },
      ],
      tasks: [{ name: "t", metric: share("accuracy") }],
    }) as unknown as StudyRecord;
  const words = (report: object) => optimizedWords(record(report), (text) => text)[1];
  const base = { looked: 13, returned: 0, search: null, confirm: null, shrinkage: null };
  expect(words({ ...base, verdict: "no headroom", headroom: { p: 0.7, n: 96, shown: false } })).toMatch(
    /13 prompts tried; none shows signs .* on 96 samples \(p 0\.70?\), so nothing was searched/,
  );
  const near = { ...base, verdict: "none better", bestGain: { n: 200, delta: 0.03 } };
  expect(words(near)).toMatch(/the best gained \+3\.0? points, within one standard error/);
  const longer = { ...race.report, bestGain: { n: 120, delta: 0.1 }, reflections: { asked: 4, written: 1 } };
  expect(words(longer)).toMatch(
    /13 prompts tried \(1 of 4 reflections written\); the best gained \+10\.0 points; the shortest within one standard error gained \+8/,
  );
});

it("is a sentence in the page and in Markdown, and nothing where no prompt was optimized", () => {
  const subject = (name: string, states: object[]) => ({
    ...{ name, role: "specialist", ids: [], seeds: [1, 2], chain: [] },
    ...(states.length > 0
      ? { optimized: states.map((one, i) => ({ seed: i + 1, notes: optimizeNotesOf(one as never) })) }
      : {}),
  });
  const record = (states: object[]) =>
    ({
      ...{ seeds: [1, 2], subjects: [subject("linear", []), subject("<optimize>", states)], verdict: null },
      tasks: [{ name: "t", metric: share("accuracy") }],
    }) as unknown as StudyRecord;
  const md = (text: string) => escapeMarkdown(text);
  expect(optimizedWords(record([]), md)).toEqual([]);
  const words = optimizedWords(record([race, none]), md).join("\n");
  expect(words).toMatch(
    /13 prompts tried; the best gained \+8 points on the samples that chose it and \+5 points/,
  );
  expect(words).toMatch(
    /p 0\.011, one-sided\\?\) on 90 fresh samples of train; shrinkage \+3 points\. It is used\./,
  );
  expect(words).toMatch(/seed 2: 13 prompts tried; none is better than the original prompt/);
  const page = html`${optimizedSection(record([race]))}`.markup;
  expect(page).toContain("&lt;optimize&gt;");
  expect(page).not.toContain("linear");
});
