// The report's exports for other folders. Escaping and formats may also be imported file by file.

export { outcomesCsv } from "./csv.js";
export type { Limits } from "./details.js";
export { csvCell, escapeHtml, escapeMarkdown, oneLine, plainText } from "./escape.js";
export type { SampleText, Source } from "./gather.js";
export { type ReportRequest, type Written, writeReport } from "./report.js";
export { renderSummary, type SummaryOptions } from "./terminal.js";
