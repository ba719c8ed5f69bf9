// The journal: every call, every outcome, every opening of a test split, in one SQLite file. What is done within one turn
// of the event loop is committed together, and nothing counts as finished before its commit (write-ahead log): a process
// killed at any moment loses nothing finished, and a commit is paid for once by all that are in flight.
// It knows nothing of studies' plans or of statistics, and it never sees a key or a header.

import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import Database from "libsql";
import type { Call, CallFailure, Cost, Operation } from "../core/call.js";
import { HoneError, messageOf } from "../core/errors.js";
import type { Outcome } from "../core/outcome.js";
import type { SplitName } from "../core/sample.js";

const schemaVersion = 1;

// Keys are random, so tables that hold long rows keep them in order of arrival and index the keys apart: inserting into a
// tree of long rows in random order took half again as long.

const schema = `
create table if not exists calls (
  key text primary key, model text not null, operation text not null, request text not null, response text not null,
  calls integer not null, input integer not null, output integer not null, ms real not null, usd real not null,
  at integer not null);
create table if not exists failures (
  key text not null, model text not null, operation text not null, failure text not null, message text not null, at integer not null);
create table if not exists outcomes (
  subject text not null, task text not null, split text not null, seed integer not null, sample text not null,
  status text not null, score real, outcome text not null, at integer not null,
  primary key (subject, task, split, seed, sample));
create table if not exists samples (
  task text not null, sample text not null, content text not null, primary key (task, sample));
create table if not exists builds (
  subject text primary key, state text not null, cost text not null, seconds real not null, at integer not null) without rowid;
create table if not exists openings (
  test text not null, plan text not null, study text not null, reason text not null, at integer not null,
  primary key (test, plan)) without rowid;
create table if not exists studies (
  name text primary key, plan text not null, spec text not null, record text, seconds real not null default 0,
  started integer not null, finished integer) without rowid;
create table if not exists locks (
  name text primary key, owner text not null, pid integer not null, host text not null, beat integer not null) without rowid;
`;

/** What making a specialist left behind: its state and what it took. */
export interface Build {
  state: string;
  cost: Cost;
  seconds: number;
}

export interface StudyRow {
  name: string;
  plan: string;
  spec: string;
  record: string | null;
  /** Seconds spent running, over all its runs. */
  seconds: number;
  started: number;
  finished: number | null;
}

export interface OutcomeFilter {
  subject: string;
  task: string;
  split: SplitName;
}

/** As much of SQLite as the lock and the tests use. */
export interface Connection {
  prepare: (sql: string) => {
    get: (...values: unknown[]) => unknown;
    all: (...values: unknown[]) => unknown[];
    run: (...values: unknown[]) => { changes: number };
  };
  exec: (sql: string) => unknown;
}

export type Journal = ReturnType<typeof openJournal>;

/**
 * Opens the journal at a path, making it and its folder if need be. `:memory:` keeps nothing.
 * @throws HoneError when the file is not a journal or cannot be written
 */
