import { availableParallelism, cpus } from "node:os";
import { afterEach, describe, expect, it, vi } from "vitest";
import { machineName, usableCores } from "../../src/core/cores.js";
import { threadOptions } from "../../src/tensor/threads.js";

afterEach(() => vi.unstubAllEnvs());

describe("threads", () => {
  it("are as many as HONE_THREADS says, at most those that the system gives", () => {
    vi.stubEnv("HONE_THREADS", "1");
    expect(usableCores()).toBe(1);
    expect(threadOptions()).toEqual(cpus().length > 1 ? { intraOpNumThreads: 1 } : {});
    expect(threadOptions(3)).toEqual({ intraOpNumThreads: 3 });
    vi.stubEnv("HONE_THREADS", "9999");
    expect(usableCores()).toBe(availableParallelism());
  });

  it("are ONNX Runtime's choice where all processors are used", () => {
    vi.stubEnv("HONE_THREADS", "");
    const all = availableParallelism();
    expect(threadOptions()).toEqual(all < cpus().length ? { intraOpNumThreads: all } : {});
  });

  it.each(["0", "two", "1.5", "-1"])("refuse HONE_THREADS=%s by name", (value) => {
    vi.stubEnv("HONE_THREADS", value);
    expect(() => usableCores()).toThrow(/HONE_THREADS/);
  });

  it("are named with the machine where they are fewer than its cores", () => {
    vi.stubEnv("HONE_THREADS", "1");
    expect(/\(1 used\)/.test(machineName())).toBe(cpus().length > 1);
  });
});
