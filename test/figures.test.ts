// Figures in README and docs are those of their committed records: the pages are as docs/figures.js fills them, a figure
// elsewhere in README is an error, and each record agrees with itself.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { wilson } from "../src/statistics/index.js";

const root = resolve(import.meta.dirname, "..");
const text = (path: string) => readFileSync(join(root, path), "utf8");
const { filled, made, pages } = (await import(join(root, "docs/figures.js"))) as {
  made: Record<string, string>;
  filled: (page: string, missing?: (name: string) => void) => string;
  pages: string[];
};

describe("figures", () => {
  it("stand in the pages as in their records", () => {
    const missing: string[] = [];
    for (const page of pages) {
      const now = text(page);
      expect(filled(now, (name) => missing.push(name)) === now, `${page}: run \`npm run docs:figures\``).toBe(
        true,
      );
    }
    expect(missing).toEqual([]);
  });

  it.each(Object.entries(made))("%s is its record in words", (path, words) => {
    expect(text(path) === words, `${path}: run \`npm run docs:figures\``).toBe(true);
  });

  it("stand in README inside tables made from records, and nowhere else", () => {
    const prose = text("README.md").replace(/<!-- figures: [\s\S]*?<!-- end -->/g, "");
    const figures = prose.match(
      /\d[\d.,]* ?(?:%|ms\b|s\b|MB\b|GB\b|points\b|times\b|cm\b|nats\b|tokens\/s)/g,
    );
    expect(figures ?? []).toEqual([]);
  });

  it("would be missed if a record changed", () => {
    const page = "<!-- figures: measured -->\n\n| what | figure | command |\n\n<!-- end -->";
    expect(filled(page)).not.toBe(page);
    expect(() => filled("<!-- figures: nonsense -->\n<!-- end -->")).toThrow(/nonsense/);
  });
});

it("the record of setfit has each draw's scores, and they are its results", () => {
  const { results, rows } = JSON.parse(text("bench/recorded/setfit.json")) as {
    results: { task: string; shots: number; draws: number; n: number; gain: number; setfit: number }[];
    rows: { task: string; shots: number; draw: number; scores: Record<string, string> }[];
  };
  for (const { task, shots, draws, n, gain, setfit } of results) {
    const own = rows.filter((row) => row.task === task && row.shots === shots);
    expect(new Set(own.map(({ draw }) => draw)).size).toBe(draws);
    const right = (system: string) =>
      own.reduce((sum, { scores }) => {
        expect(scores[system]).toHaveLength(n);
        return sum + (scores[system] as string).replaceAll("0", "").length / n / draws;
      }, 0);
    expect(right("setfit")).toBeCloseTo(setfit, 3);
    expect(right("setfit") - right("linear(vectors)")).toBeCloseTo(gain, 3);
  }
});

interface Result {
  subject: string;
  task: string;
  mean: number;
  n: number;
  unscored: number;
}
interface StudyOnRecord {
  results: Result[];
  seeds: number[];
  samples: { task: string; ids: string[]; scores: Record<string, (number | null | (number | null)[])[]> }[];
}

const studies = readdirSync(join(root, "bench/recorded/studies"));
describe.each(studies)("the record of %s", (name) => {
  const record = JSON.parse(text(`bench/recorded/studies/${name}`)) as StudyOnRecord;

  it("has each subject's scores, and their mean is its result", () => {
    for (const { subject, task, mean, n, unscored } of record.results) {
      const samples = record.samples.find((one) => one.task === task);
      const scores = samples?.scores[subject] ?? [];
      expect(scores).toHaveLength(samples?.ids.length ?? Number.NaN);
      const means = scores.flatMap((one) => {
        const scored = [one].flat().filter((score) => score !== null);
        return scored.length === 0 ? [] : [scored.reduce((a, b) => a + b, 0) / scored.length];
      });
      expect(means).toHaveLength(n);
      if (record.seeds.length === 1) expect(means).toHaveLength(scores.length - unscored);
      expect(means.reduce((a, b) => a + b, 0) / means.length).toBeCloseTo(mean, 9);
    }
  });
});

