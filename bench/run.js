/**
 * Whole processes, side by side in one run, so that figures are ratios and not a machine's mood.
 *
 *     python bench/make_files.py FOLDER       once; see there for what it needs
 *     node bench/run.js FOLDER [--rounds N] [--python PYTHON] [--only TEXT]
 *
 * Every round starts each command once, in turn; the best of all rounds counts. `cpu` is user and system time of the
 * whole process, `wall` is what a person waits. With --python what people use today is measured on the same files, as far
 * as that Python has it: Keras (load_model and summary), h5py (every shape listed), onnx (load and count,
 * shape_inference), torch.load (mapped, weights only) and safetensors (every shape listed). --only takes files by name.
 */

import { execFile, spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs, promisify } from "node:util";
import { countedSource } from "../dist/src/io/counted.js";
import { inspect, openModel } from "../dist/src/public/node.js";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "15" },
    python: { type: "string" },
    only: { type: "string", default: "" },
  },
});
const folder = positionals[0];
if (folder === undefined || !existsSync(folder)) {
  console.error(
    "usage: node bench/run.js FOLDER [--rounds N] [--python PYTHON]; make FOLDER with bench/make_files.py",
  );
  process.exit(2);
}

const program = resolve(import.meta.dirname, "../dist/bin/weighbridge.js");
const usage = resolve(import.meta.dirname, "usage.js");
const files = readdirSync(folder)
  .filter((name) => /\.(h5|keras|onnx|pt|safetensors)$/.test(name) && name.includes(values.only))
  .map((name) => join(folder, name));

/** What people do today, by the end of a file's name: library to import, and what to do with FILE. */
const today = {
  h5: [
    ["keras", "keras.models.load_model(FILE).summary()"],
    ["h5py", 'h5py.File(FILE).visititems(lambda n, o: print(n, getattr(o, "shape", "")))'],
  ],
  keras: [["keras", "keras.models.load_model(FILE).summary()"]],
  onnx: [
    ["onnx", "import math; print(sum(math.prod(t.dims) for t in onnx.load(FILE).graph.initializer))"],
    ["onnx.shape_inference", "onnx.shape_inference.infer_shapes(onnx.load(FILE, load_external_data=False))"],
  ],
  pt: [["torch", "print(sum(t.numel() for t in torch.load(FILE, mmap=True, weights_only=True).values()))"]],
  safetensors: [
    [
      "safetensors",
      'f = safetensors.safe_open(FILE, "np").__enter__(); print([f.get_slice(k).get_shape() for k in f.keys()])',
    ],
  ],
};

const jobs = [
  { name: "node -e 0", command: [process.execPath, "-e", "0"], rounds: Number(values.rounds) },
  ...files.map((file) => ({
    name: `weighbridge ${label(file)}`,
    command: [process.execPath, program, file],
    rounds: Number(values.rounds),
  })),
];
if (values.python !== undefined) {
  const installed = installedLibraries(values.python);
  for (const file of files.filter((name) => !name.includes("10x"))) {
    for (const [library, action] of today[file.split(".").at(-1)].filter(([name]) => installed.has(name))) {
      const code = `import os; os.environ["TF_CPP_MIN_LOG_LEVEL"]="3"; import ${library}; ${action.replace("FILE", JSON.stringify(file))}`;
      const rounds = Math.min(library === "keras" ? 2 : 5, Number(values.rounds));
      jobs.push({ name: `${library} ${label(file)}`, command: [values.python, "-P", "-c", code], rounds });
    }
  }
}

const execute = promisify(execFile);
const best = new Map();
for (let round = 0; round < Math.max(...jobs.map((job) => job.rounds)); round += 1) {
  for (const job of jobs.filter((job) => round < job.rounds)) {
    const now = await time(job.command);
    const so = best.get(job.name) ?? now;
    best.set(job.name, { wall: Math.min(so.wall, now.wall), cpu: Math.min(so.cpu, now.cpu) });
  }
}

const base = best.get("node -e 0");
console.log("| process | wall ms | ratio | cpu ms | ratio | peak MB | read kB |");
console.log("|---|---|---|---|---|---|---|");
for (const { name, command } of jobs) {
  const { wall, cpu } = best.get(name);
  const memory = await peakMemory(command);
  const read = command[1] === program ? await bytesRead(command[2]) : "";
  const figures = [
    wall.toFixed(0),
    (wall / base.wall).toFixed(1),
    cpu.toFixed(0),
    (cpu / base.cpu).toFixed(1),
    Number.isNaN(memory) ? "" : memory.toFixed(0),
    read,
  ];
  console.log(`| ${name} | ${figures.join(" | ")} |`);
}

/** Of the libraries above those that this Python can import. */
function installedLibraries(python) {
  const names = Object.values(today).flatMap((ways) => ways.map(([library]) => library));
  return new Set(
    names.filter((name) => spawnSync(python, ["-P", "-c", `import ${name}`], { cwd: "/" }).status === 0),
  );
}

function label(file) {
  const size = statSync(file).size;
  return `${file.split("/").pop()} (${(size / 1e6).toFixed(0)} MB)`;
}

async function bytesRead(file) {
  const source = openModel(file);
  const counted = countedSource(source);
  await inspect(counted);
  source.close();
  return (counted.count.bytes / 1000).toFixed(0);
}

/** Times a command with the shell's own clock, which sees the whole process and adds nothing to it. */
async function time(command) {
  const script = 'TIMEFORMAT="%3R %3U %3S"; time "$@" > /dev/null 2>&1';
  const { stderr } = await execute("bash", ["-c", script, "bench", ...command]);
  const [wall, user, system] = stderr.trim().split("\n").at(-1).split(" ").map(Number);
  return { wall: wall * 1000, cpu: (user + system) * 1000 };
}

/** Largest resident set of a Node process in MB, by a module that is loaded before it. */
async function peakMemory([head, ...rest]) {
  if (head !== process.execPath) return NaN;
  const child = spawn(head, ["--import", usage, ...rest], { stdio: ["ignore", "ignore", "ignore", "pipe"] });
  let told = "";
  child.stdio[3].on("data", (chunk) => {
    told += chunk;
  });
  await new Promise((done) => child.on("close", done));
  return JSON.parse(told).memory;
}
