// Text in terminal columns: measuring its width, cutting or padding it to a width, and wrapping it.

/** Columns that a terminal gives to `text`: none for marks and joiners, two for wide East Asian letters and emoji. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/[\p{M}\u200c\u200d]/u.test(character)) continue;
    const wide =
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u;
    width += wide.test(character) ? 2 : 1;
  }
  return width;
}

/** `text` cut or filled to exactly `width` columns. */
export function pad(text: string, width: number): string {
  if (displayWidth(text) <= width) return text + " ".repeat(width - displayWidth(text));
  let cut = "";
  for (const character of text) {
    if (displayWidth(cut + character) > width - 1) break;
    cut += character;
  }
  return `${cut}…${" ".repeat(Math.max(0, width - 1 - displayWidth(cut)))}`;
}

/** Lines of at most `width` columns, broken at spaces; a longer word is broken where it must be. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split("\n")) {
    let line = "";
    for (let word of paragraph.split(/\s+/)) {
      while (displayWidth(word) > width) {
        if (line) lines.push(line);
        line = "";
        let head = "";
        for (const character of word) {
          if (displayWidth(head + character) > width) break;
          head += character;
        }
        lines.push(head);
        word = word.slice(head.length);
      }
      if (line && displayWidth(line) + 1 + displayWidth(word) > width) {
        lines.push(line);
        line = word;
      } else line = line ? `${line} ${word}` : word;
    }
    lines.push(line);
  }
  return lines;
}
