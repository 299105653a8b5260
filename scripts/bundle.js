/**
 * Build step: the command line in a few files instead of some two hundred. Node takes about half a millisecond to find,
 * read and link each module, so that one run of the unbundled program spends 130 of its 435 ms of CPU on loading itself.
 * The library entries stay unbundled: whoever imports them has a bundler or does not mind.
 */

import { rolldown } from "rolldown";

const bundle = await rolldown({
  input: { weighbridge: "dist/src/cli/bin.js" },
  platform: "node",
  // Dependencies are found where npm puts them.
  external: [/^node:/, /^h5wasm/, /^commander/, /^@zip\.js/],
});
await bundle.write({
  dir: "dist/bin",
  format: "esm",
  entryFileNames: "[name].js",
  // Two levels below dist, like the sources: src/wire/hdf5.ts finds dist/hdf5 relative to itself.
  chunkFileNames: "chunks/[name].js",
  minify: true,
});
await bundle.close();
