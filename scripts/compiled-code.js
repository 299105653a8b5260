/**
 * Build step: keeps what V8 makes of the bundled command line, so that runs need not compile it again. src/cli/module-loader.ts
 * tells how it is used. Run after bundle.js; nothing breaks without it.
 *
 * V8 compiles a function when it is first called, so the program is run on a small model of every format before its
 * code is taken. It serves the Node that runs this step; run it under another one too, and both are served.
 */

import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setEngineFlags } from "../dist/src/cli/engine-flags.js";
import { buildOfNode, compiledCodeFolder, moduleLoader, scriptOf } from "../dist/src/cli/module-loader.js";

/** What is done most, in every format. Code that nobody calls would have to be read in every run. */
const runs = [
  ["--help"],
  ["fixtures/keras/k3-mnist-cnn/model.keras"],
  ["fixtures/keras/k2-app-VGG16/VGG16.h5"],
  ["fixtures/keras/k3-opt-sgd/trained.h5"],
  ["fixtures/onnx/torch/resnet18-dynamo/model.onnx"],
  ["fixtures/onnx/torch/resnet18-script/model.onnx"],
  ["fixtures/onnx/light/light_squeezenet.onnx"],
  ["fixtures/pytorch/program-recurrent/model.pt2"],
  ["fixtures/pytorch/program-half/model.pt2"],
  ["fixtures/pytorch/program-timm/zip.pt"],
  ["fixtures/pytorch/trained-sgd/zip.pt"],
  ["fixtures/pytorch/script-frozen/model.pt"],
  ["fixtures/safetensors/network/model.safetensors"],
];

const bundle = resolve("dist/bin/modules");
const folder = compiledCodeFolder(bundle);
rmSync(folder, { recursive: true, force: true });

// The same flags as in every run: V8 takes no code that was made under others.
setEngineFlags();
const scripts = new Map();
const load = moduleLoader(bundle, (id) => {
  const script = scriptOf(bundle, id);
  scripts.set(id, script);
  return script;
});
const { run } = load("./main.js");
for (const argv of runs) await runOn(argv);
for (const name of readdirSync(bundle)) if (name.endsWith(".js")) load(`./${name}`);

mkdirSync(folder, { recursive: true });
for (const [id, script] of scripts) writeFileSync(join(folder, `${id}.bin`), script.createCachedData());
writeFileSync(join(folder, "node.json"), buildOfNode());

async function runOn(argv) {
  let said = "";
  const code = await run({
    argv,
    env: {},
    stdin: { isTTY: true },
    stdout: { write() {}, isTTY: false, columns: undefined },
    stderr: {
      write(text) {
        said += text;
      },
      isTTY: false,
      columns: undefined,
    },
    now: () => performance.now(),
  });
  if (code !== 0) throw new Error(`weighbridge ${argv.join(" ")} ended in ${code}: ${said}`);
}
