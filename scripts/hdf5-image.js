/**
 * Build step: makes the quick-start image of h5wasm in dist/hdf5/. Run after tsc; nothing breaks without it.
 *
 * h5wasm ships as one JavaScript file of 3.8 MB with the WebAssembly inside a string literal. Starting it costs about
 * 250 ms of CPU: parsing the literal, decoding it, compiling, and then the C library's own start, which calls each of
 * some 300 type conversions once, so that V8 compiles them all. For a tool that reads one file and exits, that
 * is most of its life. The image is the same library in three pieces:
 *
 *   glue.js    the JavaScript of h5wasm without the literal
 *   hdf5.wasm  the bytes of the literal, untouched
 *   start.bin  the library's memory after its start, non-zero pages only, and the embind calls made during it
 *
 * load.js instantiates the WebAssembly, copies the memory in and repeats the calls instead of running the start.
 * All of it goes through `instantiateWasm`, Emscripten's documented hook. Reading the headers of a VGG-16 takes
 * 310 ms of CPU in all with the image and 450 without, on a machine where `node -e 0` takes 73.
 *
 * The image is made from the installed h5wasm and tried before it is kept. If anything is not as expected, no image is
 * written and weighbridge imports h5wasm as it is. Browsers always do.
 */

import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const pageSize = 4096;

/** What the C++ constructors may ask of JavaScript: registrations to repeat, and questions whose answers are in memory. */
const repeated = /^_embind_register_/;
const harmless = new Set(["environ_sizes_get", "environ_get", "emscripten_get_heap_max"]);

const loader = `// Written by scripts/hdf5-image.js. Node only: browsers import h5wasm itself.
import { readFileSync } from "node:fs";
import createModule from "./glue.js";

let compiled;
let image;

/** A new, independent instance of the library in the folder \`base\` whose memory may not grow beyond \`maxHeap\` bytes. */
export function instantiate({ base, maxHeap, print }) {
  const read = (name) => readFileSync(new URL(name, base));
  compiled ??= new WebAssembly.Module(read("hdf5.wasm"));
  image ??= parseImage(read("start.bin"));
  return createModule({
    noInitialRun: true,
    print,
    printErr: print,
    instantiateWasm(imports, done) {
      const env = {
        ...imports.env,
        emscripten_resize_heap: (size) =>
          size >>> 0 > maxHeap ? 0 : imports.env.emscripten_resize_heap(size),
      };
      const instance = new WebAssembly.Instance(compiled, { ...imports, env });
      const exports = { ...instance.exports, __wasm_call_ctors: () => restore(exports.memory, env) };
      done({ exports }, compiled);
      return exports;
    },
  });
}

function parseImage(bytes) {
  const length = bytes.readUInt32LE(0);
  const header = JSON.parse(bytes.toString("utf8", 4, 4 + length));
  return { ...header, data: bytes.subarray(4 + length) };
}

function restore(memory, env) {
  const missing = (image.size - memory.buffer.byteLength) / 65536;
  if (missing > 0) memory.grow(missing);
  const heap = new Uint8Array(memory.buffer);
  image.pages.forEach((page, index) => {
    heap.set(image.data.subarray(index * ${pageSize}, (index + 1) * ${pageSize}), page * ${pageSize});
  });
  for (const [name, ...values] of image.calls) {
    env[name](...values.map((value) => (typeof value === "string" ? BigInt(value) : value)));
  }
}
`;

/** Splits h5wasm's module into its JavaScript and the bytes of its WebAssembly. */
function split(text) {
  const opening = "binaryDecode('";
  const start = text.indexOf(opening) + opening.length;
  if (start < opening.length) throw new Error("the WebAssembly is not where it used to be");
  let end = start;
  while (text[end] !== "'") end += text[end] === "\\" ? 2 : 1;
  // The module's own decoder and the literal, evaluated as they stand.
  const decoder = /function binaryDecode\(bin\)\{.*?return o\}/.exec(text)?.[0];
  if (decoder === undefined) throw new Error("the decoder is not where it used to be");
  const wasm = new Function(`${decoder} return binaryDecode('${text.slice(start, end)}')`)();
  if (!WebAssembly.validate(wasm)) throw new Error("the bytes are not valid WebAssembly");
  return { glue: text.slice(0, start) + text.slice(end), wasm };
}

