// The page's script for movements: plays a trial, with the arm as it moved and the muscles that moved it.
// `playMovements` is inserted into the page as source text, so it must be self-contained: types may be imported, values may not.

import type { Document, Element } from "./dom.js";

/** Lengths in mm with y down the page, flat pairs; activation in thousandths; dt in s. */
export interface PackedMotion {
  dt: number;
  /** One pair, or one for each entry of `hand`. */
  target: number[];
  hand: number[];
  /** Null if the body is not an arm. */
  elbow: number[] | null;
  activation: number[][];
}

export interface PackedMovements {
  tasks: {
    /** The view box, in mm. */
    frame: number[];
    grid: string;
    trials: string[];
    subjects: { name: string; style: string }[];
    /** Indexes in `subjects` of a lesioned subject and of its intact one. */
    lesioned: number[][];
    /** By subject, then by trial. */
    motions: (PackedMotion | null)[][];
  }[];
}

declare const document: Document;
declare function requestAnimationFrame(draw: (now: number) => void): number;
declare function matchMedia(query: string): { matches: boolean };

export function playMovements(): void {
  const source = document.getElementById("movements-data");
  if (!source) return;
  const data = JSON.parse(source.textContent) as PackedMovements;
  const byId = (id: string): Element => document.getElementById(id) as Element;
  const stage = byId("movement-stage");
  const taskSelect = document.getElementById("movement-task");
  const subjectSelect = byId("movement-subject");
  const besideSelect = byId("movement-beside");
  const trialSelect = byId("movement-trial");
  const pace = byId("movement-pace");
  const button = byId("movement-play");
  const slider = byId("movement-time");
  const now = byId("movement-now");
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  const task = (): PackedMovements["tasks"][number] =>
    data.tasks[taskSelect ? Number(taskSelect.value) : 0] as PackedMovements["tasks"][number];
  const motionOf = (subject: number): PackedMotion | null =>
    subject < 0 ? null : (task().motions[subject]?.[Number(trialSelect.value)] ?? null);
  /** The first is the chosen subject's, drawn over the one beside it. */
  let motions: (PackedMotion | null)[] = [];
  let draws: ((frame: number) => void)[] = [];
  let most = 0;
  let playing = false;
  /** Counts plays, so that the next frame of a stopped play is not drawn by the play after it. */
  let run = 0;

  function option(value: number, name: string): Element {
    const element = document.createElement("option");
    element.value = String(value);
    element.textContent = name;
    return element;
  }

  function shape(name: string, style: string, attributes: Record<string, string | number>): Element {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    element.setAttribute("class", style);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
    stage.append(element);
    return element;
  }

  /** The point of a flat list of pairs at a frame that may lie between two entries. */
  function at(pairs: readonly number[], frame: number): [number, number] {
    const i = Math.min(Math.floor(frame), pairs.length / 2 - 1);
    const share = frame - i;
    const part = (k: number): number => {
      const from = pairs[2 * i + k] ?? 0;
      return from + share * ((pairs[2 * i + 2 + k] ?? from) - from);
    };
    return [part(0), part(1)];
  }
  const line = (pairs: readonly number[], end: number): string => {
    let path = "";
    for (let i = 0; i <= end; i++) path += `${i === 0 ? "M" : "L"}${pairs[2 * i]} ${pairs[2 * i + 1]}`;
    return path + (end % 1 > 0 ? `L${at(pairs, end).join(" ")}` : "");
  };
  const last = (motion: PackedMotion | null | undefined): number => (motion ? motion.hand.length / 2 - 1 : 0);

  function setUp(): void {
    const { frame, grid, subjects } = task();
    const unit = (frame[2] ?? 1000) / 100;
    stage.setAttribute("viewBox", frame.join(" "));
    stage.replaceChildren();
    shape("path", "grid", { d: grid });
    motions = [motionOf(Number(subjectSelect.value)), motionOf(Number(besideSelect.value))];
    const [main] = motions;
    draws = [];
    if (main) {
      if (main.target.length > 2) shape("path", "way", { d: line(main.target, last(main)) });
      const target = shape("circle", "target", { r: 1.5 * unit });
      draws.push((step) => {
        const [x, y] = main.target.length > 2 ? at(main.target, Math.floor(step)) : at(main.target, 0);
        target.setAttribute("cx", String(x));
        target.setAttribute("cy", String(y));
      });
    }
    for (const [i, motion] of [...motions.entries()].reverse()) {
      if (!motion) continue;
      const style = i === 0 ? (subjects[Number(subjectSelect.value)]?.style ?? "") : "beside";
      const end = last(motion);
      shape("path", `hand whole ${style}`, { d: line(motion.hand, end) });
      const trail = shape("path", `hand ${style}`, {});
      const arm = motion.elbow && shape("path", `arm ${style}`, {});
      const joints = (motion.elbow ? ["joint", "joint", "joint"] : ["joint"]).map((joint) =>
        shape("circle", `${joint} ${style}`, { r: unit }),
      );
      draws.push((step) => {
        const frameNow = Math.min(step, end);
        const hand = at(motion.hand, frameNow);
        const places: [number, number][] = motion.elbow ? [[0, 0], at(motion.elbow, frameNow), hand] : [hand];
        trail.setAttribute("d", line(motion.hand, frameNow));
        arm?.setAttribute("d", `M${places.map((place) => place.join(" ")).join("L")}`);
        for (const [k, joint] of joints.entries()) {
          joint.setAttribute("cx", String(places[k]?.[0]));
          joint.setAttribute("cy", String(places[k]?.[1]));
        }
      });
    }
    stage.setAttribute(
      "aria-label",
      `${subjects[Number(subjectSelect.value)]?.name}, trial ${task().trials[Number(trialSelect.value)]}, from above`,
    );
    button.setAttribute("aria-disabled", String(!main));
    most = Math.max(last(motions[0]), last(motions[1]));
    slider.setAttribute("max", String(most));
  }

  function draw(frame: number): void {
    for (const each of draws) each(frame);
    const [main] = motions;
    if (!main) {
      now.textContent = "This subject did not move in this trial.";
      return;
    }
    const step = Math.min(frame, last(main));
    const [x, y] = at(main.hand, step);
    const [goalX, goalY] = main.target.length > 2 ? at(main.target, Math.floor(step)) : at(main.target, 0);
    const seconds = `${(frame * main.dt).toFixed(2)} s`;
    const away = `${(Math.hypot(x - goalX, y - goalY) / 1000).toFixed(3)} m from the target`;
    now.textContent = `${seconds}, ${away}`;
    slider.setAttribute("aria-valuetext", `${seconds}, ${away}`);
    for (const [m, level] of (main.activation[Math.floor(step)] ?? []).entries()) {
      document.getElementById(`movement-muscle-${m}`)?.setAttribute("width", `${level / 10}%`);
    }
  }

  function stop(): void {
    playing = false;
    button.textContent = "Play";
  }

  function play(): void {
    const [main] = motions;
    if (!main) return;
    playing = true;
    button.textContent = "Pause";
    const mine = ++run;
    let position = Number(slider.value) >= most ? 0 : Number(slider.value);
    let before: number | undefined;
    const tick = (time: number): void => {
      if (!playing || mine !== run) return;
      position += ((time - (before ?? time)) / 1000 / main.dt) * Number(pace.value);
      before = time;
      const gap = still.matches ? Math.max(1, most / 8) : 0;
      const shown = position >= most ? most : gap > 0 ? Math.floor(position / gap) * gap : position;
      slider.value = String(Math.floor(shown));
      draw(shown);
      if (position < most) requestAnimationFrame(tick);
      else stop();
    };
    requestAnimationFrame(tick);
  }

  /** Shows a new choice at its end, with its whole path. */
  function renew(): void {
    stop();
    setUp();
    slider.value = String(most);
    draw(most);
  }

  function renewTask(): void {
    const { subjects, trials, lesioned } = task();
    const [cut, intact] = lesioned[0] ?? [0, -1];
    subjectSelect.replaceChildren(...subjects.map(({ name }, i) => option(i, name)));
    besideSelect.replaceChildren(option(-1, "nothing"), ...subjects.map(({ name }, i) => option(i, name)));
    trialSelect.replaceChildren(...trials.map((name, i) => option(i, name)));
    subjectSelect.value = String(cut);
    besideSelect.value = String(intact);
    renew();
  }

  for (const select of [subjectSelect, besideSelect, trialSelect]) select.addEventListener("change", renew);
  taskSelect?.addEventListener("change", renewTask);
  slider.addEventListener("input", () => {
    stop();
    draw(Number(slider.value));
  });
  button.addEventListener("click", () => (playing ? stop() : play()));
  byId("movement-still").hidden = !still.matches;
  byId("movement-player").hidden = false;
  renewTask();
}
