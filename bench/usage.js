// Preloaded into a process whose memory bench/run.js measures: at exit it writes its peak memory in MB to file descriptor 3.
import { writeSync } from "node:fs";

process.once("exit", () => {
  writeSync(3, JSON.stringify({ memory: process.resourceUsage().maxRSS / 1024 }));
});
