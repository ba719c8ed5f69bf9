// hone serve STUDY|SPECIALIST|MODEL…: specialists and models behind one server, until it is stopped.

import { resolve } from "node:path";
import { plainText } from "../report/escape.js";
import { checkServed } from "../serve/check.js";
import { nameAndRef } from "../serve/served.js";
import { type ServeOptions, serve } from "../serve/server.js";
import { makeOutput } from "./output.js";
import { stopSignals } from "./stop.js";

export async function serveCommand(
  refs: string[],
  flags: Omit<ServeOptions, "log" | "open" | "names"> & { json?: boolean; name?: string[]; check?: number },
): Promise<void> {
  const output = makeOutput(flags);
  const { name, check, ...options } = flags;
  const stop = stopSignals(output.log);
  const serving = await serve(refs, {
    ...options,
    ...(name ? { names: name } : {}),
    log: (text) => output.log(plainText(`! ${text}`)),
  });
  const { url, token, models } = serving;
  output.record({ type: "listening", url, token, models });
  if (!flags.json) {
    output.say(`Serving ${models.map((one) => plainText(one)).join(", ")} at ${url}/v1`);
    output.say(`Token: ${token}`);
    output.prose(
      `\nTry:\n  curl ${url}/v1/models -H "Authorization: Bearer ${token}"\n\nCtrl-C stops once requests in flight are answered.`,
    );
  }
  for (const [i, one] of check === undefined ? [] : models.entries()) {
    const { alias, ref } = nameAndRef(refs[i] as string);
    const found = await checkServed(serving, one, {
      store: resolve(flags.store ?? ".hone"),
      study: alias === undefined ? one : ref,
      most: check as number,
      signal: stop.drain,
    });
    if (!found) {
      output.log(
        plainText(`${one} is not checked: it is not the champion of a finished study in this store`),
      );
      continue;
    }
    output.record({ type: "checked", ...found });
    const differing = found.differing.length > 0 ? `: ${found.differing.slice(0, 5).join(", ")}` : "";
    output.log(
      plainText(
        `${one} through the server: ${found.agree} of ${found.n} test samples answered as measured${differing}`,
      ),
    );
  }
  await new Promise<void>((stopped) => {
    for (const signal of [stop.drain, stop.abort]) {
      if (signal.aborted) stopped();
      signal.addEventListener("abort", () => stopped(), { once: true });
    }
  });
  stop.abort.addEventListener("abort", () => serving.abort(), { once: true });
  await serving.stop();
  stop.off();
  output.record({ type: "stopped" });
  // Stopping a server on request is success.
  process.exitCode = 0;
}
