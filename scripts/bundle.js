/**
 * Build step: the command line in a few files instead of some two hundred. Node takes about half a millisecond to find,
 * read and link each module, so that one run of the unbundled program spends 130 of its 435 ms of CPU on loading itself.
 * They are CommonJS: Node starts that earlier than ES modules, and V8 can be given its compiled code (compiled-code.js).
 * The library entries stay unbundled: whoever imports them has a bundler or does not mind.
 */

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { rolldown } from "rolldown";

/**
 * What is loaded together is one file: finding, reading and linking each costs as much as compiling 10 kB of it. The rest stays as it is
 * split by the dynamic imports, one file and more a format.
 */
const together = [
  // What opens a file comes before all the rest.
  [
    "file",
    /dist\/src\/(counted|errors|limits|cli\/exit-code|public\/read-ahead|io\/(companions|node-file|range))\.js/,
  ],
  // Every run that reads a file.
  [
    "core",
    /dist\/(src\/(diagnostics|io|ir|passes|report|operators|public|wire\/(zip|json)[\w-]*\.js|cli\/(commands\/summary|failure|notes|progress|sources|terminal)\.js)|importers\/([\w-]+\.js|\w+\/index\.js|pytorch\/forms|onnx\/sniff))/,
  ],
  ["state-dict", /dist\/importers\/state-dict\//],
  // Programs need no pickles, so that what they share with checkpoints is apart.
  ["tensors", /dist\/importers\/pytorch\/(bounded-cache|dtypes|globals|layout|tensor-parts|window)\.js/],
  [
    "checkpoint",
    /dist\/(src\/wire\/pickle|importers\/pytorch\/((read-)?checkpoint|named-tensors|numpy|optimizer|rebuild|sections|tensor|tree)\.js)/,
  ],
  ["safetensors", /dist\/importers\/safetensors\//],
];

const { version } = JSON.parse(readFileSync("package.json", "utf8"));

/** Modules that are other ones in the bundle, by the end of their path. */
const inBundle = {
  "/src/cli/version.js": `export const version = ${JSON.stringify(version)};`,
  // The quick-start image becomes a part of the bundle, if it could be made.
  ...(existsSync("dist/hdf5/load.js") && {
    "/src/wire/hdf5-image.js": 'export const importImage = () => import("../../hdf5/load.js");',
  }),
};
const replacing = {
  name: "replacing",
  load: (id) => Object.entries(inBundle).find(([ending]) => id.endsWith(ending))?.[1] ?? null,
  // h5wasm itself is an ES module only, and what imports it stays one, where the compiler left it.
  resolveId: (id) => (id.endsWith("/hdf5-published.js") ? { id: "../published.js", external: true } : null),
};

/**
 * In between, a module that Node loads in its own way: code that V8 is given compiled (compiled-code.js) cannot import ES modules
 * (Node 20: "A dynamic import callback was not specified").
 */
const published = `const published = () => import("../src/wire/hdf5-published.js");
exports.firstInstance = async () => (await published()).firstInstance();
exports.anotherInstance = async () => (await published()).anotherInstance();
`;

async function write(input, folder, codeSplitting) {
  const bundle = await rolldown({
    input,
    platform: "node",
    // commander too: to find its seven files and compile them takes a run 5 ms.
    external: [/^node:/],
    plugins: [replacing],
  });
  await bundle.write({
    dir: folder,
    format: "cjs",
    entryFileNames: "[name].js",
    chunkFileNames: "[name].js",
    minify: true,
    // What is not bundled is required, not imported.
    dynamicImportInCjs: false,
    codeSplitting,
  });
  await bundle.close();
}

/**
 * Code in characters of ASCII. V8 keeps a text with any other one at two bytes for each, and there is a table of emoji. They stand in
 * texts and patterns alone, where an escape means the same.
 */
function inAscii(code) {
  return code.replace(/[^\0-\x7f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

// Nothing of an earlier build may stay: V8 tells code from another source by its length alone.
rmSync("dist/bin", { recursive: true, force: true });
await write({ weighbridge: "dist/src/cli/bin.js" }, "dist/bin", false);
// Two levels below dist, like the sources: src/wire/hdf5.ts finds the files of dist/hdf5 relative to itself.
await write({ main: "dist/src/cli/main.js" }, "dist/bin/modules", {
  groups: together.map(([name, test]) => ({ name, test })),
});
for (const name of readdirSync("dist/bin/modules")) {
  const path = `dist/bin/modules/${name}`;
  writeFileSync(path, inAscii(readFileSync(path, "utf8")));
}
writeFileSync("dist/bin/published.js", published);
writeFileSync("dist/bin/package.json", '{ "type": "commonjs" }\n');
