// The data layer's public names: sources, readers, templates, splits, leakage, sealing, data sets.

export { cacheFolder } from "./cache.js";
export { type Dataset, type DatasetOptions, loadDataset } from "./dataset.js";
export { shownPath } from "./files.js";
export { findLeaks, type Leak, nearGroups, normalizeText, type TextItem } from "./leakage.js";
export { countRows, formatOf, type ReadOptions, readRows } from "./readers.js";
export {
  type Encoding,
  encodings,
  type Format,
  formats,
  type Reading,
  type Row,
  readingOf,
} from "./reading.js";
export { type DatasetSpec, datasetSchema } from "./schema.js";
export { eyesOff, type Opening, type SealedTest, sealTest, type TestIdentity } from "./sealed.js";
export { type ResolvedSource, resolveSource, type SourceOptions } from "./sources.js";
export {
  assignSplits,
  capByHash,
  codesOf,
  largestRemainder,
  parts,
  type Shares,
  type SplitPlan,
  type SplitRows,
  unitHash,
  unused,
} from "./split.js";
export { type SplitFileOptions, type SplitFileResult, sensibleShares, splitFile } from "./splitfile.js";
export { asText, compileTemplate, field, fillTemplate, isTemplate } from "./template.js";
export { foldLabel } from "./values.js";
