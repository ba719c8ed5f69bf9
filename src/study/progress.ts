// How far a study has come: counts, spending, the running score, and when it will be done. Answers are weighted by the effort
// that they take their subject, and making specialists counts, so that the share is one of time.

import type { Cost } from "../core/call.js";
import type { Estimate, TaskCard } from "../core/record.js";
import { meanInterval } from "../statistics/index.js";
import type { Phase, StudyEvent } from "./events.js";
import type { PreparedStudy, PreparedTask } from "./prepare.js";

const quietMs = 250;
/** Seconds to read a token, and to make a specialist, until something was measured: used for the share alone, and
 * rather long, so that better estimates move the share up and not back. */
const [guessedPerToken, guessedFit] = [0.02, 1];

/** A stretch of work on one subject with one seed. */
export interface Stretch {
  phase: Phase;
  subject: string;
  task: Pick<TaskCard, "name" | "metric" | "aggregated">;
  seed: number;
  /** Answers to give; 0 if a specialist is made. */
  total: number;
}

export interface Progress {
  /** Relative effort of a subject's answers, in tokens; 0 if it uses no model. */
  effort: (subject: string, tokens: number | undefined) => void;
  /** Seconds that making a specialist will take; 0 if it is made already. */
  fitSeconds: (subject: string, seed: number, seconds: number | null) => void;
  /** Begins a stretch. @param width answers in flight at once */
  begin: (stretch: Stretch, width?: number) => void;
  /** One sample is done; `score` is null if it is unscored. */
  sample: (score: number | null, cost: Cost) => void;
  /** Progress of work that has no samples: a fit. */
  note: (done: number, total: number, note?: string) => void;
  end: () => void;
}

interface Tracked extends Stretch {
  done: number;
  /** Of a fit: seconds estimated or taken; null while unknown. */
  seconds: number | null;
  over: boolean;
}

/** How fast a subject answers: only calls that were made, not those from the journal. */
interface Pace {
  answers: number;
  ms: number;
  /** Answers whose calls were all made before, for another subject or by an earlier run. */
  shared: number;
}

/**
 * @param stretches all of the study, in their order
 * @param spent by this run so far, without what the journal answered
 */
