// A specializer maps a subject to a subject of the same kind. It does so in two steps, and that split is what makes a
// specialist resumable, savable and servable: `fit` learns a state (plain JSON) from train and dev; `apply` turns a
// subject and that state into the specialist, deterministically and without the data.

import type { Artifacts } from "./artifacts.js";
import type { CallContext } from "./call.js";
import type { Json } from "./json.js";
import type { Grant, LanguageModel, LanguageSubject } from "./language.js";
import type { Sample } from "./sample.js";
import type { LanguageTask, Subject, Task } from "./task.js";

/** What every specializer in a study gets, the same for all. */
export interface Given<T extends Task = LanguageTask> {
  task: T;
  train: readonly Sample[];
  dev: readonly Sample[];
  seed: number;
  /** The study's sentence encoder, loaded on first use. */
  encoder: () => Promise<LanguageModel>;
  /** Where files lie that are too large for a state. */
  readonly artifacts: Artifacts;
  /** Absolute folder that relative `file:` sources start from. */
  readonly base: string;
  context: CallContext;
  /**
   * Fits another specializer, or finds what was made so before. It can only be found for the study's own subject and for
   * this very object; with anything else (a part of train, another subject) it is fitted.
   */
  build?: (specializer: Specializer, subject: LanguageSubject, given: Given) => Promise<Json>;
  /** Tells the person how far a long fit has come. */
  progress: (done: number, total: number, note?: string) => void;
}

/** What is given for a subject of this kind: its task is one that can be put to it. */
export type GivenFor<S extends Subject> = Given<S extends LanguageSubject ? LanguageTask : Task<S>>;

/** What `apply` may use at answering time. */
export interface Tools {
  encoder: () => Promise<LanguageModel>;
  /** Finds what fitting kept; answering keeps nothing new. */
  readonly artifacts: Pick<Artifacts, "path">;
}

/** Maps a subject to a subject of the same kind: `fit` learns a state from train and dev, `apply` makes the specialist from it. */
export interface Specializer<State extends Json = Json, S extends Subject = LanguageSubject> {
  /** The name in the typed table and in study files. */
  readonly name: string;
  /** How it is called in tables, options included: `knn(k=8, bm25)`. */
  readonly label: string;
  /** Everything that the caller chose, for the fingerprint and the report. */
  readonly options: Json;
  /** What it must be able to ask of the subject's model. */
  readonly needs: readonly Grant[];
  /** Which subjects it can be put to; language alone where absent. */
  readonly subjects?: readonly Subject["kind"][];
  /** True for what every expensive route must beat and that needs no model: `majority`, `linear`. */
  readonly reference?: boolean;
  /** True where the result depends on the seed; others are fitted once. */
  readonly seeded: boolean;
  fit(subject: S, given: GivenFor<S>): Promise<State>;
  /**
   * The same for several seeds at once, where that is cheaper than one after the other: each gets what it would get alone.
   * `given.seed` is the first. The states are in the order of the seeds.
   */
  fitAll?(subject: S, given: GivenFor<S>, seeds: readonly number[]): Promise<State[]>;
  apply(subject: S, state: State, tools: Tools): S;
}
