/** What people do today with the same files, each in the first Python that has its library. */

import { spawnSync } from "node:child_process";

/** By the end of a file's name: what it is called, the module to import, and what to do with FILE. */
const ways = {
  h5: [
    ["keras load_model, summary", "keras", "keras.models.load_model(FILE).summary()"],
    [
      "h5py, every shape",
      "h5py",
      'h5py.File(FILE).visititems(lambda n, o: print(n, getattr(o, "shape", "")))',
    ],
  ],
  keras: [["keras load_model, summary", "keras", "keras.models.load_model(FILE).summary()"]],
  onnx: [
    [
      "onnx.load, count",
      "onnx",
      "import math; print(sum(math.prod(t.dims) for t in onnx.load(FILE).graph.initializer))",
    ],
    [
      "onnx.shape_inference",
      "onnx",
      "onnx.shape_inference.infer_shapes(onnx.load(FILE, load_external_data=False))",
    ],
  ],
  pt: [
    [
      "torch.load(mmap), count",
      "torch",
      "print(sum(t.numel() for t in torch.load(FILE, mmap=True, weights_only=True).values()))",
    ],
  ],
  safetensors: [
    [
      "safetensors, every shape",
      "safetensors",
      'f = safetensors.safe_open(FILE, "np").__enter__(); print([f.get_slice(k).get_shape() for k in f.keys()])',
    ],
  ],
};

/** Imported with the module: its warnings are not what is measured. */
const quiet = 'import os; os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"';

/** At the end of a run: the largest resident set in kB, where bench/process.js looks for it. */
const tellMemory =
  "import resource; os.write(3, str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss).encode())";

/**
 * Programs for `file` that one of `pythons` can run: what they are called, their command, and the same command telling
 * its memory.
 */
export function peersOf(file, pythons) {
  // Nothing else opens the JSON of an exported program by itself.
  return (ways[file.split(".").at(-1)] ?? []).flatMap(([name, library, action]) => {
    const python = pythons.find((candidate) => librariesOf(candidate).has(library));
    if (python === undefined) return [];
    const code = `${quiet}; import ${library}; ${action.replace("FILE", JSON.stringify(file))}`;
    const command = (text) => [python, "-P", "-c", text];
    return [{ name, command: command(code), memoryCommand: command(`${code}; ${tellMemory}`) }];
  });
}

/** Names and versions of what the peers are measured with. */
export function versionsOf(pythons) {
  const found = new Map();
  for (const python of pythons)
    for (const [library, version] of librariesOf(python))
      if (!found.has(library)) found.set(library, `${library} ${version}`);
  return [...found.values()].sort();
}

const known = new Map();

/** Libraries above that a Python has, with their versions. Asked of the package's own data: to import all takes a minute. */
function librariesOf(python) {
  const before = known.get(python);
  if (before) return before;
  const names = [...new Set(Object.values(ways).flatMap((list) => list.map(([, library]) => library)))];
  const code = [
    "import json, importlib.metadata as m, importlib.util as u",
    `names = [n for n in ${JSON.stringify(names)} if u.find_spec(n)]`,
    "print(json.dumps([[n, m.version(n)] for n in names]))",
  ].join("\n");
  const { status, stdout, stderr } = spawnSync(python, ["-P", "-c", code], { cwd: "/", encoding: "utf8" });
  if (status !== 0) throw new Error(`${python} does not run: ${stderr}`);
  const found = new Map(JSON.parse(stdout));
  known.set(python, found);
  return found;
}
