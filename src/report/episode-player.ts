// The page's script for games: replays any hand, move by move, with the subject's beliefs and illegal moves.
// `playEpisodes` is inserted into the page as source text, so it must be self-contained: types may be imported, values may not.

import type { Document, Element } from "./dom.js";

/** One episode; texts are indexes into the list of strings. */
export interface PackedEpisode {
  seat: number;
  /** Seat, move and the position after it; the first has seat -1. */
  frames: [seat: number, move: number, tell: number][];
  /** Notes to show, each with its frame. */
  notes: [frame: number, text: number][];
  outcome: number;
}

export interface PackedEpisodes {
  strings: string[];
  tasks: {
    deals: string[];
    subjects: string[];
    /** By subject, then by deal, then by seat. */
    episodes: PackedEpisode[][][];
  }[];
}

declare const document: Document;

export function playEpisodes(): void {
  const source = document.getElementById("episodes-data");
  if (!source) return;
  const data = JSON.parse(source.textContent) as PackedEpisodes;
  const byId = (id: string): Element => document.getElementById(id) as Element;
  const taskSelect = document.getElementById("episode-task");
  const subjectSelect = byId("episode-subject");
  const dealSelect = byId("episode-deal");
  const seatSelect = byId("episode-seat");
  const list = byId("episode-moves");
  const slider = byId("episode-at");
  const now = byId("episode-now");
  const task = (): PackedEpisodes["tasks"][number] =>
    data.tasks[taskSelect ? Number(taskSelect.value) : 0] as PackedEpisodes["tasks"][number];
  const seats = (): PackedEpisode[] =>
    task().episodes[Number(subjectSelect.value)]?.[Number(dealSelect.value)] ?? [];
  const episode = (): PackedEpisode | undefined => seats()[Number(seatSelect.value)];
  const text = (at: number): string => data.strings[at] ?? "";

  function make(name: string, className: string, content: string): Element {
    const element = document.createElement(name);
    element.className = className;
    element.textContent = content;
    return element;
  }

  function option(value: number, name: string): Element {
    const element = make("option", "", name);
    element.value = String(value);
    return element;
  }

  /** Shows the moves up to the slider's. */
  function show(): void {
    const shown = episode();
    if (!shown) {
      list.replaceChildren(make("li", "quiet", "This hand was not scored."));
      now.textContent = "";
      return;
    }
    const last = shown.frames.length - 1;
    const at = Math.min(Number(slider.value), last);
    const rows = shown.frames.slice(0, at + 1).map(([seat, move, tell], i) => {
      const who = seat < 0 ? "the deal" : seat === shown.seat ? "subject" : "opponent";
      const row = make("li", seat === shown.seat ? "own" : "", "");
      row.append(
        make("b", "", seat < 0 ? who : `${who}: ${text(move)}`),
        make("span", "quiet", ` ${text(tell)}`),
      );
      for (const [frame, note] of shown.notes) if (frame === i) row.append(make("em", "", ` ${text(note)}`));
      return row;
    });
    if (at === last) rows.push(make("li", "", text(shown.outcome)));
    list.replaceChildren(...rows);
    now.textContent = `move ${at} of ${last}`;
    slider.setAttribute("aria-valuetext", now.textContent);
  }

  /** Shows a new choice at its end. */
  function renew(): void {
    const last = (episode()?.frames.length ?? 1) - 1;
    slider.setAttribute("max", String(last));
    slider.value = String(last);
    show();
  }

  function renewSeats(): void {
    seatSelect.replaceChildren(...seats().map(({ seat }, i) => option(i, `seat ${seat}`)));
    renew();
  }

  function renewTask(): void {
    const { subjects, deals } = task();
    subjectSelect.replaceChildren(...subjects.map((name, i) => option(i, name)));
    dealSelect.replaceChildren(...deals.map((name, i) => option(i, name)));
    renewSeats();
  }

  function step(by: number): void {
    slider.value = String(Math.max(0, Number(slider.value) + by));
    show();
  }

  taskSelect?.addEventListener("change", renewTask);
  for (const select of [subjectSelect, dealSelect]) select.addEventListener("change", renewSeats);
  seatSelect.addEventListener("change", renew);
  slider.addEventListener("input", show);
  byId("episode-back").addEventListener("click", () => step(-1));
  byId("episode-on").addEventListener("click", () => step(1));
  byId("episode-player").hidden = false;
  renewTask();
}
