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
/**
 * What is loaded together is one file: finding, reading and linking each costs as much as compiling 10 kB of it. The rest stays as it is
 * split by the dynamic imports, one file and more a format.
 */
const together = [
  // Every run that reads a file.
  [
    "core",
    /dist\/(src\/(errors|diagnostics|limits|io|ir|passes|report|operators|public|wire\/(zip|json)[\w-]*\.js)|importers\/([\w-]+\.js|\w+\/index\.js|pytorch\/forms|onnx\/sniff))/,
  ],
  ["state-dict", /dist\/importers\/state-dict\//],
  [
    "checkpoint",
    /dist\/(src\/wire\/pickle|importers\/pytorch\/(read-)?(checkpoint|dtypes|globals|layout|named-tensors|numpy|optimizer|rebuild|sections|tensor|tree)\.js)/,
  ],
  ["safetensors", /dist\/importers\/safetensors\//],
];

await bundle.write({
  dir: "dist/bin",
  format: "esm",
  entryFileNames: "[name].js",
  // Two levels below dist, like the sources: src/wire/hdf5.ts finds dist/hdf5 relative to itself.
  chunkFileNames: "chunks/[name].js",
  minify: true,
  codeSplitting: { groups: together.map(([name, test]) => ({ name, test })) },
});
await bundle.close();
