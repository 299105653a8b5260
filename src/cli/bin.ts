#!/usr/bin/env node
import { join } from "node:path";
import { setEngineFlags } from "./engine-flags.ts";
import { requireCompiled } from "./module-loader.ts";

setEngineFlags();
// scripts/bundle.js puts main.ts and what it needs into this folder.
const { runIn } = requireCompiled(join(import.meta.dirname, "modules"))(
  "./main.js",
) as typeof import("./main.ts");
// No handler for SIGINT: one would have to wait for the event loop, and Ctrl-C must work amid a long parse.
void runIn(process);
