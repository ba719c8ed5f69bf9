// What lies in a store is its owner's alone: folders 0700, files 0600, whatever the umask. Samples, prompts and answers can
// be confidential, and other people have accounts on the same machine.
import { chmod, lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
/** How folders of a store are made. */
export const privateFolder = { recursive: true, mode: 0o700 };
export const privateFile = { mode: 0o600 };
/** Takes what was written there, by whatever means, from everybody but its owner. */
export async function makePrivate(path) {
  const found = await lstat(path).catch((error) => {
    // Another process may have replaced it meanwhile.
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (found?.isDirectory()) {
    await chmod(path, 0o700);
    for (const name of await readdir(path)) await makePrivate(join(path, name));
  } else if (found?.isFile() && (found.mode & 0o777) !== 0o600) await chmod(path, 0o600);
}
