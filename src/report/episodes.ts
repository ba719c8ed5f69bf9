// The episodes of games that a study kept with its outcomes, put in order for the report: who played which deals, move by move.

import type { EpisodeTrail } from "../core/language.js";
import type { Outcome } from "../core/outcome.js";
import type { StudyRecord } from "../core/record.js";
import { dealOf, type Frame, gameEntry, replay } from "../games/index.js";

/** Most frames in one report, of all tasks and subjects: deals beyond that are left out, the last ones first. */
const maxFrames = 40_000;

/** One episode, replayed. */
export interface Replayed {
  seat: number;
  frames: Frame[];
  outcome: string;
  payoff: number;
  illegal: EpisodeTrail["illegal"];
  beliefs: EpisodeTrail["beliefs"];
}

/** What a task's replays are made from. */
export interface TaskEpisodes {
  task: number;
  title: string;
  unit: string;
  opponent: string | undefined;
  /** Ids of the deals, the same for every subject. */
  deals: string[];
  /** Indexes of the record's subjects, those with the best score first. */
  subjects: number[];
  /** By subject, then by deal: an episode for each seat; none if the sample was not scored. */
  episodes: Replayed[][][];
  /** Deals that were left out for lack of room. */
  leftOut: number;
}

/** Collects test outcomes one by one, in any order, and returns the episodes to show. */
export function collectEpisodes(record: StudyRecord): {
  see: (task: number, subject: number, outcome: Outcome) => void;
  all: () => TaskEpisodes[];
} {
  const kept = new Map<number, Map<string, { seed: number; trail: EpisodeTrail[] }>>();
  return {
    see(task, subject, { sample, seed, grade }) {
      const trail = (grade.trail ?? []).flatMap((step) => (step.kind === "episode" ? [step] : []));
      if (trail.length === 0) return;
      const own = kept.get(task) ?? new Map<string, { seed: number; trail: EpisodeTrail[] }>();
      const key = `${subject}\n${sample}`;
      // Of several seeds the first is shown, whatever the order in which they come.
      if ((own.get(key)?.seed ?? Number.POSITIVE_INFINITY) <= seed) return;
      own.set(key, { seed, trail });
      kept.set(task, own);
    },
    all() {
      let room = maxFrames;
      return [...kept]
        .sort(([a], [b]) => a - b)
        .flatMap(([task, own]) => {
          const arranged = arrange(record, task, own, room);
          if (!arranged) return [];
          room -= arranged.episodes.flat(2).reduce((sum, { frames }) => sum + frames.length, 0);
          return [arranged];
        });
    },
  };
}

function arrange(
  record: StudyRecord,
  task: number,
  kept: ReadonlyMap<string, { trail: EpisodeTrail[] }>,
  room: number,
): TaskEpisodes | undefined {
  const [some] = [...kept.values()].flatMap(({ trail }) => trail);
  const name = record.tasks[task]?.name;
  const scoreOf = (subject: number): number => {
    const own = record.subjects[subject]?.name;
    return (
      record.results.find((one) => one.subject === own && one.task === name)?.mean ?? Number.NEGATIVE_INFINITY
    );
  };
  const subjects = record.subjects
    .map((_, s) => s)
    .filter((s) => [...kept.keys()].some((key) => key.startsWith(`${s}\n`)))
    .sort((a, b) => scoreOf(b) - scoreOf(a));
  const ids = [...new Set([...kept.keys()].map((key) => key.slice(key.indexOf("\n") + 1)))];
  const sorted = ids.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const deals: string[] = [];
  const episodes: Replayed[][][] = subjects.map(() => []);
  let left = room;
  for (const deal of sorted) {
    const row = subjects.map((s) => (kept.get(`${s}\n${deal}`)?.trail ?? []).flatMap(soundReplay));
    left -= row.flat().reduce((sum, { frames }) => sum + frames.length, 0);
    if (left < 0) break;
    deals.push(deal);
    row.forEach((one, i) => {
      episodes[i]?.push(one);
    });
  }
  if (!some || deals.length === 0) return undefined;
  const game = safely(() => gameEntry(some.game).game);
  if (!game) return undefined;
  const { title, unit } = game;
  const leftOut = sorted.length - deals.length;
  return { task, title, unit, opponent: some.opponent, deals, subjects, episodes, leftOut };
}

/** Outcomes come from a file on disk: what cannot be replayed is left out. */
function soundReplay(trail: EpisodeTrail): Replayed[] {
  const made = safely(() => {
    const { game } = gameEntry(trail.game);
    const { frames, outcome } = replay(game, dealOf(game, trail.seed, trail.number), trail.moves);
    if (outcome === undefined) return undefined;
    const { seat, payoff, illegal, beliefs } = trail;
    return { seat, frames, outcome, payoff, illegal: [...illegal], beliefs: [...beliefs] };
  });
  return made ? [made] : [];
}

function safely<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
