// The data layer's public names: sources, readers, templates, splits, leakage, sealing, data sets.
export { cacheFolder } from "./cache.js";
export { loadDataset } from "./dataset.js";
export { shownPath } from "./files.js";
export { findLeaks, nearGroups, normaliseText } from "./leakage.js";
export { countRows, formatOf, readRows } from "./readers.js";
export { encodings, formats, readingOf } from "./reading.js";
export { foldLabel } from "./samples.js";
export { datasetSchema } from "./schema.js";
export { eyesOff, sealTest } from "./sealed.js";
export { resolveSource } from "./sources.js";
export { assignSplits, capByHash, codesOf, largestRemainder, parts, unitHash, unused } from "./split.js";
export { sensibleShares, splitFile } from "./splitfile.js";
export { asText, compileTemplate, field, fillTemplate, isTemplate } from "./template.js";
