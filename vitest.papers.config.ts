import { defineConfig } from "vitest/config";
import base, { papers } from "./vitest.config.js";

/** The smoke of every paper on its real model, one after the other on all cores: `npm run test:papers`. */
export default defineConfig({ ...base, test: { ...base.test, include: [papers], exclude: [], env: {} } });
