// The library: the same parts that the command line uses, for programs.

export { type Artifacts, artifactsIn } from "./core/artifacts.js";
export * from "./core/call.js";
export { type Capabilities, hasCapability, requireCapability } from "./core/capabilities.js";
export * from "./core/errors.js";
export { canonicalJson, fingerprint, type Json } from "./core/json.js";
export * from "./core/kinds.js";
export * from "./core/language.js";
export * from "./core/metric.js";
export * from "./core/model.js";
export * from "./core/motor.js";
export type { Outcome } from "./core/outcome.js";
export { type Random, randomFor, shuffled } from "./core/random.js";
export * from "./core/record.js";
export type { Sample, SplitName } from "./core/sample.js";
export type { Given, LanguageSpecializer, Specializer, Tools } from "./core/specializer.js";
export {
  type Grade,
  type LanguageTask,
  type ScoredRow,
  type Task,
  type TaskContext,
  taskContext,
} from "./core/task.js";
export * from "./data/index.js";
export { type Drift, watchDrift } from "./deploy/drift.js";
export {
  type Exported,
  type ExportOptions,
  exportSpecialist,
  type ImportOptions,
  importSpecialist,
} from "./deploy/export.js";
export { type Predicting, type PredictOptions, type PredictSummary, predict } from "./deploy/predict.js";
export { openPredictor, type Prediction, type Predictor } from "./deploy/predictor.js";
export { generalist } from "./models/generalist.js";
export type { LlamaModel } from "./models/llama.js";
export { startMockServer } from "./models/mock-server.js";
export { parseChoice, renderPrompt } from "./models/prompt.js";
export { openModel } from "./models/registry.js";
export { writeReport } from "./report/index.js";
export { type ServeOptions, type Serving, serve } from "./serve/server.js";
export * from "./specializers/index.js";
export * from "./statistics/index.js";
export { type Journal, openJournal } from "./store/journal.js";
export { journaled } from "./store/journaled.js";
export { adjustFamily, compareScores } from "./study/compare.js";
export type { StudyEvent } from "./study/events.js";
export type { Extension } from "./study/extension.js";
export { openStudy } from "./study/open.js";
export { type RunOptions, runStudy } from "./study/run.js";
export { parseStudy, readStudy, type StudySpec, studyJsonSchema } from "./study/spec.js";
export { loadSpecialist } from "./study/specialist.js";
export { answer, arena, choice, makeTask, rows, type TaskEntry, taskEntry } from "./tasks/index.js";