it("every command that a page, a benchmark or a record names exists", () => {
  const { scripts } = JSON.parse(text("package.json"));
  const folders = [
    ".",
    "docs",
    "bench",
    "bench/recorded",
    ...readdirSync(join(root, "papers")).map((name) => `papers/${name}`),
  ];
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => /\.(md|js|json|py)$/.test(name) && !/^package|^record\.js/.test(name))
      .map((name) => join(folder, name)),
  );
  const named = files.flatMap((file) =>
    [...text(file).matchAll(/npm run ([a-z][\w:-]*\w)/g)].map(([, script]) => ({ file, script })),
  );
  expect(named.length).toBeGreaterThan(100);
  expect(named.filter(({ script }) => !((script as string) in scripts))).toEqual([]);
});

describe("the records of benchmarks", () => {
  const names = readdirSync(join(root, "bench/recorded")).filter((name) => name.endsWith(".json"));

  it.each(names)("%s names the machine", (name) => {
    expect(JSON.parse(text(`bench/recorded/${name}`)).machine).toMatch(/\S/);
  });

  it("transformersjs.json has the same tokens, and vectors that training moved, to five digits", () => {
    const { models } = JSON.parse(text("bench/recorded/transformersjs.json"));
    expect(models).toHaveLength(2);
    for (const one of models) {
      expect(one.sameTokens).toBe(one.texts);
      expect(one.greatestDifferenceOfCosine).toBeLessThan(1e-5);
      expect(one.medianMovedByTraining).toBeGreaterThan(0.01);
    }
  });

  it.each(readdirSync(join(root, "papers")))("papers/%s/README.md shows what its record has", (name) => {
    expect(text(`papers/${name}/README.md`)).toMatch(
      new RegExp(`<!-- figures: ${name}-(claims|table-1) -->`),
    );
  });

  // Figures of an earlier run or of the settings, told as such.
  const elsewhere: Record<string, string[]> = {
    lawma: ["0.002", "-8.1", "9.5", "16.0", "22.3", "-7.4"],
  };
  it.each(readdirSync(join(root, "papers")))(
    "papers/%s/README.md has no figure in its text that its record lacks",
    (name) => {
      const plain = (words: string) => words.replaceAll("−", "-").replaceAll(/(\d),(\d{3})/g, "$1$2");
      const known: number[] = [];
      const collect = (value: unknown): void => {
        if (typeof value === "number") known.push(Math.abs(value));
        else if (typeof value === "string")
          for (const [one] of plain(value).matchAll(/\d+(\.\d+)?/g)) known.push(Number(one));
        else if (value) Object.values(value).forEach(collect);
      };
      collect(JSON.parse(text(`papers/${name}/measured.json`)));
      const [, told = ""] = plain(text(`papers/${name}/README.md`)).split("## What came out");
      const prose = told.replaceAll(/<!-- figures: [\s\S]*?<!-- end -->|\]\([^)]*\)/g, "");
      const figures = [...prose.matchAll(/-?\d+\.(\d+)/g)];
      expect(figures.length).toBeGreaterThan(10);
      const lacking = figures.filter(([figure, decimals = ""]) => {
        const half = 0.5000001 * 10 ** -decimals.length;
        const near = (value: number) => Math.abs(value - Math.abs(Number(figure))) <= half;
        return !known.some((one) => near(one) || near(100 * one));
      });
      expect(lacking.map(([figure]) => figure).filter((one) => !elsewhere[name]?.includes(one))).toEqual([]);
    },
  );

  it("papers/egosocialarena/README.md quotes what was read of the converted items", () => {
    const { n, flawed, low, high, read, converted, flaws, ids } = JSON.parse(
      text("bench/recorded/first-person.json"),
    );
    expect([flaws.length, ids.length]).toEqual([flawed, n]);
    const [from, to] = wilson(flawed / n, n, 1.96);
    expect([low, high]).toEqual([Number(from.toFixed(4)), Number(to.toFixed(4))]);
    const page = text("papers/egosocialarena/README.md").replaceAll(/\s+/g, " ");
    expect(page).toContain(`of ToMBench's ${read.toLocaleString("en")} items ${converted} are converted`);
    const percent = (share: number) => (100 * share).toFixed(1);
    expect(page).toContain(`${flawed} were flawed (Wilson ${percent(low)} to ${percent(high)} %)`);
  });

  it("papers/egosocialarena/README.md quotes its claims and tables", () => {
    const [, prose = ""] = text("papers/egosocialarena/README.md")
      .replaceAll(/\s+/g, " ")
      .split("<!-- end -->");
    const { claims, tables } = JSON.parse(text("papers/egosocialarena/measured.json"));
    const of = (id: string) => claims.find((one: { id: string }) => one.id === id);
    const points = (value: number) => Math.abs(100 * value).toFixed(1);
    const bets = (value: number) => Math.abs(value).toFixed(3);
    const [c1, e1, e2, i1, i2] = ["c1", "e1", "e2", "i1", "i2"].map(of);
    for (const told of [
      `${points(c1.measured)} points ahead of the smaller model (${points(c1.high)} to ${points(c1.low)}`,
      `${points(e1.measured)} points on law (${points(e1.low)} to ${points(e1.high)})`,
      `(e2, -${points(e2.low)} to ${points(e2.high)})`,
      `${bets(i1.measured)} bets a hand more than its generalist (${bets(i1.low)} to ${bets(i1.high)}; p ${i1.pAdjusted.toFixed(2)} `,
      `${bets(i2.measured)} less than the optimal policy (${bets(i2.high)} to ${bets(i2.low)}`,
    ])
      expect(prose).toContain(told);
    const rows = tables.at(-1).rows as string[][];
    const cells = (game: string, player: string, at: number) =>
      rows.filter(([title, who]) => title?.startsWith(game) && who === player).map((row) => row[at]);
    const [small, large] = [
      "llama:smollm2-135m-instruct, zero-shot",
      "llama:gemma3-270m, zero-shot",
    ] as const;
    for (const at of [5, 6]) expect(prose).toContain(`${cells("Limit", small, at).join(" and ")} %`);
    expect(cells("Limit", large, 4)).toEqual(["0", "0"]);
    expect(prose).toContain(`nearly every hand: ${cells("Blackjack", large, 3)[0]}.`);
    expect(cells("Number", small, 3)).toEqual(["15 (4 to 45)", "4 (1 to 7)", "3 (1 to 45)"]);
    expect(cells("Number", large, 3).every((told) => told?.startsWith("0 "))).toBe(true);
    expect(cells("Number", "best", 3).slice(0, 3)).toEqual([
      "90 (68 to 92)",
      "80 (61 to 85)",
      "68 (63 to 72)",
    ]);
  });

  it("papers/self-specialization/README.md quotes its tables, each figure with its interval", () => {
    const [, prose = ""] = text("papers/self-specialization/README.md").split("<!-- end -->");
    const tables = text("papers/self-specialization/measured.md");
    const quoted = [...prose.matchAll(/(\d+\.\d)\s\((\d+\.\d–\d+\.\d)\)/g)];
    expect(quoted.length).toBeGreaterThan(5);
    for (const [, mean, interval] of quoted) expect(tables).toContain(`| ${mean} ${interval} |`);
    expect(prose.match(/\d\.\d/g)).toHaveLength(3 * quoted.length);
  });

  it("papers/deepseekmoe/README.md quotes its tables, each figure with its interval", () => {
    const [, prose = ""] = text("papers/deepseekmoe/README.md").split("<!-- end -->");
    const tables = text("papers/deepseekmoe/measured.md");
    // The paper's column is in another unit than ours.
    for (const page of [text("papers/deepseekmoe/README.md"), tables]) expect(page).toContain("nats a token");
    const quoted = [...prose.replaceAll(/\s+/g, " ").matchAll(/\d\.\d+ \(\d\.\d+ to \d\.\d+\)/g)];
    expect(quoted.length).toBeGreaterThan(5);
    for (const [figure] of quoted) expect(tables).toContain(`| ${figure} |`);
    expect(prose.match(/\d\.\d/g)).toHaveLength(3 * quoted.length);
  });

  it("muon.json has each optimizer at its best rate on dev, and a difference that is its results'", () => {
    const { results, difference, step, stepRatio } = JSON.parse(text("bench/recorded/muon.json"));
    const [adamw, muon] = results;
    expect([adamw.optimizer, muon.optimizer]).toEqual(["adamw", "muon"]);
    for (const { rate, tried } of results) {
      expect(tried).toHaveLength(3);
      const least = Math.min(...tried.map(({ dev }: { dev: number }) => dev));
      expect(tried.find((one: { rate: number }) => one.rate === rate).dev).toBe(least);
    }
    // Records have three digits.
    expect(muon.bitsPerByte.mean - adamw.bitsPerByte.mean).toBeCloseTo(difference.mean, 1);
    expect(step.muonMs / step.adamwMs).toBeCloseTo(stepRatio, 1);
  });

  it("scoring.json has three rounds, and a baseline that evaluated each prompt once per option", () => {
    const { ratio, texts } = JSON.parse(text("bench/recorded/scoring.json"));
    expect(texts.rounds.length).toBeGreaterThanOrEqual(3);
    expect(ratio).toBe(texts.rounds.toSorted((a: number, b: number) => a - b)[texts.rounds.length >> 1]);
    // Five options: the prompt five times in place of once, less what options add.
    expect(texts.apartTokens / texts.sharedTokens).toBeGreaterThan(4.5);
  });
});

