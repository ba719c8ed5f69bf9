// The mock endpoint as a separate process, so that a client's figures include only the client's CPU.
// node bench/harness/server.js [--latency MS] [--port N] [--model REF]; its first line is {"url": …}; it ends with stdin.

import { parseArgs } from "node:util";
import { startMockServer } from "../../dist/models/mock-server.js";

const { values } = parseArgs({
  options: {
    latency: { type: "string", default: "20" },
    port: { type: "string", default: "0" },
    model: { type: "string", default: "?skill=0.7&seed=1" },
  },
});
const server = await startMockServer({
  latencyMs: Number(values.latency),
  port: Number(values.port),
  model: values.model,
});
process.stdout.write(`${JSON.stringify({ url: server.url, pid: process.pid })}\n`);
// If the parent dies, the pipe closes and the server ends.
process.stdin.resume();
process.stdin.on("end", () => server.close().then(() => process.exit(0)));
