import { createRequire } from "node:module";

/** The package's version, found through its name. The bundle has it as a constant, see scripts/bundle.js. */
export const version: string = createRequire(import.meta.url)("weighbridge/package.json").version;
