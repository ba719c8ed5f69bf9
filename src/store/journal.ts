// The journal: every call, every outcome, every opening of a test split, in one SQLite file. Writes within one turn
// of the event loop are committed together, and nothing counts as finished before its commit (write-ahead log): a process
// killed at any moment loses nothing finished, and everything in flight shares the cost of one commit.
// It is independent of studies' plans and of statistics, and it never sees an API key or a header.

import type { Call, CallFailure, Cost, Operation } from "../core/call.js";
import type { Outcome } from "../core/outcome.js";
import type { SplitName } from "../core/sample.js";
import { groupCommits } from "./commits.js";
import { type OnDamaged, passingOver } from "./damage.js";
import { makeLocks } from "./lock.js";
import { makeOpenings } from "./openings.js";
import { checkedText, fromText, jsonOf, toText, withChecksum } from "./records.js";
import { prepareSchema } from "./schema.js";
import { isBusy, type OpenOptions, openSqlite, type Row, type SqliteFile, waitingFor } from "./sqlite.js";
import { makeStudies } from "./studies.js";

/** The result of making a specialist: its state and its cost. */
export interface Build {
  state: string;
  cost: Cost;
  seconds: number;
  /** Calls that failed for good while it was made, and that it was made without. */
  failed: number;
}

export interface OutcomeFilter {
  subject: string;
  task: string;
  split: SplitName;
}

/** An open journal: calls, builds, outcomes, openings and studies, in one SQLite file. */
export type Journal = ReturnType<typeof openJournal>;

const callColumns = {
  ...({ key: "text", model: "text", operation: "text", request: "text", response: "text" } as const),
  ...({ calls: "number", input: "number", output: "number", ms: "number", usd: "number" } as const),
} as const;
/**
 * Opens the journal at a path, creating it and its folder if needed. `:memory:` keeps nothing.
 * @throws HoneError when the file is not a journal, is damaged, or cannot be written
 */
