#!/usr/bin/env node
import { setFlagsFromString } from "node:v8";
import { hostOf } from "./host.ts";
import { run } from "./main.ts";
import { endOnOutputError } from "./output-error.ts";

// The HDF5 library is a megabyte of WebAssembly of which a run uses a few functions: validating each when it is first
// called, and never optimising any, takes a third off a whole run. Other V8 versions may not know the flags and would
// say so on standard error, so they are set where they have been tried.
if (/^v?2[0-4]\./.test(process.versions.node)) {
  setFlagsFromString("--wasm-lazy-validation");
  setFlagsFromString("--liftoff-only");
  // Most runs are over before optimised JavaScript pays for its making, which costs VGG-16 a fifth of its time. Graphs of
  // thousands of nodes need it: a budget of 15 times V8's own before a function is optimised gives both what they want.
  setFlagsFromString("--interrupt-budget=1000000");
}

const host = hostOf(process);
endOnOutputError(process.stdout, process.stderr, host, (code) => process.exit(code));

// No handler for SIGINT: one would have to wait for the event loop, and Ctrl-C must work amid a long parse. The exit
// code is set, not forced, so that what was written to a slow pipe still gets out.
process.exitCode = await run(host);
