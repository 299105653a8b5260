import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

export const projectRoot: string = resolve(import.meta.dirname, "..");

/** The command as it is installed. */
export const builtProgram: string = join(projectRoot, "dist/bin/weighbridge.js");

/** Installing builds it already; a copy of the sources alone does not. */
export function ensureBuilt(): void {
  if (!existsSync(builtProgram)) execFileSync("npm", ["run", "build"], { cwd: projectRoot, stdio: "ignore" });
}