export function openJournal(path: string, options: OpenOptions = {}) {
  const db = openSqlite(path, options);
  try {
    return journalOf(db, options);
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Opens the journal as soon as no other program holds its lock, however long that takes, without blocking the process. */
export async function openJournalWhenFree(
  path: string,
  { signal, onWait }: { signal: AbortSignal; onWait: (text: string) => void },
): Promise<Journal> {
  const started = Date.now();
  let told = false;
  for (;;) {
    try {
      const journal = openJournal(path, { onWait, patienceMs: 0 });
      journal.db.bePatient();
      return journal;
    } catch (error) {
      if (!isBusy(error)) throw error;
    }
    if (!told && Date.now() - started >= 1_000) {
      told = true;
      onWait(waitingFor(path));
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    signal.throwIfAborted();
  }
}

function journalOf(db: SqliteFile, options: OpenOptions) {
  const { path } = db;
  prepareSchema(db);
  const getCall = db.select(callColumns, "from calls where key = ?");
  const callOf = db.select({ key: "text" }, "from calls where model = ? limit 1");
  const putCall = db.write("insert or ignore into calls values (?,?,?,?,?,?,?,?,?,?,?)");
  const dropCall = db.write("delete from calls where key = ?");
  const putFailure = db.write("insert into failures values (?,?,?,?,?,?)");
  const putOutcome = db.write("insert or ignore into outcomes values (?,?,?,?,?,?,?,?,?)");
  const dropOutcome = db.write(
    "delete from outcomes where subject = ? and task = ? and split = ? and seed = ? and sample = ?",
  );
  const outcomesOf = db.select(
    { sample: "text", outcome: "text" },
    "from outcomes where subject = ? and task = ? and split = ? order by sample, seed",
  );
  const doneOf = db.select(
    { sample: "text", score: "number?" },
    "from outcomes where subject = ? and task = ? and split = ? and seed = ?",
  );
  const tasksOf = db.select(
    { task: "text" },
    "from outcomes where subject = ? and split = ? group by task order by task",
  );
  const putSample = db.write("insert or ignore into samples values (?,?,?)");
  const getSample = db.select({ content: "text" }, "from samples where task = ? and sample = ?");
  const getBuild = db.select(
    { state: "text", cost: "text", seconds: "number" },
    "from builds where subject = ?",
  );
  const putBuild = db.write("insert or ignore into builds values (?,?,?,?,?)");
  const dropBuild = db.write("delete from builds where subject = ?");
  const openings = makeOpenings(db);
  const locks = makeLocks(db);

  const { soon, flush } = groupCommits(db, options);

  /** Calls that exist but cannot be read: they are made again. */
  const unreadable = new Set<string>();
  const shared = path !== ":memory:";
  const claimOf = (key: string) => `call ${key}`;

  return {
    path,

    /** Whether a model has finished any call. */
    hasAnswered: (model: string): boolean => callOf.get(model) !== undefined,

    /** A finished call. One that is damaged counts as missing, so that it is made again. */
    call(key: string): Call | undefined {
      return passingOver(
        () => {
          const row = getCall.get(key);
          return row && toCall(row, path);
        },
        () => unreadable.add(key),
      );
    },
    /** Resolves when the call is on disk and its claim is released. */
    recordCall(call: Call): Promise<void> {
      const { key, model, operation } = call;
      const { calls, inputTokens, outputTokens, ms, usd } = call.cost;
      const at = Date.now();
      const [request, response] = [JSON.stringify(call.request), toText(call.response)];
      return soon(() => {
        if (unreadable.delete(key)) dropCall(key);
        putCall(key, model, operation, request, response, calls, inputTokens, outputTokens, ms, usd, at);
        if (shared) locks.drop(claimOf(key));
      });
    },
    /**
     * Claims a call for this process, so that no other one makes it. False if another process, or another part of
     * this one, is making it already. After true, check whether the call was finished in between.
     */
    async claim(key: string): Promise<boolean> {
      let mine = !shared;
      if (shared) {
        await soon(() => {
          mine = locks.take(claimOf(key));
        });
      }
      return mine;
    },
    /** Releases claims without a call. */
    async release(keys: readonly string[]): Promise<void> {
      if (!shared) return;
      await soon(() => {
        for (const key of keys) locks.drop(claimOf(key));
      });
    },
    recordFailure(
      key: string,
      model: string,
      operation: Operation,
      failure: CallFailure,
      message: string,
    ): Promise<void> {
      const at = Date.now();
      return soon(() => {
        putFailure(key, model, operation, failure, message.slice(0, 2000), at);
      });
    },

    /** The samples that have an outcome, with its score, or null if they are unscored. */
    done(filter: OutcomeFilter, seed: number): Map<string, number | null> {
      const rows = doneOf.iterate([filter.subject, filter.task, filter.split, seed]);
      return new Map([...rows].map((row) => [row.sample, row.score]));
    },
    /**
     * Keeps the first outcome of a sample, and the sample's content; a second outcome for the same subject, task, split
     * and seed changes nothing unless it `replaces` the first. Resolves when both are on disk.
     */
    recordOutcome(outcome: Outcome, content: string, replaces = false): Promise<void> {
      const { subject, task, split, seed, sample, grade } = outcome;
      const score = grade.status === "scored" ? grade.score : null;
      const text = toText(outcome);
      const at = Date.now();
      return soon(() => {
        if (replaces) dropOutcome(subject, task, split, seed, sample);
        putOutcome(subject, task, split, seed, sample, grade.status, score, text, at);
        putSample(task, sample, withChecksum(content));
      });
    },
    /** @param onDamaged receives outcomes that cannot be read, which are then skipped; without it the first one is thrown */
    *outcomes(filter: OutcomeFilter, onDamaged?: OnDamaged): Generator<Outcome> {
      const { subject, task, split } = filter;
      for (const { sample, outcome } of outcomesOf.iterate([subject, task, split], onDamaged)) {
        const name = `the outcome of sample ${sample}`;
        const read = passingOver(() => fromText<Outcome>(outcome, name, path), onDamaged);
        if (read !== undefined) yield read;
      }
    },
    /** Keys of the tasks that a subject has outcomes on. */
    tasksOf(subject: string, split: SplitName): string[] {
      return [...tasksOf.iterate([subject, split])].map(({ task }) => task);
    },
    sample(task: string, sample: string): string | undefined {
      const row = getSample.get(task, sample);
      return row && checkedText(row.content, `the text of sample ${sample}`, path);
    },

    build(subject: string): Build | undefined {
      const row = getBuild.get(subject);
      if (!row) return undefined;
      const name = `the specialist ${subject}`;
      const { failed = 0, ...cost } = fromText<Cost & { failed?: number }>(row.cost, name, path);
      return { state: jsonOf(row.state, name, path), cost, seconds: row.seconds, failed };
    },
    /** @param again replaces what is there: a build whose files were lost, or some of whose calls failed */
    recordBuild(subject: string, build: Build, again = false): void {
      if (again) dropBuild(subject);
      const cost = build.failed > 0 ? { ...build.cost, failed: build.failed } : build.cost;
      putBuild(subject, withChecksum(build.state), toText(cost), build.seconds, Date.now());
    },

    openings,
    ...makeStudies(db),
    locks,
    /** The connection, for tests and for `hone doctor`. */
    db,
    close(): void {
      db.patiently(() => {
        flush();
        locks.close();
      });
      if (shared) db.tidy();
      db.close();
    },
  };
}

function toCall(row: Row<typeof callColumns>, path: string): Call {
  const cost = {
    calls: row.calls,
    inputTokens: row.input,
    outputTokens: row.output,
    ms: row.ms,
    usd: row.usd,
  };
  const { key, model } = row;
  const name = `call ${key}`;
  return {
    key,
    model,
    operation: row.operation as Operation,
    request: fromText(row.request, name, path),
    response: fromText(row.response, name, path),
    cost,
  };
}
