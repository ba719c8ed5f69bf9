import { defineConfig } from "vitest/config";
import base, { smokes } from "./vitest.config.js";

/** The smoke of every paper and shipped study, one after the other on all cores: `npm run test:papers`. */
export default defineConfig({
  ...base,
  test: { ...base.test, include: smokes, exclude: [], maxWorkers: 1, env: {} },
});
