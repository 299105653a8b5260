// Preloaded into a Node process whose memory bench/run.js measures: at exit it writes its peak memory in kB to file descriptor 3.
import { writeSync } from "node:fs";

process.once("exit", () => {
  writeSync(3, String(process.resourceUsage().maxRSS));
});
