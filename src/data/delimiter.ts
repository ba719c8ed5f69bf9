// Which character separates the fields of a CSV file, told from its first records.

const candidates = [",", ";", "\t", "|"];
const mostChars = 64 * 1024;
const mostRecords = 100;

/**
 * The candidate by which most records have as many fields as the first one (or as `width` says), and the more fields the
 * better; `usual` where the first record holds none of them.
 * @param head the text's beginning; more than the first 64 KiB are not looked at
 */
export function findDelimiter(head: string, usual: string, width?: number): string {
  const records = countSeparators(head.slice(0, mostChars));
  let best = usual;
  let bestShare = 0;
  let bestFields = 0;
  for (const candidate of [usual, ...candidates.filter((one) => one !== usual)]) {
    const at = candidates.indexOf(candidate);
    const expected = width === undefined ? (records[0]?.[at] ?? 0) : width - 1;
    const share = records.filter((counts) => counts[at] === expected).length / records.length;
    if (expected < 1 || share < bestShare || (share === bestShare && expected <= bestFields)) continue;
    best = candidate;
    bestShare = share;
    bestFields = expected;
  }
  return best;
}

/** How often each candidate stands outside quotes, record by record. The last record may be cut and counts only alone. */
function countSeparators(text: string): number[][] {
  const records: number[][] = [];
  let counts = candidates.map(() => 0);
  let quoted = false;
  let mayOpen = true; // a quote opens a quoted field at the field's start, and again after "" inside one
  let blank = true;
  for (const char of text) {
    if (quoted) {
      quoted = char !== '"';
      mayOpen = true;
    } else if (char === "\n" || char === "\r") {
      if (!blank) records.push(counts);
      if (records.length === mostRecords) return records;
      counts = candidates.map(() => 0);
      mayOpen = true;
      blank = true;
      continue;
    } else {
      const at = candidates.indexOf(char);
      if (at >= 0) counts[at]!++;
      else if (char === '"' && mayOpen) quoted = true;
      mayOpen = at >= 0;
    }
    blank = false;
  }
  if (records.length === 0) records.push(counts);
  return records;
}
