/** One run of a program: how long it takes and how much memory it has at most. */

import { spawn } from "node:child_process";
import { resolve } from "node:path";

const usage = resolve(import.meta.dirname, "usage.js");

/** Longest that one run may take. */
const longest = 120_000;

/**
 * Times a command with the shell's own clock, which sees the whole process and adds nothing to it: milliseconds that a
 * person waits, and of user and system time.
 * @throws when it fails or takes too long.
 */
export async function timeOf(command) {
  const script = 'TIMEFORMAT="%3R %3U %3S"; time "$@" > /dev/null 2> >(tail -c 2000 >&3)';
  const { told, log } = await run(["bash", "-c", script, "bench", ...command], "stderr");
  const figures = /^([\d.]+) ([\d.]+) ([\d.]+)$/m.exec(log);
  if (!figures) throw new Error(`no times of ${command.join(" ")}: ${log}${told}`);
  const [wall, user, system] = figures.slice(1).map(Number);
  return { wall: wall * 1000, cpu: (user + system) * 1000 };
}

/** Largest resident set in MB, which a command tells at file descriptor 3; Node does with a module before all others. */
export async function peakMemory([head, ...rest]) {
  const command = head === process.execPath ? [head, "--import", usage, ...rest] : [head, ...rest];
  const { told } = await run(command, "none");
  return Number(told) / 1024;
}

/** Runs a command to its end, in a group of its own, so that none of it is left when it takes too long. */
async function run([head, ...rest], keep) {
  const stdio = ["ignore", "ignore", keep === "stderr" ? "pipe" : "ignore", "pipe"];
  const child = spawn(head, rest, { cwd: "/", detached: true, stdio });
  let log = "";
  let told = "";
  child.stderr?.on("data", (chunk) => {
    log += chunk;
  });
  child.stdio[3].on("data", (chunk) => {
    told += chunk;
  });
  const timer = setTimeout(() => process.kill(-child.pid, "SIGKILL"), longest);
  const [code, signal] = await new Promise((done) => child.on("close", (...end) => done(end)));
  clearTimeout(timer);
  if (signal !== null) throw new Error(`more than ${longest / 1000} s`);
  if (code !== 0) throw new Error(`failed (${code}): ${told.trim().split("\n").at(-1) ?? ""}`);
  return { told, log };
}
