/**
 * Whole processes, side by side in one run, so that figures are ratios and not a machine's mood.
 *
 *     python bench/make_files.py FOLDER       once; see there for what it needs
 *     npm run build
 *     node bench/run.js [FOLDER] [--python PYTHON]... [--rounds N] [--seconds S] [--only TEXT] [--write]
 *
 * Every round gives each command a turn, in which a short one runs several times: after one that took gigabytes, the first
 * run pays for caches that hold nothing of it. The best run of all rounds counts. A command that has taken S seconds in
 * all sits out the rest, so that the whole takes some minutes. `cpu` is user and system time of the whole process,
 * `wall` what a person waits.
 *
 * With --python (more than one may be named) what people use today is measured on the same files, see bench/peers.js.
 * --only takes files by name. --write puts the tables into README.md. FOLDER is bench/files where none is named.
 */

import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { countedSource } from "../dist/src/io/counted.js";
import { inspect, openModel } from "../dist/src/public/node.js";
import { peersOf, versionsOf } from "./peers.js";
import { peakMemory, timeOf } from "./process.js";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "15" },
    seconds: { type: "string", default: "10" },
    python: { type: "string", multiple: true, default: [] },
    only: { type: "string", default: "" },
    write: { type: "boolean", default: false },
  },
});
const folder = resolve(positionals[0] ?? join(import.meta.dirname, "files"));
if (!existsSync(folder)) {
  console.error(
    `${folder} is not there; bench/make_files.py makes it, and the first lines of bench/run.js say the rest`,
  );
  process.exit(2);
}

/** Milliseconds that a command's turn takes at least. */
const turn = 500;

const program = resolve(import.meta.dirname, "../dist/bin/weighbridge.js");
const files = readdirSync(folder)
  .filter((name) => /\.(h5|json|keras|onnx|pt|safetensors)$/.test(name) && name.includes(values.only))
  .sort((a, b) => a.localeCompare(b, "en", { numeric: true }))
  .map((name) => join(folder, name));

const empty = { name: "`node -e 0`", command: [process.execPath, "-e", "0"] };
const jobs = [empty, ...files.flatMap(jobsOf)];
const measured = await measure(jobs);
const text = [table(jobs, measured), growthTable(jobs, measured), conditions()].filter(Boolean).join("\n\n");
console.log(text);
if (values.write) write(text);

/** What is run on a file: this program, and what there is beside it. */
function jobsOf(file) {
  const label = `${basename(file)} (${(statSync(file).size / 1e6).toFixed(0)} MB)`;
  const own = { name: `**weighbridge ${label}**`, command: [process.execPath, program, file], file };
  // Nobody has memory for those.
  const peers = file.includes("10x") ? [] : peersOf(file, values.python);
  return [own, ...peers.map((peer) => ({ ...peer, name: `${peer.name}, ${basename(file)}` }))];
}

/** Best times of each job, in rounds; for a job that fails, why. */
async function measure(all) {
  const found = new Map(all.map((job) => [job, { wall: Infinity, cpu: Infinity, spent: 0, failure: null }]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [job, best] of found) {
      if (best.failure !== null || best.spent > Number(values.seconds) * 1000) continue;
      try {
        for (let spent = 0; spent < turn; ) {
          const { wall, cpu } = await timeOf(job.command);
          best.wall = Math.min(best.wall, wall);
          best.cpu = Math.min(best.cpu, cpu);
          best.spent += wall;
          spent += wall;
        }
      } catch (error) {
        best.failure = error.message;
      }
    }
  }
  for (const [job, best] of found) {
    if (best.failure !== null) continue;
    best.memory = await peakMemory(job.memoryCommand ?? job.command);
    if (job.file) best.read = await bytesRead(job.file);
  }
  return found;
}

/** Bytes that are read of a file, in kB. */
async function bytesRead(file) {
  const source = openModel(file);
  const counted = countedSource(source);
  await inspect(counted);
  source.close();
  return counted.count.bytes / 1000;
}

function table(all, figures) {
  const base = figures.get(empty);
  const rows = all.map((job) => {
    const { wall, cpu, memory, read, failure } = figures.get(job);
    if (failure !== null) return `| ${job.name} | ${failure} | | | | | |`;
    const [wallRatio, cpuRatio] = [wall / base.wall, cpu / base.cpu].map((ratio) => ratio.toFixed(1));
    const cells = [
      wall.toFixed(0),
      wallRatio,
      cpu.toFixed(0),
      cpuRatio,
      memory.toFixed(0),
      read?.toFixed(0) ?? "",
    ];
    return `| ${job.name} | ${cells.join(" | ")} |`;
  });
  return [
    "| process | wall ms | ratio | cpu ms | ratio | peak MB | read kB |",
    "|---|--:|--:|--:|--:|--:|--:|",
    ...rows,
  ].join("\n");
}

/** How the cost grows: files of the same kind with a count in their name (`nodes-5k`). */
function growthTable(all, figures) {
  const base = figures.get(empty).cpu;
  const rows = all.flatMap((job) => {
    const [, kind, thousands] = /\/([a-z]+)-(\d+)k\./.exec(job.file ?? "") ?? [];
    const { cpu, memory } = figures.get(job);
    if (kind === undefined || memory === undefined) return [];
    const each = (1000 * (cpu - base)) / (Number(thousands) * 1000);
    return [
      `| ${Number(thousands)},000 ${kind} | ${cpu.toFixed(0)} | ${each.toFixed(0)} | ${memory.toFixed(0)} |`,
    ];
  });
  if (rows.length === 0) return "";
  return ["| weighbridge | cpu ms | µs each | peak MB |", "|---|--:|--:|--:|", ...rows].join("\n");
}

function conditions() {
  const peers = versionsOf(values.python);
  const machine = `Node ${process.versions.node}, ${cpus().length} cores`;
  return `${[machine, ...peers].join("; ")}; best of up to ${values.rounds} rounds.`;
}

function write(tables) {
  const readme = resolve(import.meta.dirname, "../README.md");
  const [begin, end] = ["<!-- begin:benchmark-tables -->", "<!-- end:benchmark-tables -->"];
  const [before, rest] = readFileSync(readme, "utf8").split(begin);
  const after = rest.slice(rest.indexOf(end));
  writeFileSync(readme, `${before}${begin}\n${tables}\n${after}`);
}