export function makeProgress(
  stretches: readonly Stretch[],
  emit: (event: StudyEvent) => void,
  spent: () => Cost,
): Progress {
  const all = stretches.map((one): Tracked => ({ ...one, done: 0, seconds: null, over: false }));
  const totalAll = all.reduce((sum, { phase, total }) => sum + (phase === "hand-over" ? 0 : total), 0);
  const efforts = new Map<string, number>();
  const paces = new Map<string, Pace>();
  let at: Tracked | undefined;
  let width = 1;
  let shown = { done: 0, total: 0 };
  let scores: number[] = [];
  let unscored = 0;
  let doneAll = 0;
  let paid = spent().calls;
  let credit = 0;
  let last = 0;
  let share = 0;
  let begun = performance.now();
  let since = begun;

  const find = ({ phase, subject, task, seed }: Stretch) =>
    all.find(
      (one) =>
        one.phase === phase &&
        (phase === "hand-over" ||
          (one.subject === subject && one.task.name === task.name && one.seed === seed)),
    );

  /** Seconds per token, over all subjects that were measured; undefined before. */
  const perToken = (): number | undefined => {
    let [ms, tokens] = [0, 0];
    for (const [subject, pace] of paces) {
      const effort = efforts.get(subject) ?? 0;
      if (effort === 0 || !measured(pace)) continue;
      ms += pace.ms;
      tokens += effort * pace.answers;
    }
    return tokens > 0 ? ms / 1000 / tokens : undefined;
  };
  const measured = ({ answers }: Pace) => answers >= Math.max(3, 2 * width);
  const meanEffort = () => {
    const known = [...efforts.values()].filter((one) => one > 0);
    return known.length > 0 ? known.reduce((a, b) => a + b, 0) / known.length : 100;
  };
  /** Seconds per answer: measured, or estimated from its effort; undefined if neither is known yet. */
  const perAnswer = (subject: string): number | undefined => {
    const pace = paces.get(subject);
    if (pace && measured(pace)) return pace.ms / 1000 / pace.answers;
    // A subject whose calls were all made before by others is expected to go on so.
    if (pace && pace.answers === 0 && pace.shared >= 3) return 0;
    const effort = efforts.get(subject);
    if (effort === 0) return 0;
    const speed = perToken();
    return speed === undefined ? undefined : speed * (effort ?? meanEffort());
  };

  const reckon = (): { share: number; left: number | null } => {
    let [made, left] = [0, 0];
    let known = true;
    for (const one of all) {
      if (one.phase === "fit") {
        const taken = one === at ? (performance.now() - begun) / 1000 : 0;
        const whole = one.seconds ?? (one.over ? 0 : guessedFit);
        if (one.seconds === null && !one.over && one !== at) known = false;
        if (one.over) made += whole;
        else {
          made += taken;
          // The longer of what this fit reports to be left, and what was estimated for it.
          const told = one === at && shown.done > 0 ? (taken * (shown.total - shown.done)) / shown.done : 0;
          left += Math.max(told, whole - taken, 0);
        }
        continue;
      }
      const pace = perAnswer(one.subject);
      if (pace === undefined) known = false;
      const each = pace ?? guessedPerToken * (efforts.get(one.subject) ?? meanEffort());
      made += one.done * each;
      if (!one.over) left += (one.total - one.done) * each;
    }
    const now = left === 0 && all.every(({ over }) => over) ? 1 : made / Math.max(1e-9, made + left);
    return { share: now, left: known ? left : null };
  };

  // A figure that is not a mean is not reported before the end.
  const running = (): Estimate | null =>
    scores.length === 0 || at?.task.aggregated ? null : meanInterval(scores, { seed: 0 });
  const send = (force: boolean, note?: string): void => {
    const now = performance.now();
    if (!at || (!force && now - last < quietMs)) return;
    last = now;
    const reckoned = reckon();
    // A falling share would suggest that work was undone.
    share = Math.max(share, reckoned.share);
    const { calls: _calls, ...cost } = spent();
    emit({
      type: "progress",
      phase: at.phase,
      subject: at.subject,
      task: at.task.name,
      metric: at.task.metric.name,
      display: at.task.metric.display,
      done: shown.done,
      total: shown.total,
      doneAll,
      totalAll,
      share,
      unscored,
      running: running(),
      tokens: cost.inputTokens + cost.outputTokens,
      usd: cost.usd,
      etaSeconds: reckoned.left === null ? null : Math.round(reckoned.left),
      ...(note === undefined ? {} : { note }),
    });
  };
  return {
    effort(subject, tokens) {
      if (tokens !== undefined) efforts.set(subject, tokens);
    },
    fitSeconds(subject, seed, seconds) {
      const fit = all.find((one) => one.phase === "fit" && one.subject === subject && one.seed === seed);
      if (fit) fit.seconds = seconds;
    },
    begin(stretch, atOnce = 1) {
      at = find(stretch) ?? { ...stretch, done: 0, seconds: null, over: false };
      at.subject = stretch.subject;
      width = atOnce;
      shown = { done: 0, total: stretch.total };
      scores = [];
      unscored = 0;
      begun = performance.now();
      since = begun;
      send(true);
    },
    sample(score, cost) {
      const now = performance.now();
      doneAll++;
      shown.done++;
      if (at) at.done++;
      if (score === null) unscored++;
      else scores.push(score);
      const { calls } = spent();
      credit += calls - paid;
      paid = calls;
      // Calls from the journal took no time, and do not predict those to come.
      const fresh = cost.calls > 0 ? credit > 0 : cost.ms > 0;
      if (at && (fresh || cost.calls > 0)) {
        const pace = paces.get(at.subject) ?? { answers: 0, ms: 0, shared: 0 };
        if (fresh) {
          credit = Math.max(0, credit - cost.calls);
          paces.set(at.subject, { ...pace, answers: pace.answers + 1, ms: pace.ms + now - since });
        } else paces.set(at.subject, { ...pace, shared: pace.shared + 1 });
      }
      since = now;
      send(false);
    },
    note(done, total, note) {
      shown = { done, total };
      if (at?.phase === "hand-over") at.done = done;
      send(false, note);
    },
    end() {
      if (!at) return;
      at.over = true;
      if (at.phase === "fit") at.seconds = (performance.now() - begun) / 1000;
      send(true);
    },
  };
}

/** All stretches of a study, in order: progress is measured against them. */
export function stretchesOf({ spec, arms, domain, elsewhere }: PreparedStudy, devOnly = false): Stretch[] {
  const each = (phase: Phase, { card }: PreparedTask, total: number): Stretch[] =>
    arms.flatMap(({ name, seeds }) =>
      seeds.map((seed) => ({ phase, subject: name, task: card, seed, total })),
    );
  const { counts } = domain.card;
  const sealed = [...each("fit", domain, 0), ...each("dev", domain, counts.dev)];
  if (devOnly) return sealed;
  return [
    ...sealed,
    ...each("test", domain, counts.test),
    ...elsewhere.flatMap((other) => each("elsewhere", other, other.card.counts.test)),
    {
      phase: "hand-over",
      subject: "",
      task: domain.card,
      seed: 0,
      total: Math.min(spec.handOver, counts.test),
    },
  ];
}
