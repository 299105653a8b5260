#!/usr/bin/env node
import { hostOf } from "./host.ts";
import { run } from "./main.ts";

// A reader that has seen enough (`| head`) closes the pipe: that is no failure, and nobody is left to tell.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
}

// No handler for SIGINT: one would have to wait for the event loop, and Ctrl-C must work amid a long parse. The exit
// code is set, not forced, so that what was written to a slow pipe still gets out.
process.exitCode = await run(hostOf(process));
