// Keeps a store private to its owner: folders 0700, files 0600, whatever the umask. Samples, prompts and answers can
// be confidential, and other people have accounts on the same machine.

import { chmod, lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/** How folders of a store are made. */
export const privateFolder = { recursive: true, mode: 0o700 } as const;
export const privateFile = { mode: 0o600 } as const;

/** Makes what was written there, by whatever means, accessible to its owner alone. */
export async function makePrivate(path: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    // Another process may have replaced it meanwhile.
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (found?.isDirectory()) {
    await chmod(path, 0o700);
    for (const name of await readdir(path)) await makePrivate(join(path, name));
  } else if (found?.isFile() && (found.mode & 0o777) !== 0o600) await chmod(path, 0o600);
}
