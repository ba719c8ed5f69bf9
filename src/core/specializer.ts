// A specializer maps a subject to a subject of the same kind. It does so in two steps, and that split is what makes a
// specialist resumable, savable and servable: `fit` learns a state (plain JSON) from train and dev; `apply` turns a
// subject and that state into the specialist, deterministically and without the data.

import type { Artifacts } from "./artifacts.js";
import type { Json } from "./json.js";
import type { Kind, Subject } from "./kinds.js";
import type { Encoder, Grant } from "./model.js";
import type { Sample } from "./sample.js";
import type { LanguageTask, Task, TaskContext } from "./task.js";

/** How much a text repeats of a held-out split. */
export interface Overlap {
  split: "dev" | "test";
  /** Length in words of the longest shared run. */
  words: number;
}

/** Tells whether a text repeats dev or test. The held-out texts themselves stay sealed. */
export interface Screen {
  overlap(text: string): Overlap | undefined;
}

/** What every specializer in a study is given, the same for all. */
export interface Given<K extends Kind = "language"> {
  task: [K] extends ["language"] ? LanguageTask : Task<K>;
  train: readonly Sample[];
  dev: readonly Sample[];
  seed: number;
  /** The study's sentence encoder, loaded on first use. */
  encoder: () => Promise<Encoder>;
  /** The store for files that are too large for a state. */
  readonly artifacts: Artifacts;
  /** Compares generated texts with dev and test; made on first use. Absent if nothing is held out. */
  readonly screen?: () => Screen;
  /** Absolute folder that relative `file:` sources are resolved against. */
  readonly base: string;
  context: TaskContext;
  /** Reports the progress of a long fit. */
  progress: (done: number, total: number, note?: string) => void;
}

/** What `apply` may use at answering time. */
export interface Tools {
  encoder: () => Promise<Encoder>;
  /** Finds what fitting stored; answering stores nothing new. */
  readonly artifacts: Pick<Artifacts, "path">;
}

/** Limits of what making a specialist may take; an absent one is not known. */
export type Ceiling = Readonly<Partial<Record<"calls" | "tokens" | "seconds" | "usd", number>>>;

/** Maps a subject to a subject of the same kind: `fit` learns a state from train and dev, `apply` makes the specialist from it. */
export interface Specializer<State extends Json = Json, K extends Kind = Kind> {
  /** The name in the typed table and in study files. */
  readonly name: string;
  /** Its name in tables, options included: `knn(k=8, bm25)`. */
  readonly label: string;
  /** Everything that the caller chose, for the fingerprint and the report. */
  readonly options: Json;
  /** Grants that it needs from the subject's model. */
  readonly needs: readonly Grant[];
  /** Kinds of subjects that it can be applied to. */
  readonly kinds: readonly Kind[];
  /** True for baselines that need no model and that every expensive method must beat: `majority`, `linear`. */
  readonly reference?: boolean;
  /** True where the result depends on the seed; others are fitted once. */
  readonly seeded: boolean;
  /** True if it chooses on dev itself (a checkpoint, one of several specializers): its own dev score is then optimistic. */
  readonly choosesOnDev?: boolean;
  /** Most that making it from some train samples may take, if its own budget limits that: a dry run then does not try it. */
  readonly ceiling?: (train: readonly Sample[]) => Ceiling;
  /** True if making it trains anything but the subject's model, such as the study's `encoder`: a dry run then does not try it. */
  readonly trains?: boolean;
  /**
   * Refuses train samples that it cannot be fitted on, too few for example: asked before a study's first call.
   * @throws HoneError with what it lacks
   */
  checkTrain?(given: Pick<Given<Kind>, "task" | "train">): void;
  /** True if it uses `screen`, so that its result depends on which texts are held out. */
  readonly screened?: boolean;
  /** Whether it uses the study's `encoder` here, so that its result depends on which one that is. Absent if it never does. */
  encodes?(given: Pick<Given<Kind>, "task" | "train" | "dev">): boolean;
  fit(subject: Subject<K>, given: Given<K>): Promise<State>;
  /**
   * Fits several seeds at once, where that is cheaper than one after the other: each result is the same as if fitted alone.
   * `given.seed` is the first. The states are in the order of the seeds.
   */
  fitAll?(subject: Subject<K>, given: Given<K>, seeds: readonly number[]): Promise<State[]>;
  apply(subject: Subject<K>, state: State, tools: Tools): Subject<K>;
}

/** A specializer for language models: it may use a task's queries and demonstrations. */
export type LanguageSpecializer<State extends Json = Json> = Specializer<State, "language">;
