// Waits until a server that was started reports its address: its first line is JSON with `url`.

/** @param child a process whose stdout is piped */
export async function urlOf(child) {
  let text = "";
  for await (const data of child.stdout) {
    text += data;
    if (text.includes("\n")) break;
  }
  if (!text.includes("\n")) throw new Error(`${child.spawnargs.join(" ")} ended before it listened`);
  // Later output is not read, and must not fill the pipe.
  child.stdout.resume();
  return JSON.parse(text.split("\n")[0]).url;
}
