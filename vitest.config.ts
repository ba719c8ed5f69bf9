import { configDefaults, defineConfig } from "vitest/config";

/**
 * Every published study at a small size, on its real model, and the check that the demo's test has no row of an earlier
 * figure; these are run apart, by `npm run test:papers`.
 */
export const smokes = ["test/papers/smoke.test.ts", "test/examples.test.ts", "test/data/licences.test.ts"];

export default defineConfig({
  // Examples import Hone by its name.
  resolve: { alias: { "@honelab/hone": new URL("./src/index.ts", import.meta.url).pathname } },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, ...smokes],
    globalSetup: ["test/setup.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Files of a worker share the modules that are loaded, which takes longer than most files' tests.
    isolate: false,
    // One more than cores, for some tests mostly wait; with many more, real models get in each other's way.
    maxWorkers: 3,
    // Nor more threads than cores: ONNX Runtime's wait for each other by spinning.
    env: { HONE_THREADS: "1" },
  },
});
