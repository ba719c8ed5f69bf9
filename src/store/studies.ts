// Studies in the journal: what each was asked to do, how long it ran, and the result that it ended with.

import { HoneError } from "../core/errors.js";
import type { StudyRecord } from "../core/record.js";
import { DamagedRecord, type OnDamaged } from "./damage.js";
import { fromText, toText } from "./records.js";
import type { SqliteFile } from "./sqlite.js";

export interface StudyRow {
  name: string;
  plan: string;
  spec: string;
  /** To be read with `resultOf`. */
  record: string | null;
  /** Seconds spent running, over all its runs. */
  seconds: number;
  started: number;
  finished: number | null;
}

/**
 * The result that a study ended with, if it has one.
 * @throws DamagedRecord; OlderResult if an older version wrote it, whose answers can still be used
 */
export function resultOf(
  { name, record }: Pick<StudyRow, "name" | "record">,
  path: string,
): StudyRecord | undefined {
  if (record === null) return undefined;
  const result = fromText<StudyRecord>(record, `the result of ${name}`, path);
  if (result.tasks.every(({ metric }) => typeof metric === "object")) return result;
  throw new OlderResult(name, path, result.hone);
}

/** The result of an earlier run; undefined also where it is damaged or of an older version, and the next result replaces it. */
export function readableResult(row: StudyRow | undefined, path: string): StudyRecord | undefined {
  try {
    return row && resultOf(row, path);
  } catch (error) {
    if (error instanceof DamagedRecord || error instanceof OlderResult) return undefined;
    throw error;
  }
}

/** A result that an older version wrote, in a form that is no longer read. */
export class OlderResult extends HoneError {
  constructor(study: string, path: string, version: string) {
    super({
      what: `The result of ${study} was written by an older Hone`,
      where: path,
      why: `it is of version ${version}, whose results record less about their metrics`,
      next: "Run the study again: answers that the journal holds are not asked for again.",
    });
  }
}

const studyColumns = {
  ...({ name: "text", plan: "text", spec: "text", record: "text?" } as const),
  ...({ seconds: "number", started: "number", finished: "number?" } as const),
} as const;

export function makeStudies(db: SqliteFile) {
  const getStudy = db.select(studyColumns, "from studies where name = ?");
  const allStudies = db.select({ name: "text", started: "number" }, "from studies order by started desc");
  const putStudy = db.write(
    `insert into studies (name, plan, spec, started) values (?,?,?,?) on conflict (name) do update set
       plan = excluded.plan, spec = excluded.spec, seconds = case when plan = excluded.plan then seconds else 0 end,
       record = case when plan = excluded.plan then record else null end,
       finished = case when plan = excluded.plan then finished else null end`,
  );
  const addSeconds = db.write("update studies set seconds = seconds + ? where name = ?");
  const putRecord = db.write("update studies set record = ?, finished = ? where name = ?");

  return {
    /** Starts or continues a study. A changed plan drops the old record, never the calls and outcomes. */
    startStudy(name: string, plan: string, spec: string): void {
      putStudy(name, plan, spec, Date.now());
    },
    addSeconds(name: string, seconds: number): void {
      addSeconds(seconds, name);
    },
    finishStudy(name: string, record: StudyRecord): void {
      putRecord(toText(record), Date.now(), name);
    },
    study(name: string): StudyRow | undefined {
      return getStudy.get(name);
    },
    /** The newest first. @param onDamaged receives studies that cannot be read, which are then skipped */
    studies(onDamaged?: OnDamaged): Pick<StudyRow, "name" | "started">[] {
      return [...allStudies.iterate([], onDamaged)];
    },
  };
}
