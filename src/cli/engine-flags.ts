import { setFlagsFromString } from "node:v8";

/**
 * Settings of V8 that suit a process which reads one file and ends. They come before anything is compiled: V8 takes
 * compiled code (module-loader.ts) only under the flags it was made with.
 *
 * A version that does not know a flag says so on standard error, so each is set for the versions of Node it was tried with.
 */
export function setEngineFlags(): void {
  const major = Number.parseInt(process.versions.node, 10);
  for (const [flag, versions] of flags) if (versions.includes(major)) setFlagsFromString(flag);
}

const flags: readonly (readonly [string, readonly number[]])[] = [
  // The HDF5 library is a megabyte of WebAssembly of which a run uses a few functions: validating each when it is first
  // called, and never optimising any, takes a third off a whole run.
  ["--wasm-lazy-validation", [20, 22, 24]],
  ["--liftoff-only", [20, 22, 24]],
  // Most runs are over before optimised JavaScript pays for its making, which costs VGG-16 a fifth of its time. Graphs of
  // thousands of nodes need it: a budget of 15 times V8's own before a function is optimised gives both what they want.
  ["--interrupt-budget=1000000", [20]],
  // V8 collects functions to compile some at a time to what comes before optimised code. At once, each is faster from then on: 2% of
  // a small run, 5% of one with thousands of nodes.
  ["--no-baseline-batch-compilation", [20]],
];

/**
 * Settings for when much is to be computed after all. Of 50,000 nodes V8's own budget takes a fifth off the CPU of the main
 * thread, of 10,000 it costs nothing; collecting whenever memory has doubled, not later, takes a quarter off its peak.
 */
export function expectLongRun(): void {
  if (Number.parseInt(process.versions.node, 10) !== 20) return;
  setFlagsFromString("--interrupt-budget=67584");
  setFlagsFromString("--heap-growing-percent=100");
}

/**
 * Settings for a text of megabytes, that is read whole: most of what is made of it stays, so that a young generation which grows with
 * it is little more than memory touched for the first time. At a fixed size it takes a program of 20 MB 4% less time.
 */
export function expectText(): void {
  if (Number.parseInt(process.versions.node, 10) === 20) setFlagsFromString("--semi-space-growth-factor=1");
}
