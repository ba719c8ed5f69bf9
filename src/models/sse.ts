// Server-sent events, as far as endpoints use them: the data of each event. Chunks may be split anywhere, inside a
// character or between CR and LF. It neither reconnects nor reads event names and ids.

import { StringDecoder } from "node:string_decoder";

export interface SseParser {
  /** Takes the next bytes of the stream and calls `onData` for every event that they complete. */
  push(chunk: Buffer): void;
}

/**
 * @param onData told the data of each event: its `data:` lines joined by line feeds
 * @example
 * const parser = createSseParser((data) => console.log(data));
 * parser.push(Buffer.from("data: one\n\n"));
 */
export function createSseParser(onData: (data: string) => void): SseParser {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  let data: string | undefined;
  let first = true;
  /** The last line ended in CR at the end of a chunk: a LF that follows belongs to it. */
  let afterCr = false;

  function line(text: string): void {
    if (text === "") {
      if (data !== undefined) onData(data);
      data = undefined;
      return;
    }
    if (!text.startsWith("data")) return;
    const value = text[4] === ":" ? text.slice(text[5] === " " ? 6 : 5) : text.length === 4 ? "" : undefined;
    if (value !== undefined) data = data === undefined ? value : `${data}\n${value}`;
  }

  return {
    push(chunk) {
      let text = decoder.write(chunk);
      if (text === "") return;
      if (first && text.charCodeAt(0) === 0xfeff) text = text.slice(1);
      first = false;
      if (afterCr && text.startsWith("\n")) text = text.slice(1);
      afterCr = text === "" ? false : text.endsWith("\r");
      // Only the new text can end a line: searching all of `rest` again would be quadratic in a long line.
      let begin = 0;
      for (let i = 0; i < text.length; i++) {
        const code = text.charCodeAt(i);
        if (code !== 10 && code !== 13) continue;
        line(rest + text.slice(begin, i));
        rest = "";
        if (code === 13 && text.charCodeAt(i + 1) === 10) i++;
        begin = i + 1;
      }
      rest += text.slice(begin);
    },
  };
}
