// The report's section on games: the leaderboard of each, and the frame in which episode-player.ts replays any hand.

import type { Result, StudyRecord } from "../core/record.js";
import { detailOf } from "../core/record.js";
import type { PackedEpisode, PackedEpisodes } from "./episode-player.js";
import type { Replayed, TaskEpisodes } from "./episodes.js";
import { embedJson, type Html, html, escapeMarkdown as md, oneLine } from "./escape.js";
import { formatBare, formatInterval, metricHead } from "./format.js";
import { section, table } from "./markdown-parts.js";

/** Details that a leaderboard shows beside the score, by name. */
const shares = ["beliefs", "illegal", "replaced"] as const;

const note =
  "Everyone played the same deals, in every seat, against the same opponent. After an illegal answer the player was asked once more; if that answer was illegal too, the safest legal move (check, fold, stand) replaced it. Both columns are shares of a deal's decisions, averaged over deals; such decisions count in the score.";

interface Line {
  name: string;
  score: string;
  interval: string;
  n: number;
  shares: string[];
}

function linesOf(record: StudyRecord, { task, subjects }: TaskEpisodes): Line[] {
  const card = record.tasks[task];
  return subjects.flatMap((s) => {
    const name = record.subjects[s]?.name ?? "";
    const result = record.results.find((one) => one.subject === name && one.task === card?.name);
    if (!card || !result) return [];
    const { display } = card.metric;
    return [
      {
        name: oneLine(name, 64),
        score: formatBare(result.mean, result.n, display),
        interval: formatInterval(result.low, result.high, result.n, display),
        n: result.n,
        shares: shares.map((share) => shareText(record, result, share)),
      },
    ];
  });
}

function shareText(record: StudyRecord, result: Result, share: string): string {
  const value = result.details[share];
  return value === undefined
    ? "–"
    : formatBare(value, result.n, detailOf(record, result.task, share).display);
}

function titleOf({ title, opponent }: TaskEpisodes): string {
  return opponent === undefined ? title : `${title} against ${opponent}`;
}

/** The section's body; empty if the study kept no episodes. */
export function episodeSection(record: StudyRecord, all: readonly TaskEpisodes[]): Html {
  const [first] = all;
  if (!first) return html``;
  const boards = all.map((one) => {
    const { metric } = record.tasks[one.task] as StudyRecord["tasks"][number];
    const rows = linesOf(record, one).map(
      ({ name, score, interval, n, shares: told }) =>
        html`<tr><th scope="row"><bdi>${name}</bdi></th><td>${score}</td><td>${interval}</td><td>${n}</td>${told.map((text) => html`<td>${text}</td>`)}</tr>`,
    );
    return html`<h3><bdi>${oneLine(titleOf(one), 120)}</bdi></h3>
<table><thead><tr><th scope="col">player</th><th scope="col">${metricHead(metric)}</th><th scope="col">95 % interval</th><th scope="col">deals</th><th scope="col">beliefs right, %</th><th scope="col">illegal, %</th><th scope="col">replaced, %</th></tr></thead><tbody>${rows}</tbody></table>`;
  });
  const task = html`<label>Game <select id="episode-task">${all.map((one, i) => html`<option value="${i}">${oneLine(record.tasks[one.task]?.name ?? "", 64)}</option>`)}</select></label> `;
  const left = all.reduce((sum, { leftOut }) => sum + leftOut, 0);
  return html`<p class="note">${note}</p>${boards}
<div class="player" id="episode-player" hidden><h3>Replay of a hand</h3>
<div class="controls">${all.length > 1 && task}<label>Player <select id="episode-subject"></select></label> <label>Deal <select id="episode-deal"></select></label> <label>Seat <select id="episode-seat"></select></label></div>
<div class="controls transport"><button type="button" class="play" id="episode-back">Back</button><button type="button" class="play" id="episode-on">Next</button><input type="range" id="episode-at" min="0" max="1" step="1" value="0" aria-label="move"><span id="episode-now"></span></div>
<ol class="moves" id="episode-moves"></ol>${left > 0 && html`<p class="note">${left} deals are left out to save space.</p>`}</div>`;
}

/** The leaderboards in Markdown. */
export function episodeWords(record: StudyRecord, all: readonly TaskEpisodes[]): string[] {
  const tables = all.flatMap((one) => {
    const { metric } = record.tasks[one.task] as StudyRecord["tasks"][number];
    const rows = linesOf(record, one).map(({ name, score, interval, n, shares: told }) => [
      md(name, 64),
      score,
      interval,
      String(n),
      ...told,
    ]);
    const head = [
      "player",
      md(metricHead(metric), 40),
      "95 % interval",
      "deals",
      "beliefs right, %",
      "illegal, %",
      "replaced, %",
    ];
    return [`### ${md(titleOf(one), 120)}`, table(head, rows, [0])];
  });
  return section("Games", tables.length > 0 ? [note, ...tables] : []);
}

/** What the player needs, as escaped JSON; every text is stored once. */
export function packEpisodes(record: StudyRecord, all: readonly TaskEpisodes[]): string {
  const strings: string[] = [];
  const places = new Map<string, number>();
  const place = (text: string): number => {
    const line = oneLine(text, 300);
    const known = places.get(line) ?? strings.length;
    if (known === strings.length) {
      strings.push(line);
      places.set(line, known);
    }
    return known;
  };
  const pack = ({ seat, frames, outcome, illegal, beliefs }: Replayed): PackedEpisode => ({
    seat,
    frames: frames.map(({ seat: who, move, tell }) => [who, place(move), place(tell)]),
    notes: [
      ...illegal.flatMap(({ at, wrote, again, by }): [number, number][] => [
        [at + 1, place(`illegal answer (${by}): ${wrote}`)],
        ...(again === undefined
          ? []
          : [[at + 1, place(`second answer, also illegal: ${again}`)] as [number, number]]),
      ]),
      ...beliefs.map(({ at, name, answer, truth }): [number, number] => [
        at + 1,
        place(`${name}: ${answer || "no answer"}, ${answer === truth ? "right" : `truth ${truth}`}`),
      ]),
    ],
    outcome: place(outcome),
  });
  const packed: PackedEpisodes = {
    strings,
    tasks: all.map(({ deals, subjects, episodes }) => ({
      deals: deals.map((deal) => oneLine(deal, 64)),
      subjects: subjects.map((s) => oneLine(record.subjects[s]?.name ?? "", 64)),
      episodes: episodes.map((row) => row.map((hands) => hands.map(pack))),
    })),
  };
  return embedJson(packed);
}
