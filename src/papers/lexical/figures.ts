// The lexical reproduction's figures: read back from its studies, for tables and for the record.

import type { Estimate } from "../../core/record.js";
import { constraintStatistics } from "../../data/constraints.js";
import { crossedMean, type Row } from "../figures.js";
import { type Given, type PaperTable, paperTable } from "../paper.js";
import type { FinishedStudy, Plan } from "../plans.js";
import {
  cellName,
  englishTasks,
  generalist,
  layerName,
  modellingTask,
  ngrams,
  specialist,
  type TaskKey,
  taskName,
  taskNames,
  vectors,
  withGlosses,
} from "./plans.js";
import type { LexicalData } from "./read.js";
import type { LexicalSettings } from "./settings.js";

const keys = Object.keys(taskNames) as TaskKey[];

type Figures = ReturnType<typeof lexicalFigures>;
type Told = Given<LexicalSettings, LexicalData>;

/** Scored rows by arm and task of the studies that are finished. */
export function lexicalFigures(studies: readonly { plan: Plan; study: FinishedStudy | undefined }[]) {
  const found = (part: string) => studies.find(({ plan }) => plan.part === part)?.study;
  const [study, english, modelling] = [found("words"), found("english"), found("modelling")];
  const of = (from: FinishedStudy | undefined, arm: string, task: string): readonly Row[] =>
    (from?.rows(arm) ?? []).filter((row) => row.task === task);
  return {
    study,
    english,
    modelling,
    rows: (arm: string, task: TaskKey) => of(study, arm, taskName(task)),
    inEnglish: (arm: string, task: keyof typeof englishTasks) => of(english, arm, englishTasks[task]),
    bits: (arm: string) => of(modelling, arm, modellingTask),
  };
}

export function lexicalTables(
  { study, english, modelling, rows, inEnglish, bits }: Figures,
  { settings, models, data }: Told,
): PaperTable[] {
  const spoken = (found: { mean: number | null; low: number; high: number } | null | undefined) =>
    found && found.mean !== null ? `${shown(found.mean)} (${shown(found.low)} to ${shown(found.high)})` : "";
  const own = layerOf(models);
  const layers = [...settings.layers, ...(own === undefined ? [] : [own])].sort((a, b) => a - b);
  const nameOf = (layer: number) => (layer === own ? generalist : layerName(layer));
  const figure = (arm: string, task: TaskKey) =>
    task === "similarity" && study ? correlation(study, arm) : crossedMean(rows(arm, task));
  const { languages } = constraintStatistics(data.constraints);
  return [
    paperTable(
      "Figures by subject (95 %)",
      ["subject", ...keys.map((task) => taskNames[task])],
      study ? armsOf(settings).map((arm) => [arm, ...keys.map((task) => spoken(figure(arm, task)))]) : [],
    ),
    paperTable(
      "The generalist by layer",
      ["layer", ...keys.map((task) => taskNames[task])],
      study
        ? layers.map((layer) => [
            String(layer),
            ...keys.map((task) => {
              const mean = figure(nameOf(layer), task)?.mean ?? null;
              return mean === null ? "" : shown(mean);
            }),
          ])
        : [],
      0,
    ),
    paperTable(
      "An English encoder (95 %)",
      ["subject", ...Object.values(englishTasks)],
      english
        ? englishArms.map((arm) => [
            arm,
            ...(Object.keys(englishTasks) as (keyof typeof englishTasks)[]).map((task) =>
              spoken(crossedMean(inEnglish(arm, task))),
            ),
          ])
        : [],
    ),
    paperTable(
      "Language modelling (bits per byte, 95 %)",
      ["subject", "bits per byte"],
      modelling ? [generalist, specialist].map((arm) => [arm, spoken(crossedMean(bits(arm)))]) : [],
    ),
    paperTable(
      "Constraints by language",
      ["language", "synsets", "words", "pairs"],
      Object.entries(languages).map(([language, one]) => [
        language,
        String(one.synsets),
        String(one.words),
        String(one.pairs),
      ]),
    ),
  ];
}

/** The record's fields besides claims and tables. */
export const lexicalMore = (
  { study, english, modelling, rows, inEnglish, bits }: Figures,
  { settings, data }: Told,
) => {
  const { byLanguages: _, ...constraints } = constraintStatistics(data.constraints);
  return {
    figures: study
      ? Object.fromEntries(
          armsOf(settings).map((arm) => [
            arm,
            Object.fromEntries(
              keys.map((task) => [
                taskNames[task],
                task === "similarity" ? correlation(study, arm) : crossedMean(rows(arm, task)),
              ]),
            ),
          ]),
        )
      : {},
    english: english
      ? Object.fromEntries(
          englishArms.map((arm) => [
            arm,
            Object.fromEntries(
              (Object.keys(englishTasks) as (keyof typeof englishTasks)[]).map((task) => [
                englishTasks[task],
                crossedMean(inEnglish(arm, task)),
              ]),
            ),
          ]),
        )
      : {},
    modelling: modelling
      ? Object.fromEntries([generalist, specialist].map((arm) => [arm, crossedMean(bits(arm))]))
      : {},
    constraints,
  };
};

const englishArms = [ngrams, vectors, layerName(0), generalist, specialist, withGlosses];

function armsOf(settings: LexicalSettings): string[] {
  return [
    ngrams,
    vectors,
    ...settings.layers.map(layerName),
    generalist,
    specialist,
    ...settings.constraints.flatMap((count) => [cellName(count, "few"), cellName(count, "many")]),
  ];
}

/** The layer at which the generalist is read, if its reference names one. */
function layerOf(models: readonly string[]): number | undefined {
  const found = /[?&]layer=(\d+)/.exec(models[0] ?? "")?.[1];
  return found === undefined ? undefined : Number(found);
}

/** An arm's correlation with human scores, which is not a mean over its rows. */
function correlation(study: FinishedStudy, arm: string): Estimate | null {
  const name = study.result(arm)?.subject;
  const found = study.record.results.find(
    (one) => one.subject === name && one.task === taskName("similarity"),
  );
  if (!found || found.mean === null) return null;
  const { n, mean, low, high } = found;
  return { n, mean, low, high };
}

function shown(value: number): string {
  return value.toFixed(3);
}
