#!/usr/bin/env node
// Finds the built command line; says what to do where there is none.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Hone needs Node 20.19 or newer; this is ${process.version}.`);
  process.exit(1);
}
try {
  await import("../dist/cli/main.js");
} catch (error) {
  if (error?.code !== "ERR_MODULE_NOT_FOUND" || !String(error.message).includes("dist/cli/main.js"))
    throw error;
  console.error("Hone is not built yet.\n  next:  npm run build");
  process.exit(1);
}