export function openJournal(path: string) {
  const db = connect(path);
  const prepare = (sql: string) => db.prepare(sql);
  const getCall = prepare("select * from calls where key = ?");
  const putCall = prepare("insert or ignore into calls values (?,?,?,?,?,?,?,?,?,?,?)");
  const putFailure = prepare("insert into failures values (?,?,?,?,?,?)");
  const putOutcome = prepare("insert or ignore into outcomes values (?,?,?,?,?,?,?,?,?)");
  const dropOutcome = prepare(
    "delete from outcomes where subject = ? and task = ? and split = ? and seed = ? and sample = ?",
  );
  const outcomesOf = prepare(
    "select outcome from outcomes where subject = ? and task = ? and split = ? order by sample, seed",
  );
  const doneOf = prepare(
    "select sample, score from outcomes where subject = ? and task = ? and split = ? and seed = ?",
  );
  const putSample = prepare("insert or ignore into samples values (?,?,?)");
  const getSample = prepare("select content from samples where task = ? and sample = ?");
  const getBuild = prepare("select state, cost, seconds from builds where subject = ?");
  const putBuild = prepare("insert or ignore into builds values (?,?,?,?,?)");
  const dropBuild = prepare("delete from builds where subject = ?");
  const putOpening = prepare("insert or ignore into openings values (?,?,?,?,?)");
  const countOpenings = prepare("select count(*) as n from openings where test = ?");
  const getStudy = prepare("select * from studies where name = ?");
  const allStudies = prepare("select * from studies order by started desc");
  const putStudy = prepare(
    `insert into studies (name, plan, spec, started) values (?,?,?,?) on conflict (name) do update set
       plan = excluded.plan, spec = excluded.spec, seconds = case when plan = excluded.plan then seconds else 0 end,
       record = case when plan = excluded.plan then record else null end,
       finished = case when plan = excluded.plan then finished else null end`,
  );
  const addSeconds = prepare("update studies set seconds = seconds + ? where name = ?");
  const putRecord = prepare("update studies set record = ?, finished = ? where name = ?");

  let queued: (() => void)[] = [];
  let committed: Promise<void> | undefined;
  const commit = (): void => {
    const work = queued;
    queued = [];
    committed = undefined;
    if (work.length === 0) return;
    db.exec("begin immediate");
    try {
      for (const write of work) write();
      db.exec("commit");
    } catch (error) {
      db.exec("rollback");
      throw error;
    }
  };
  /** Resolves when the write is on disk, together with all others of this turn. */
  const soon = (write: () => void): Promise<void> => {
    queued.push(write);
    committed ??= new Promise((resolve, reject) => {
      setImmediate(() => {
        try {
          commit();
          resolve();
        } catch (error) {
          reject(error);
        }
      });
    });
    return committed;
  };

  return {
    path,

    call(key: string): Call | undefined {
      const row = getCall.get(key) as CallRow | undefined;
      return row && toCall(row);
    },
    /** Resolves when the call is on disk. */
    recordCall(call: Call): Promise<void> {
      const { key, model, operation } = call;
      const { calls, inputTokens, outputTokens, ms, usd } = call.cost;
      const at = Date.now();
      const [request, response] = [JSON.stringify(call.request), JSON.stringify(call.response)];
      return soon(() => {
        putCall.run(key, model, operation, request, response, calls, inputTokens, outputTokens, ms, usd, at);
      });
    },
    recordFailure(
      key: string,
      model: string,
      operation: Operation,
      failure: CallFailure,
      message: string,
    ): void {
      putFailure.run(key, model, operation, failure, message.slice(0, 2000), Date.now());
    },

    /** The samples that have an outcome, with its score, or null where they are unscored. */
    done(filter: OutcomeFilter, seed: number): Map<string, number | null> {
      const rows = doneOf.all(filter.subject, filter.task, filter.split, seed) as {
        sample: string;
        score: number | null;
      }[];
      return new Map(rows.map((row) => [row.sample, row.score]));
    },
    /**
     * Keeps the first outcome of a sample, and what the sample showed; a second outcome for the same subject, task, split
     * and seed changes nothing unless it `replaces` the first. Resolves when both are on disk.
     */
    recordOutcome(outcome: Outcome, content: string, replaces = false): Promise<void> {
      const { subject, task, split, seed, sample, grade } = outcome;
      const score = grade.status === "scored" ? grade.score : null;
      const text = JSON.stringify(outcome);
      const at = Date.now();
      return soon(() => {
        if (replaces) dropOutcome.run(subject, task, split, seed, sample);
        putOutcome.run(subject, task, split, seed, sample, grade.status, score, text, at);
        putSample.run(task, sample, content);
      });
    },
    *outcomes(filter: OutcomeFilter): Generator<Outcome> {
      for (const row of outcomesOf.iterate(filter.subject, filter.task, filter.split)) {
        yield JSON.parse((row as { outcome: string }).outcome) as Outcome;
      }
    },
    sample(task: string, sample: string): string | undefined {
      return (getSample.get(task, sample) as { content: string } | undefined)?.content;
    },

    build(subject: string): Build | undefined {
      const row = getBuild.get(subject) as { state: string; cost: string; seconds: number } | undefined;
      return row && { state: row.state, cost: JSON.parse(row.cost) as Cost, seconds: row.seconds };
    },
    /** @param again replaces what is there: a build whose files were lost */
    recordBuild(subject: string, build: Build, again = false): void {
      if (again) dropBuild.run(subject);
      putBuild.run(subject, build.state, JSON.stringify(build.cost), build.seconds, Date.now());
    },

    /** Writes down that a plan opens a test split. The same plan may open it again (to resume) without being counted twice. */
    recordOpening(test: string, plan: string, study: string, reason: string): void {
      putOpening.run(test, plan, study, reason, Date.now());
    },
    openings(test: string): number {
      return (countOpenings.get(test) as { n: number }).n;
    },

    /** Starts or continues a study. A changed plan forgets the old record, never the calls and outcomes. */
    startStudy(name: string, plan: string, spec: string): void {
      putStudy.run(name, plan, spec, Date.now());
    },
    addSeconds(name: string, seconds: number): void {
      addSeconds.run(seconds, name);
    },
    finishStudy(name: string, record: unknown): void {
      putRecord.run(JSON.stringify(record), Date.now(), name);
    },
    study(name: string): StudyRow | undefined {
      return getStudy.get(name) as StudyRow | undefined;
    },
    studies(): StudyRow[] {
      return allStudies.all() as StudyRow[];
    },

    /** The connection, for the lock beside this file. */
    db: db as Connection,
    close(): void {
      commit();
      db.close();
    },
  };
}

interface CallRow {
  key: string;
  model: string;
  operation: Operation;
  request: string;
  response: string;
  calls: number;
  input: number;
  output: number;
  ms: number;
  usd: number;
}

function toCall(row: CallRow): Call {
  const cost = {
    calls: row.calls,
    inputTokens: row.input,
    outputTokens: row.output,
    ms: row.ms,
    usd: row.usd,
  };
  const { key, model, operation } = row;
  return {
    key,
    model,
    operation,
    request: JSON.parse(row.request),
    response: JSON.parse(row.response),
    cost,
  };
}

function connect(path: string): Database.Database {
  try {
    if (path !== ":memory:") mkdirSync(dirname(path), { recursive: true });
    const db = new Database(path);
    // NORMAL survives any death of the process; only a power cut can lose the last moments.
    db.exec("pragma busy_timeout = 10000; pragma journal_mode = wal; pragma synchronous = normal;");
    const { user_version: version } = db.prepare("pragma user_version").get() as { user_version: number };
    if (version > schemaVersion) {
      throw new HoneError({
        what: "Cannot open the journal",
        where: path,
        why: `it was written by a newer Hone (format ${version}, this one knows ${schemaVersion})`,
        next: "Update Hone, or name another folder with --store.",
      });
    }
    db.exec(schema);
    db.exec(`pragma user_version = ${schemaVersion};`);
    return db;
  } catch (error) {
    if (error instanceof HoneError) throw error;
    throw new HoneError({
      what: "Cannot open the journal",
      where: path,
      why: messageOf(error),
      next: "Check that the folder can be written and that the file is a Hone journal; or name another with --store.",
      cause: error,
    });
  }
}
