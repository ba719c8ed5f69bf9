// The report's door: what other folders import. Escaping and formats may also be imported file by file.
export { outcomesCsv } from "./csv.js";
export { csvCell, escapeHtml, escapeMarkdown, oneLine, plainText } from "./escape.js";
export { writeReport } from "./report.js";
export { renderSummary } from "./terminal.js";
