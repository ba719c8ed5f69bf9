// Initializes jax-js, which traces and differentiates here and runs only small computations (on its wasm backend).

import { defaultDevice, init } from "@jax-js/jax";

let made: Promise<void> | undefined;

/** Initializes jax-js; to be awaited before its first use. */
export function readyJax(): Promise<void> {
  made ??= (async () => {
    // jax-js looks for WebGPU in `navigator`, which Node 20 lacks.
    const scope = globalThis as { navigator?: unknown };
    scope.navigator ??= {};
    await init("wasm");
    defaultDevice("wasm");
  })();
  return made;
}
