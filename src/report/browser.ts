// The page's one script: choosing a confusion matrix, and finding, filtering and opening samples.
// `browse` is inserted into the page as source text, so it must be self-contained: types may be imported, values may not.
// It writes text only through `textContent`; the page's policy blocks every other way.

import type { Packed, PackedAnswer, PackedCall, PackedCost, PackedSample } from "./details.js";
import type { Document, Element } from "./dom.js";

declare const document: Document;

export function browse(): void {
  const page = 50;
  const byId = (id: string): Element => document.getElementById(id) as Element;

  function make(name: string, className: string, ...children: (Element | string)[]): Element {
    const element = document.createElement(name);
    element.className = className;
    element.append(...children);
    return element;
  }

  for (const select of document.querySelectorAll("select[data-matrices]")) {
    const show = (): void => {
      for (const matrix of document.querySelectorAll(`[data-matrix^="${select.dataset.matrices}-"]`)) {
        matrix.hidden = matrix.dataset.matrix !== select.value;
      }
    };
    select.addEventListener("change", show);
    show();
  }

  const source = document.getElementById("samples-data");
  if (!source) return;
  const data = JSON.parse(source.textContent) as Packed;
  const strings: string[] = [];
  let before = "";
  for (const [index, shared, rest] of data.strings) {
    before = before.slice(0, shared) + rest;
    strings[index] = before;
  }
  const text = (index: number | null): string => (index === null ? "" : (strings[index] ?? ""));

  const labels = data.tasks.map((task) => new Map(task.labels));
  function labelOf(sample: PackedSample, key: string): string {
    const own = sample.options.find((option) => text(option[0]) === key);
    if (own) return text(own[1]) === key ? key : `${key} · ${text(own[1])}`;
    const label = labels[sample.task]?.get(key) ?? key;
    return label.length > 40 ? `${key} · ${label}` : label;
  }
  const rightOf = (sample: PackedSample): string =>
    sample.right.map((key) => labelOf(sample, text(key))).join(" / ");
  const short = (value: string, most: number): string =>
    value.length > most ? `${value.slice(0, most)}…` : value;

  function mean(answers: readonly PackedAnswer[] | undefined): number | null {
    const scores = (answers ?? []).flatMap((answer) => (answer.score === null ? [] : [answer.score]));
    return scores.length ? scores.reduce((sum, score) => sum + score, 0) / scores.length : null;
  }
  function stateOf(sample: PackedSample, subject: number): "right" | "wrong" | "unscored" | "absent" {
    const answers = sample.answers[subject];
    if (!answers?.length) return "absent";
    const score = mean(answers);
    if (score === null) return "unscored";
    const judged = data.tasks[sample.task]?.judged;
    const general = mean(sample.answers[data.generalist]) ?? score;
    if (judged === "none") return "right";
    if (judged === "less") return score <= general ? "right" : "wrong";
    if (judged === "more") return score >= general ? "right" : "wrong";
    return score >= (data.tasks[sample.task]?.binary ? 1 : 0.5) ? "right" : "wrong";
  }
  const titleOf = (sample: PackedSample, state: "right" | "wrong" | "unscored" | "absent"): string => {
    const judged = data.tasks[sample.task]?.judged;
    if (judged === "share" || (state !== "right" && state !== "wrong")) return state;
    return judged === "none" ? "answered" : `${state === "right" ? "no " : ""}worse than the generalist`;
  };
  const said = (sample: PackedSample, subject: number): string => {
    const texts = (sample.answers[subject] ?? []).map((answer) =>
      answer.cause === null ? labelOf(sample, text(answer.said)) : `unscored: ${text(answer.cause)}`,
    );
    return [...new Set(texts)].join(" / ");
  };
  const signs = { right: "●", wrong: "○", unscored: "–", absent: " " };

  const haystacks = data.samples.map((sample) =>
    [text(sample.id), rightOf(sample), text(sample.input), text(sample.question)].join("\n").toLowerCase(),
  );
  const filters: Record<string, (sample: PackedSample, subject: number) => boolean> = {
    all: (sample, subject) => stateOf(sample, subject) !== "absent",
    failures: (sample, subject) => stateOf(sample, subject) === "wrong",
    different: (sample, subject) =>
      data.generalist >= 0 &&
      stateOf(sample, subject) !== "absent" &&
      (stateOf(sample, subject) !== stateOf(sample, data.generalist) ||
        said(sample, subject) !== said(sample, data.generalist)),
    unscored: (sample, subject) => (sample.answers[subject] ?? []).some((answer) => answer.score === null),
  };

  const subjectSelect = byId("samples-subject");
  const taskSelect = document.getElementById("samples-task");
  const search = byId("samples-search");
  const body = byId("samples-body");
  const more = byId("samples-more");
  const status = byId("samples-status");
  let shown = page;

  function render(): void {
    const subject = Number(subjectSelect.value);
    const task = taskSelect ? Number(taskSelect.value) : -1;
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = data.samples.flatMap((sample, i) => {
      if (task >= 0 && sample.task !== task) return [];
      const answer = () => `${haystacks[i]}\n${said(sample, subject)}`.toLowerCase();
      return words.every((word) => haystacks[i]?.includes(word) || answer().includes(word)) ? [sample] : [];
    });
    let chosen: PackedSample[] = [];
    for (const radio of document.querySelectorAll("input[name=samples-filter]")) {
      const found = fits.filter((sample) => filters[radio.value]?.(sample, subject));
      const count = document.getElementById(`count-${radio.value}`);
      if (count) count.textContent = String(found.length);
      if (radio.checked) chosen = found;
    }
    body.replaceChildren(...chosen.slice(0, shown).map((sample) => rowOf(sample, subject)));
    more.hidden = chosen.length <= shown;
    more.textContent = `Show ${Math.min(page, chosen.length - shown)} more of ${chosen.length}`;
    status.textContent = chosen.length === 0 ? "No sample matches." : "";
  }

  function rowOf(sample: PackedSample, subject: number): Element {
    const row = make("tr", "row");
    const button = make("button", "opener", short(text(sample.id), 48));
    button.setAttribute("type", "button");
    button.setAttribute("aria-expanded", "false");
    const head = make("th", "", button);
    head.setAttribute("scope", "row");
    const state = stateOf(sample, subject);
    const score = mean(sample.answers[subject]);
    const binary = data.tasks[sample.task]?.binary;
    const share = data.tasks[sample.task]?.judged === "share";
    const mark = make("span", `state ${state}`, signs[state]);
    mark.setAttribute("title", titleOf(sample, state));
    const strip = make("td", data.subjects.length > 8 ? "strip" : "strip few");
    for (const [s, { name }] of data.subjects.entries()) {
      const each = stateOf(sample, s);
      const sign = make("span", s === subject ? `${each} chosen` : each, signs[each]);
      sign.setAttribute("title", `${name}: ${titleOf(sample, each)}`);
      strip.append(sign);
    }
    row.append(
      head,
      make("td", "cut", make("bdi", "", short(rightOf(sample), 60))),
      make("td", "cut", mark, " ", make("bdi", "", short(said(sample, subject), 60))),
      make(
        "td",
        "num",
        score === null
          ? "–"
          : binary && (score === 0 || score === 1)
            ? String(score)
            : score.toFixed(share ? 2 : 3),
      ),
      strip,
      make(
        "td",
        "excerpt",
        make("bdi", "", short((text(sample.question) || text(sample.input)).replace(/\s+/g, " "), 110)),
      ),
    );
    const toggle = (): void => {
      const open = row.nextElementSibling;
      if (open?.className === "open") open.remove();
      else row.after(detailOf(sample, subject));
      button.setAttribute("aria-expanded", String(open?.className !== "open"));
    };
    row.addEventListener("click", toggle);
    return row;
  }

  function block(title: string, content: string, className = ""): Element {
    const pre = make("pre", className, content === "" ? "(empty)" : content);
    pre.setAttribute("dir", "auto");
    pre.setAttribute("tabindex", "0");
    return make("div", "block", make("div", "role", title), pre);
  }

  function detailOf(sample: PackedSample, subject: number): Element {
    const cell = make("td", "");
    cell.setAttribute("colspan", "6");
    const facts = [data.tasks[sample.task]?.name ?? "", `sample ${text(sample.id)}`];
    if (sample.group !== null) facts.push(`group ${text(sample.group)}`);
    if (sample.eyesOff) facts.push("eyes-off");
    cell.append(make("p", "facts", make("bdi", "", facts.join(" · "))));
    const shows = make("div", "sample");
    if (sample.input !== null) shows.append(block("input", text(sample.input)));
    else shows.append(make("p", "note", "The sample's text is no longer available."));
    if (sample.question !== null) shows.append(block("question", text(sample.question)));
    if (sample.options.length) {
      const choices = make("ul", "choices");
      for (const [key, label] of sample.options) {
        const gold = sample.right.some((one) => text(one) === text(key));
        const shownKey = text(key) === text(label) ? text(key) : `${text(key)} · ${text(label)}`;
        choices.append(make("li", gold ? "gold" : "", make("bdi", "", shownKey), gold ? " (right)" : ""));
      }
      shows.append(choices);
    } else if (rightOf(sample) !== "")
      shows.append(make("p", "note", "right answer: ", make("b", "", make("bdi", "", rightOf(sample)))));
    const transcript = make("div", "transcript");
    const tabs = make("div", "tabs");
    for (const [s, { name }] of data.subjects.entries()) {
      const state = stateOf(sample, s);
      if (state === "absent") continue;
      const tab = make(
        "button",
        "tab",
        make("span", `state ${state}`, signs[state]),
        " ",
        make("bdi", "", name),
      );
      tab.setAttribute("type", "button");
      const choose = (): void => {
        for (const other of tabs.querySelectorAll("button"))
          other.setAttribute("aria-pressed", String(other === tab));
        transcript.replaceChildren(...(sample.answers[s] ?? []).map((answer) => answerOf(sample, answer)));
      };
      tab.addEventListener("click", choose);
      tabs.append(tab);
      if (s === subject) choose();
    }
    cell.append(shows, tabs, transcript);
    return make("tr", "open", cell);
  }

  function costOf([calls, input, output, ms, usd]: PackedCost): string {
    const parts = [`${Number(ms.toPrecision(3)).toLocaleString("en")} ms`, `${input} + ${output} tokens`];
    if (usd > 0) parts.push(`$${Number(usd.toPrecision(2))}`);
    if (calls !== 1) parts.unshift(`${calls} calls`);
    return parts.join(" · ");
  }

  function answerOf(sample: PackedSample, answer: PackedAnswer): Element {
    const box = make("div", "answer");
    const outcome =
      answer.cause === null
        ? `answered ${labelOf(sample, text(answer.said))} · score ${Number((answer.score ?? 0).toPrecision(3))}`
        : `unscored: ${text(answer.cause)}${answer.detail === null ? "" : ` (${text(answer.detail)})`}`;
    box.append(
      make("p", "facts", make("bdi", "", `${outcome} · seed ${answer.seed} · ${costOf(answer.cost)}`)),
    );
    const calls = answer.calls.flatMap((index) => data.calls[index] ?? []);
    for (const call of calls) box.append(...callOf(call, calls.length > 1));
    const output = calls.some((call) => text(call.output) === text(answer.raw));
    if (answer.raw !== null && !output) box.append(block("raw answer", text(answer.raw), "output"));
    if (calls.length === 0) box.append(make("p", "note", "No model was called for this answer."));
    return box;
  }

  function callOf(call: PackedCall, several: boolean): Element[] {
    const parts: Element[] = [];
    const title = [call.operation, text(call.model), text(call.format), text(call.note)]
      .filter(Boolean)
      .join(" · ");
    parts.push(make("p", "call", make("bdi", "", several ? `${title} · ${costOf(call.cost)}` : title)));
    for (const [role, content] of call.messages) parts.push(block(text(role), text(content)));
    if (call.options.length) {
      const table = make("table", "scores");
      const known = call.options.flatMap((option) => (option[1] === null ? [] : [option[1]]));
      const best = Math.max(...known);
      const total = known.reduce((sum, logprob) => sum + Math.exp(logprob - best), 0);
      const head = make("tr", "");
      for (const name of ["continuation", "log-probability", "tokens", "share"]) {
        head.append(make("th", /y$|tokens/.test(name) ? "num" : "", name));
      }
      table.append(head);
      for (const [option, logprob, tokens] of call.options) {
        const share = logprob === null ? 0 : Math.exp(logprob - best) / total;
        const bar = document.createElementNS("http://www.w3.org/2000/svg", "svg");
        const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
        rect.setAttribute("width", `${100 * share}%`);
        rect.setAttribute("height", "8");
        bar.setAttribute("height", "8");
        bar.append(rect);
        table.append(
          make(
            "tr",
            "",
            make("td", "", make("code", "", text(option))),
            make("td", "num", logprob === null ? "–" : logprob.toFixed(3).replace("-", "\u2212")),
            make("td", "num", String(tokens)),
            make(
              "td",
              "share",
              bar,
              make("span", "", logprob === null ? "–" : `${(100 * share).toFixed(1)}%`),
            ),
          ),
        );
      }
      parts.push(make("div", "block", make("div", "role", "options"), table));
    }
    if (call.output !== null) parts.push(block("output", text(call.output), "output"));
    return parts;
  }

  for (const control of document.querySelectorAll("#samples-controls input, #samples-controls select")) {
    const update = (): void => {
      shown = page;
      render();
    };
    control.addEventListener(control.dataset.live ? "input" : "change", update);
  }
  more.addEventListener("click", () => {
    shown += page;
    render();
  });
  byId("samples-controls").hidden = false;
  byId("samples-table").hidden = false;
  render();
}
