import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // The slowest run every fixture through the whole pipeline, half a minute on two free cores; what work may cost is held to
    // processor time, so this only ends what hangs.
    testTimeout: 120_000,
    // What a developer's terminal is like must not reach the tests.
    env: { COLUMNS: "", NO_COLOR: "", FORCE_COLOR: "0" },
  },
});
