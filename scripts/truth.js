/**
 * The full sweep: models built, measured and run anew by the real frameworks, compared with what weighbridge says of them.
 * Too heavy to be committed (some 200 MB), or committed as they were once (fixtures/onnx).
 *
 *     npm run truth -- --python PYTHON [--python PYTHON ...] [--sets keras3,onnx-torch] [--out DIR]
 *                      [--only VGG16,resnet18] [--compare-only]
 *
 * Each PYTHON is an interpreter; a set is built by the first that has its packages, and is left out, which is said, where
 * none has them. `--only` takes builders of keras.applications, and networks of the ONNX exports. The sets:
 *
 *     keras3, keras2   all 40 builders of keras.applications by Keras 3 and tf-keras (fixtures/build/requirements.txt)
 *     onnx-backend     every backend node test of the onnx package (fixtures/build/onnx/requirements.txt)
 *     onnx-light       the networks of the onnx package (the same)
 *     onnx-torch       networks by both exporters of PyTorch (requirements-torch.txt)
 *     onnx-keras       networks of Keras by tf2onnx, then run in onnxruntime (requirements-tf2onnx.txt and the first)
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    python: { type: "string", multiple: true, default: [] },
    sets: { type: "string", default: "" },
    out: { type: "string", default: join(tmpdir(), "weighbridge-truth") },
    only: { type: "string", default: "" },
    "compare-only": { type: "boolean", default: false },
  },
});
const only = values.only === "" ? [] : values.only.split(",");
const build = resolve(import.meta.dirname, "../fixtures/build");
const vitest = resolve(import.meta.dirname, "../node_modules/vitest/vitest.mjs");
const out = resolve(values.out);
const onnx = join(out, "onnx");
const exported = join(out, "exported");
const running = ["onnx", "onnxruntime", "numpy"];

/** By name: the folder it fills, the steps that do, with the packages each needs, and the tests that compare. */
const sets = {
  keras3: applications("keras3", ["keras 3", "h5py"]),
  keras2: applications("keras2", ["tf_keras", "h5py"]),
  "onnx-backend": onnxSet("backend", [[[...running, "sympy"], "backend.py"]], ["backend.test.ts"]),
  "onnx-light": onnxSet("light", [[running, "light.py"]], ["light.test.ts"]),
  "onnx-torch": onnxSet(
    "torch",
    ["export", "vary", "pack"].map((verb) => {
      const names = verb === "pack" ? [] : only;
      const packages = ["torch", "torchvision", "timm", "onnxscript", ...running];
      return [packages, "torch_exports.py", verb, join(exported, "torch"), ...names];
    }),
    ["torch.test.ts", "measured-shapes.test.ts"],
  ),
  "onnx-keras": onnxSet(
    "keras",
    [
      [["tensorflow", "tf2onnx"], "keras_tf2onnx.py", "export", join(exported, "keras"), ...only],
      [running, "keras_tf2onnx.py", "pack", join(exported, "keras")],
    ],
    ["keras.test.ts", "measured-shapes.test.ts"],
  ),
};

const wanted = values.sets === "" ? Object.keys(sets) : values.sets.split(",");
const unknown = wanted.filter((name) => !Object.hasOwn(sets, name));
if (unknown.length > 0 || (values.python.length === 0 && !values["compare-only"])) {
  if (unknown.length > 0)
    console.error(`no set ${unknown.join(", ")}: there are ${Object.keys(sets).join(", ")}`);
  console.error(
    "usage: npm run truth -- --python PYTHON ... [--sets NAMES] [--out DIR] [--only NAMES] [--compare-only]",
  );
  process.exit(2);
}

let failed = false;
const compared = [];
for (const name of wanted) {
  const { folder, steps, tests, env } = sets[name];
  if (!values["compare-only"]) {
    const pythons = steps.map(({ packages }) => pythonWith(packages));
    const lacking = steps.find((_, i) => pythons[i] === undefined);
    if (lacking) {
      console.log(`${name} is left out: no Python that was given has ${lacking.packages.join(", ")}`);
      continue;
    }
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const [i, { argv }] of steps.entries())
      run(pythons[i], argv, { ...env, PYTHONDONTWRITEBYTECODE: "1" });
  }
  if (!existsSync(folder)) continue;
  compared.push(name);
  run(process.execPath, [vitest, "run", ...tests], env);
}
console.log(compared.length === 0 ? "nothing was compared" : `compared: ${compared.join(", ")}`);
process.exitCode = failed || compared.length === 0 ? 1 : 0;

function applications(keras, packages) {
  const folder = join(out, `${keras}-apps`);
  const names = only.length === 0 ? [] : ["--only", only.join(",")];
  return {
    folder,
    steps: [{ packages, argv: [join(build, `${keras}_applications.py`), "--out", folder, ...names] }],
    tests: ["test/goldens.test.ts", "test/fixtures.test.ts"],
    env: { FIXTURES: folder },
  };
}

function onnxSet(name, steps, tests) {
  return {
    folder: join(onnx, name),
    steps: steps.map(([packages, script, ...rest]) => ({
      packages,
      argv: [join(build, "onnx", script), ...rest],
    })),
    tests: tests.map((test) => `test/importers/onnx/${test}`),
    env: { ONNX_FIXTURES: onnx, ONNX_SETS: name },
  };
}

/** The first of the interpreters that has the packages, in the major version that stands behind the name. */
function pythonWith(packages) {
  const code = [
    "import sys, importlib.metadata, importlib.util as u",
    "for name, _, major in (p.partition(' ') for p in sys.argv[1:]):",
    "    u.find_spec(name) or sys.exit(1)",
    "    major and importlib.metadata.version(name).split('.')[0] != major and sys.exit(1)",
  ].join("\n");
  return values.python.find((python) => spawnSync(python, ["-I", "-c", code, ...packages]).status === 0);
}

function run(command, args, env = {}) {
  console.log(`> ${[command, ...args].join(" ")}`);
  const { status } = spawnSync(command, args, { stdio: "inherit", env: { ...process.env, ...env } });
  if (status !== 0) failed = true;
}
