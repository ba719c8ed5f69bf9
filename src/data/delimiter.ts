// Detects which character separates the fields of a CSV file, from its first records.

const candidates = [",", ";", "\t", "|"];
const mostChars = 64 * 1024;
const mostRecords = 100;

/**
 * The candidate by which most records have as many fields as the first one (or as `width` says). Ties go to one that is
 * not prose punctuation, then to the one that yields more fields; `usual` if the first record contains no candidate.
 * @param head the text's beginning; at most its first 64 KiB are used
 */
export function findDelimiter(head: string, usual: string, width?: number): string {
  const { records, spaced } = countSeparators(head.slice(0, mostChars));
  const scored = [usual, ...candidates.filter((one) => one !== usual)].flatMap((candidate) => {
    const at = candidates.indexOf(candidate);
    const expected = width === undefined ? (records[0]?.[at] ?? 0) : width - 1;
    const share = records.filter((counts) => counts[at] === expected).length / records.length;
    const all = records.reduce((sum, counts) => sum + (counts[at] ?? 0), 0);
    const prose = (spaced[at] ?? 0) > all / 2 ? 1 : 0;
    return expected < 1 || share === 0 ? [] : [{ candidate, share, prose, expected }];
  });
  scored.sort((a, b) => b.share - a.share || a.prose - b.prose || b.expected - a.expected);
  if (scored[0]) return scored[0].candidate;
  return width === undefined ? usual : findDelimiter(head, usual);
}

/**
 * How often each candidate occurs outside quotes, per record, and how often a space follows it, in total. The last
 * record may be cut off and counts only if it is the only one.
 */
function countSeparators(text: string): { records: number[][]; spaced: number[] } {
  const records: number[][] = [];
  const spaced = candidates.map(() => 0);
  let counts = candidates.map(() => 0);
  let quoted = false;
  let mayOpen = true; // a quote opens a quoted field at the field's start, and again after "" inside one
  let blank = true;
  for (let i = 0; i < text.length && records.length < mostRecords; i++) {
    const char = text[i]!;
    if (quoted) {
      quoted = char !== '"';
      mayOpen = true;
    } else if (char === "\n" || char === "\r") {
      if (!blank) records.push(counts);
      counts = candidates.map(() => 0);
      mayOpen = true;
      blank = true;
      continue;
    } else {
      const at = candidates.indexOf(char);
      if (at >= 0) {
        counts[at]!++;
        if (text[i + 1] === " ") spaced[at]!++;
      } else if (char === '"' && mayOpen) quoted = true;
      mayOpen = at >= 0;
    }
    blank = false;
  }
  if (records.length === 0) records.push(counts);
  return { records, spaced };
}
