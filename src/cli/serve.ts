// hone serve STUDY|SPECIALIST|MODEL…: specialists and models behind one server, until it is stopped.

import { plainText } from "../report/escape.js";
import { type ServeOptions, serve } from "../serve/server.js";
import { makeOutput } from "./output.js";
import { stopSignals } from "./stop.js";

export async function serveCommand(
  refs: string[],
  flags: Omit<ServeOptions, "log" | "open" | "names"> & { json?: boolean; name?: string[] },
): Promise<void> {
  const output = makeOutput(flags);
  const { name, ...options } = flags;
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
      `\nTry:\n  curl ${url}/v1/models -H "Authorization: Bearer ${token}"\n\nCtrl-C stops after what is in flight.`,
    );
  }
  await new Promise<void>((resolve) => {
    for (const signal of [stop.drain, stop.abort]) {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    }
  });
  stop.abort.addEventListener("abort", () => serving.abort(), { once: true });
  await serving.stop();
  stop.off();
  output.record({ type: "stopped" });
  // A server that was told to stop has done its work.
  process.exitCode = 0;
}
