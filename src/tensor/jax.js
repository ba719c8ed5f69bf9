// jax-js made ready: it traces and differentiates here, and runs nothing but small things (on its wasm backend).
import { defaultDevice, init } from "@jax-js/jax";

let made;
/** Readies jax-js; to be awaited before its first use. */
export function readyJax() {
  made ??= (async () => {
    // It looks for WebGPU there, and Node 20 has no navigator.
    const scope = globalThis;
    scope.navigator ??= {};
    await init("wasm");
    defaultDevice("wasm");
  })();
  return made;
}
