import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // The slowest tests run every fixture through the whole pipeline on two cores.
    testTimeout: 30_000,
    // What a developer's terminal is like must not reach the tests.
    env: { COLUMNS: "", NO_COLOR: "", FORCE_COLOR: "0" },
  },
});
