// Parses server-sent events as far as endpoints use them: the data of each event. Chunks may be split anywhere, inside a
// character or between CR and LF. The parser neither reconnects nor reads event names and ids.

import { notUtf8 } from "./http.js";
import { AttemptFailed } from "./retry.js";

export interface SseParser {
  /**
   * Takes the next bytes of the stream and calls `onData` for every event that they complete.
   * @throws AttemptFailed if they are not UTF-8
   */
  push(chunk: Buffer): void;
}

/**
 * @param onData called with the data of each event: its `data:` lines joined by line feeds
 * @example
 * const parser = createSseParser((data) => console.log(data));
 * parser.push(Buffer.from("data: one\n\n"));
 */
export function createSseParser(onData: (data: string) => void): SseParser {
  // The decoder also drops a byte order mark.
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decode = (chunk: Buffer): string => {
    try {
      return decoder.decode(chunk, { stream: true });
    } catch {
      throw new AttemptFailed("malformed", notUtf8, { retry: true });
    }
  };
  let rest = "";
  let data: string | undefined;
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
      let text = decode(chunk);
      if (text === "") return;
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
