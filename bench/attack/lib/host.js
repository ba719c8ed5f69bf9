// A process that runs `hone` commands one after the other, each as main.js would run alone, and reports to the parent what
// they printed and how they ended. Starting Node for each would take longer than most commands; a failure here is retried
// in a separate process before it counts (cli.js).

const main = new URL("../../../dist/cli/main.js", import.meta.url).href;
const own = { ...process.env };
let current;
let serial = 0;

for (const name of ["stdout", "stderr"]) {
  process[name].write = (chunk, encoding, done) => {
    if (current) current[name] += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
    const callback = typeof encoding === "function" ? encoding : done;
    if (callback) queueMicrotask(() => callback());
    return true;
  };
}
for (const event of ["uncaughtException", "unhandledRejection"]) {
  process.on(event, (error) => {
    if (!current) return;
    current.stderr += `\n${event}: ${error?.stack ?? error}\n`;
    process.exitCode = 1;
  });
}

process.on("message", async ({ args, cwd, env }) => {
  current = { stdout: "", stderr: "" };
  for (const name of Object.keys(process.env)) if (!(name in own)) delete process.env[name];
  Object.assign(process.env, own, env);
  process.exitCode = undefined;
  process.chdir(cwd);
  process.argv = [process.argv[0], "hone", ...args];
  await import(`${main}?run=${++serial}`);
  // Lets failures of promises that nobody awaits surface now.
  await new Promise((resolve) => setTimeout(resolve, 1));
  process.stdout.removeAllListeners("error");
  const { stdout, stderr } = current;
  current = undefined;
  process.send({ code: process.exitCode ?? 0, signal: null, stdout, stderr });
});
process.on("disconnect", () => process.exit(0));
process.send("ready");