it("the record of the routes has the differences of its studies' scores", () => {
  const { alsoPaired, chosen } = JSON.parse(text("bench/recorded/routes.json")) as {
    alsoPaired: { system: string; than: string; task: string; delta: number }[];
    chosen: Record<string, string>;
  };
  const meanOf = (task: string, name: RegExp) => {
    // A task's routes may be in several studies.
    const parts = ["", "-prompts", "-trained"].map(
      (part) => `bench/recorded/studies/routes-${task}${part}.json`,
    );
    const columns = parts
      .filter((part) => existsSync(join(root, part)))
      .flatMap((part): [string, (number | number[])[]][] =>
        Object.entries(JSON.parse(text(part)).samples[0].scores),
      );
    const [, column] = columns.find(([subject]) => name.test(subject)) ?? [];
    const each = (column ?? []).map((one) => [one].flat());
    return each.reduce((sum, own) => sum + own.reduce((a, b) => a + b, 0) / own.length, 0) / each.length;
  };
  // Measured again after a mend, on one task.
  const mended = ({ system }: { system: string }) => system.endsWith(", mended");
  expect(alsoPaired.filter((pair) => !mended(pair))).toHaveLength(6 * Object.keys(chosen).length);
  const names: Record<string, RegExp> = { vectors: /^linear\(vectors\)/, linear: /^linear\(tfidf\)/ };
  for (const { system, than, task, delta } of alsoPaired) {
    const [a, b] = [system, than].map((name) => {
      const [plain = name] = name.split(", mended");
      const record = plain === name ? task : `${task}-${plain}`;
      return meanOf(record, names[plain] ?? new RegExp(`^${plain}`));
    });
    expect((a as number) - (b as number), `${system} less ${than}, ${task}`).toBeCloseTo(delta, 3);
  }
});

it("the record of the optimized prompts has the gains of its studies' scores", () => {
  const { searches } = JSON.parse(text("bench/recorded/prompts.json")) as {
    searches: { task: string; system: string; seed: number; test: { delta: number } }[];
  };
  expect(searches.length).toBeGreaterThan(0);
  for (const { task, system, seed, test } of searches) {
    const [{ scores }] = JSON.parse(text(`bench/recorded/studies/prompts-${task}.json`)).samples as [
      { scores: Record<string, (number | number[])[]> },
    ];
    const name = system === "optimize" ? "optimize(search=128)" : `optimize(${system}, search=128)`;
    const [own, original] = [name, "zeroShot"].map((subject) => scores[subject] as (number | number[])[]);
    const gains = (own as number[][]).map((by, i) => (by[seed - 1] as number) - (original?.[i] as number));
    const mean = gains.reduce((sum, gain) => sum + gain, 0) / gains.length;
    expect(mean, `${system}, seed ${seed}, ${task}`).toBeCloseTo(test.delta, 3);
  }
});
