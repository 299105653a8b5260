/**
 * The full sweep: all 40 builders of keras.applications, written, measured and printed by the real Keras 3 and by the
 * real tf-keras, compared with what weighbridge says of the same files. Too heavy to be committed (some 200 MB).
 *
 *     npm run truth -- --python PYTHON [--out DIR] [--only VGG16,Xception] [--compare-only]
 *
 * PYTHON is an interpreter with fixtures/build/requirements.txt installed.
 */

import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    python: { type: "string" },
    out: { type: "string", default: join(tmpdir(), "weighbridge-truth") },
    only: { type: "string", default: "" },
    "compare-only": { type: "boolean", default: false },
  },
});
if (values.python === undefined && !values["compare-only"]) {
  console.error("usage: npm run truth -- --python PYTHON [--out DIR] [--only NAMES] [--compare-only]");
  process.exit(2);
}

const build = resolve(import.meta.dirname, "../fixtures/build");
const vitest = resolve(import.meta.dirname, "../node_modules/vitest/vitest.mjs");
let failed = false;
for (const keras of ["keras3", "keras2"]) {
  const out = resolve(values.out, `${keras}-apps`);
  mkdirSync(out, { recursive: true });
  if (!values["compare-only"]) {
    const script = join(build, `${keras}_applications.py`);
    run(values.python, [script, "--out", out, ...(values.only === "" ? [] : ["--only", values.only])]);
  }
  run(process.execPath, [vitest, "run", "test/goldens.test.ts", "test/fixtures.test.ts"], { FIXTURES: out });
}
process.exitCode = failed ? 1 : 0;

function run(command, args, env = {}) {
  console.log(`> ${[command, ...args].join(" ")}`);
  const { status } = spawnSync(command, args, { stdio: "inherit", env: { ...process.env, ...env } });
  if (status !== 0) failed = true;
}
