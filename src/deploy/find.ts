// Finding a saved specialist: a study's champion or any other subject by name, or a specialist's file or folder.

import { existsSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { HoneError } from "../core/errors.js";
import { requireSubject } from "../study/choose-subject.js";
import { othersFolder } from "../study/handover.js";
import { openStudy } from "../study/open.js";
import { layout, type SavedSpecialist } from "../study/specialist.js";

/** A saved specialist's location, and whether a study on this machine made it. */
export interface Found {
  path: string;
  ours: boolean;
}

/**
 * Locates a specialist.
 * @param ref the name of a study in the store, or the path of a specialist's file or folder
 * @param subject with a study: the name of a subject instead of the champion
 * @throws HoneError where there is none
 */
export function findSpecialist(ref: string, options: { store: string; subject?: string | undefined }): Found {
  const { store, subject } = options;
  const inStore = /^[A-Za-z0-9][\w.-]{0,63}$/.test(ref) ? ofStudy(store, ref, subject) : undefined;
  if (inStore !== undefined) return { path: inStore, ours: true };
  const path = resolve(ref);
  if (isSpecialist(path)) {
    if (subject === undefined) return { path, ours: path.startsWith(`${resolve(store)}/`) };
    throw new HoneError({
      what: "A saved specialist has only one subject",
      where: `--subject ${subject}`,
      why: `${ref} is a specialist's ${path.endsWith(".json") ? "file" : "folder"}, not a study`,
      next: "Leave --subject out, or name the study.",
      kind: "usage",
    });
  }
  throw new HoneError({
    what: `There is no study or specialist ${ref}`,
    where: resolve(store),
    why: existsSync(path)
      ? "what is there is not a saved specialist"
      : "the store has no finished study of that name",
    next: "See `hone ls`; run the study with `hone run`, or name its store with --store.",
    kind: "usage",
  });
}

function ofStudy(store: string, study: string, subject: string | undefined): string | undefined {
  const champion = join(resolve(store), "specialists", study);
  const saved = [champion, `${champion}.json`].find(isSpecialist);
  if (saved === undefined) return undefined;
  if (subject === undefined) return saved;
  const opened = openStudy(store, study);
  try {
    const { record } = opened;
    requireSubject(record, subject);
    if (record.verdict?.champion === subject) return saved;
    const folder = othersFolder(resolve(store), study);
    const other = record.handOver?.others?.find((one) => one.subject === subject);
    const found = other && join(folder, basename(other.path));
    if (found !== undefined && isSpecialist(found)) return found;
    throw new HoneError({
      what: `${subject} was not saved`,
      where: folder,
      ...(record.handOver
        ? {
            why: "an older Hone ran the study, or the subject could not be made",
            next: "Run the study again with `hone run`: nothing is asked for twice, and every subject is saved.",
          }
        : {
            why: "the study has no verdict, and subjects are saved with it",
            next: `See why: \`hone show ${study}\`.`,
          }),
    });
  } finally {
    opened.close();
  }
}

/** @throws HoneError where rows would be sent to an endpoint chosen by the specialist's maker */
export function refuseEndpoint(saved: Pick<SavedSpecialist, "model" | "encoder">, where: string): void {
  const remote = [saved.model, saved.encoder].find((ref) => ref.startsWith("openai:"));
  if (remote === undefined) return;
  throw new HoneError({
    what: "The specialist calls an endpoint",
    where,
    why: `its model is ${remote}: your rows and the key that it names would be sent there`,
    next: "If you trust that endpoint with both, allow it: --allow-endpoint.",
    kind: "usage",
  });
}

function isSpecialist(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return existsSync(join(path, layout.specialist));
  return found?.isFile() === true && path.endsWith(".json");
}
