import { setFlagsFromString } from "node:v8";

/**
 * Settings of V8 that suit a process which reads one file and ends. They come before anything is compiled: V8 takes
 * compiled code (module-loader.ts) only under the flags it was made with.
 *
 * Other V8 versions may not know the flags and would say so on standard error, so they are set where they have been tried.
 */
export function setEngineFlags(): void {
  if (!/^v?2[0-4]\./.test(process.versions.node)) return;
  // The HDF5 library is a megabyte of WebAssembly of which a run uses a few functions: validating each when it is first
  // called, and never optimising any, takes a third off a whole run.
  setFlagsFromString("--wasm-lazy-validation");
  setFlagsFromString("--liftoff-only");
  // Most runs are over before optimised JavaScript pays for its making, which costs VGG-16 a fifth of its time. Graphs of
  // thousands of nodes need it: a budget of 15 times V8's own before a function is optimised gives both what they want.
  setFlagsFromString("--interrupt-budget=1000000");
}