/** Starts the library once and notes its memory and the calls it made. */
async function record(createModule, wasm) {
  const calls = [];
  let memory;
  let recording = false;
  const note = (name, run) =>
    typeof run !== "function"
      ? run
      : (...values) => {
          if (recording && !harmless.has(name)) {
            if (!repeated.test(name)) throw new Error(`the start calls ${name}, which cannot be repeated`);
            calls.push([name, ...values.map((value) => (typeof value === "bigint" ? `${value}` : value))]);
          }
          return run(...values);
        };
  await createModule({
    noInitialRun: true,
    instantiateWasm(imports, done) {
      const env = Object.fromEntries(
        Object.entries(imports.env).map(([name, run]) => [name, note(name, run)]),
      );
      const compiled = new WebAssembly.Module(wasm);
      const instance = new WebAssembly.Instance(compiled, { ...imports, env, wasi_snapshot_preview1: env });
      const exports = {
        ...instance.exports,
        __wasm_call_ctors: () => {
          recording = true;
          instance.exports.__wasm_call_ctors();
          recording = false;
          memory = new Uint8Array(exports.memory.buffer).slice();
        },
      };
      done({ exports }, compiled);
      return exports;
    },
  });
  return { memory, calls };
}

function pack({ memory, calls }) {
  const pages = [];
  const chunks = [];
  for (let at = 0; at < memory.length; at += pageSize) {
    const page = memory.subarray(at, at + pageSize);
    if (page.every((byte) => byte === 0)) continue;
    pages.push(at / pageSize);
    chunks.push(page);
  }
  const header = Buffer.from(JSON.stringify({ size: memory.length, pages, calls }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  return Buffer.concat([length, header, ...chunks]);
}

/** Writes a file with the restored library and reads it back: the image is kept only when that works. */
async function tryOut(folder) {
  const { instantiate } = await import(pathToFileURL(join(folder, "load.js")).href);
  for (let round = 0; round < 2; round++) {
    const library = await instantiate({
      base: pathToFileURL(join(folder, "/")),
      maxHeap: 2 ** 29,
      print: (line) => process.stderr.write(`${line}\n`),
    });
    const file = library.open("/try.h5", library.H5F_ACC_TRUNC, false, -1, -1);
    library.create_group(file, "/a", false);
    library.create_group(file, "/a/b", false);
    library.close_file(file);
    const again = library.open("/try.h5", library.H5F_ACC_RDONLY, false, -1, -1);
    const names = library.get_names(again, "/a", false);
    library.close_file(again);
    if (names.length !== 1 || names[0] !== "b") throw new Error("the restored library does not work");
  }
}

/** Makes the image in `folder`; returns what it weighs. */
export async function makeImage(folder) {
  const entry = fileURLToPath(import.meta.resolve("h5wasm"));
  const text = readFileSync(join(dirname(entry), "hdf5_util.js"), "utf8");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    const { glue, wasm } = split(text);
    writeFileSync(join(folder, "glue.js"), glue);
    writeFileSync(join(folder, "hdf5.wasm"), wasm);
    copyFileSync(join(dirname(entry), "../../LICENSE.txt"), join(folder, "LICENSE.txt"));
    const { default: createModule } = await import(pathToFileURL(join(folder, "glue.js")).href);
    const start = pack(await record(createModule, wasm));
    writeFileSync(join(folder, "start.bin"), start);
    writeFileSync(join(folder, "load.js"), loader);
    await tryOut(folder);
    return { glue: glue.length, wasm: wasm.length, start: start.length, sha256: sha256(wasm) };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? fileURLToPath(new URL("../dist/hdf5/", import.meta.url));
  try {
    const { wasm, start } = await makeImage(folder);
    process.stdout.write(
      `hdf5 image: ${(wasm / 1e6).toFixed(1)} MB of WebAssembly, ${(start / 1e6).toFixed(1)} MB of memory\n`,
    );
  } catch (error) {
    process.stderr.write(`hdf5 image: not made (${error.message}); weighbridge will load h5wasm as it is\n`);
  }
}
