/** What a file is, decided by its bytes and never by its name. */

import type { Diagnostic } from "../src/diagnostics.ts";
import { UnknownFormatError } from "../src/errors.ts";
import type { ByteSource } from "../src/io/byte-source.ts";
import { openZip } from "../src/wire/zip.ts";
import type { Importer, Sniffed } from "./importer.ts";

const headBytes = 4096;
const hdf5Signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** Reads the first bytes, and the directory of a zip. */
export async function sniff(source: ByteSource): Promise<Sniffed> {
  const head = await source.read(0, Math.min(headBytes, source.size));
  const container = await containerOf(source, head);
  const diagnostics: Diagnostic[] = [];
  const zip = container === "zip" ? await openZip(source, (found) => void diagnostics.push(found)) : null;
  return { source, head, container, zip, diagnostics };
}

async function containerOf(source: ByteSource, head: Uint8Array): Promise<Sniffed["container"]> {
  // A length, whose own bytes may be the start of a pickle or of JSON, and a brace.
  if (startsWith(head, [0, 0, 0, 0x7b], 5)) return "safetensors";
  if (startsWith(head, hdf5Signature) || (await hasUserBlock(source, head))) return "hdf5";
  if (startsWith(head, [0x50, 0x4b, 0x03, 0x04]) || startsWith(head, [0x50, 0x4b, 0x05, 0x06])) return "zip";
  return looksLikeJson(head) ? "json" : "other";
}

/** The importer that takes the file. @throws UnknownFormatError which says what the bytes look like. */
export async function detect(
  source: ByteSource,
  importers: readonly Importer[],
): Promise<{ importer: Importer; sniffed: Sniffed }> {
  if (source.size === 0)
    throw new UnknownFormatError(`${source.name}: the file is empty`, { file: source.name });
  const sniffed = await sniff(source);
  for (const importer of importers) {
    if (await importer.matches(sniffed)) return { importer, sniffed };
  }
  throw new UnknownFormatError(`${source.name}: ${describe(sniffed)}`, { file: source.name });
}

/** Whether a longer file with these first bytes (a megabyte and more) can be any format known here. */
export function couldBeModel(head: Uint8Array): boolean {
  if (startsWith(head, hdf5Signature) || startsWith(head, [0x50, 0x4b]) || looksLikeJson(head)) return true;
  // A pickle of protocol 2 and later, as the stream of torch.save starts with.
  if (head[0] === 0x80 && (head[1] ?? 9) <= 5) return true;
  // One of protocol 0 or 1: a container and its memo, or a name.
  if (/^(\([dl]p\d|[\]}]q\0|c[A-Za-z_][\w.]*\n)/.test(new TextDecoder().decode(head.subarray(0, 64))))
    return true;
  // safetensors: the brace after the length of the header.
  if (head[8] === 0x7b) return true;
  // ONNX: protobuf writers put its first field, the version of the format, in front.
  if (head[0] === 0x08 && (head[1] ?? 0x80) < 0x80) return true;
  for (let at = 512; at <= 1 << 20; at *= 2) if (startsWith(head, hdf5Signature, at)) return true;
  return false;
}

function startsWith(bytes: Uint8Array, signature: readonly number[], at = 0): boolean {
  return signature.every((byte, i) => bytes[at + i] === byte);
}

/** HDF5 allows a block of the user's own before its signature: 512 bytes, or a power of two times that. */
async function hasUserBlock(source: ByteSource, head: Uint8Array): Promise<boolean> {
  for (let at = 512; at + 8 <= source.size && at <= 1 << 20; at *= 2) {
    const bytes = at + 8 <= head.length ? head.subarray(at, at + 8) : await source.read(at, 8);
    if (startsWith(bytes, hdf5Signature)) return true;
    // Anything that starts like a known text or archive has no such block.
    if (at === 512 && (head[0] === 0x50 || looksLikeJson(head))) return false;
  }
  return false;
}

function looksLikeJson(head: Uint8Array): boolean {
  const text = new TextDecoder()
    .decode(head.subarray(0, 64))
    .replace(/^\uFEFF/, "")
    .trimStart();
  return text.startsWith("{") || text.startsWith("[");
}

const latin1 = new TextDecoder("latin1");

const looks: readonly {
  readonly test: (head: Uint8Array, text: string) => boolean;
  readonly text: string;
}[] = [
  {
    test: (_, text) => text.startsWith("version https://git-lfs"),
    text: "a Git LFS pointer, not the model itself; fetch the file with `git lfs pull`",
  },
  {
    test: (_, text) => /^\s*(<\?xml[^>]*>\s*)?<net\s/.test(text),
    text: "an OpenVINO model, which this version does not read; weigh the ONNX file that it was converted from",
  },
  {
    test: (_, text) => /^\s*<(!doctype|html|head|\?xml)/i.test(text),
    text: "an HTML or XML page, not a model; the download probably ended on a web page, fetch the file again",
  },
  { test: (head) => startsWith(head, [0x1f, 0x8b]), text: "gzip data; decompress it first" },
  {
    test: ([first, second = 0]) => first === 0x78 && [0x01, 0x5e, 0x9c, 0xda].includes(second),
    text: "zlib data, as joblib.dump compresses; decompress it first",
  },
  {
    test: (head) => startsWith(head, [0x5d, 0, 0]) || startsWith(head, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]),
    text: "LZMA data; decompress it first",
  },
  { test: (_, text) => /^BZh[1-9]/.test(text), text: "bzip2 data; decompress it first" },
  { test: (head) => startsWith(head, [0x04, 0x22, 0x4d, 0x18]), text: "LZ4 data; decompress it first" },
  { test: (head) => startsWith(head, [0x28, 0xb5, 0x2f, 0xfd]), text: "Zstandard data; decompress it first" },
  {
    test: (head) => startsWith(head, [0x47, 0x47, 0x55, 0x46]),
    text: "a GGUF file, which this version does not read; `weighbridge formats` lists what it reads",
  },
  {
    test: (_, text) => /^.{4}(ET\d\d|PTMF)/s.test(text),
    text: "a program of ExecuTorch (.pte) or a mobile module of PyTorch in FlatBuffers, which this version does not read; weigh the exported program (.pt2) or the TorchScript it was made from",
  },
  {
    test: (head) => latin1.decode(head).includes("com.github.apple.coremltools"),
    text: "a Core ML model, which this version does not read; weigh the model it was converted from",
  },
  {
    test: (_, text) => text.startsWith("\ufffdNUMPY"),
    text: "one array of NumPy (.npy), which is no model",
  },
  {
    test: (_, text) => /^(lmgg|tjgg|fmgg|algg)/.test(text),
    text: "a file of GGML, from before GGUF, which this version does not read; `weighbridge formats` lists what it reads",
  },
  {
    test: (head) => startsWith(head, [0x54, 0x46, 0x4c, 0x33], 4),
    text: "a TensorFlow Lite model, which this version does not read; `weighbridge formats` lists what it reads",
  },
  {
    test: (head, text) =>
      (startsWith(head, [0x08, 0x01, 0x12]) &&
        /VariableOp|Const|NoOp|Placeholder/.test(latin1.decode(head))) ||
      text.slice(0, 16).includes("\u001a\u0004root"),
    text: "a SavedModel of TensorFlow, which this version does not read; save the model as .keras, or weigh the ONNX file that tf2onnx makes of it",
  },
  {
    test: ([a, b, , ...index], text) =>
      /^model_checkpoint_path:/.test(text) ||
      (a === 0 && b === 0 && startsWith(Uint8Array.from(index), [0x08, 0x01, 0x1a])),
    text: "a checkpoint of TensorFlow, which this version does not read; load it into the model and save that as .keras",
  },
  {
    test: (head) => startsWith(head, [0x4f, 0x52, 0x54, 0x4d], 4),
    text: "a model in ONNX Runtime's own format (.ort), which this version does not read; weigh the ONNX file that it was converted from",
  },
  {
    test: (_, text) => /^[pf]trt/.test(text),
    text: "a TensorRT engine, compiled for one device; weigh the ONNX file that it was built from",
  },
  {
    test: (head) => head[8] === 0x7b,
    text: "no format that is known here; it starts like a safetensors file whose header is longer than any file",
  },
];

/** JSON that stands for a model, and has none of its weights. */
function describeJson(head: Uint8Array): string {
  const text = new TextDecoder().decode(head);
  if (/"_class_name"\s*:\s*"\w*Pipeline\w*"/.test(text)) {
    const parts = [
      ...text.matchAll(/"(\w{1,60})"\s*:\s*\[\s*"(?:diffusers|transformers)"\s*,\s*"(\w{1,80})"/g),
    ];
    const folders = parts.flatMap(([, name, type]) =>
      /Scheduler|Tokenizer|Processor|FeatureExtractor/.test(type ?? "") ? [] : [name],
    );
    return `the index of a diffusers pipeline, whose components are models in folders of their own; give one of those${folders.length > 0 ? `: ${folders.join(", ")}` : ""}`;
  }
  if (/"(architectures|model_type|transformers_version|_diffusers_version)"\s*:/.test(text))
    return "the configuration of a Hugging Face model, and none of the usual files of weights stands beside it (model.safetensors, pytorch_model.bin, ...); give the file that has them";
  if (/"peft_type"\s*:/.test(text))
    return "the configuration of an adapter of PEFT; give adapter_model.safetensors, which has its weights";
  return "JSON, but no architecture that is known here; `weighbridge formats` lists what is read";
}

/** Archives that are told by an entry. */
const archives: readonly { readonly entry: RegExp; readonly text: string }[] = [
  {
    entry: /(^|\/)\.data\/(extern_modules|python_version)$/,
    text: "an archive of torch.package, which keeps Python code beside its weights and is not read here; load it with torch.package.PackageImporter and write the state_dict with torch.save",
  },
  {
    entry: /(^|\/)\.data\/serialization_id$/,
    text: "an archive of PyTorch without what it should hold (no data.pkl, no program): writing it probably failed halfway, write it again",
  },
  {
    entry: /\.npy$/,
    text: "an archive of NumPy arrays (.npz), which this version does not read by itself; `weighbridge formats` lists what is read",
  },
  {
    entry: /(^|\/)saved_model\.pb$/,
    text: "an archive with a SavedModel of TensorFlow, which this version does not read; save the model as .keras",
  },
];

/** What bytes look like that no importer takes: `a Git LFS pointer, ...`. */
export function describe(sniffed: Sniffed): string {
  const text = new TextDecoder().decode(sniffed.head.subarray(0, 256));
  const known = looks.find((look) => look.test(sniffed.head, text));
  if (sniffed.zip) {
    const { entries } = sniffed.zip;
    const archive = archives.find(({ entry }) => entries.some(({ name }) => entry.test(name)));
    if (archive) return archive.text;
    const names = entries
      .slice(0, 5)
      .map((entry) => entry.name)
      .join(", ");
    return `a zip archive that is no model known here (${names}${entries.length > 5 ? ", ..." : ""}); \`weighbridge formats\` lists what is read`;
  }
  if (sniffed.container === "json") return describeJson(sniffed.head);
  if (known) return known.text;
  const first = [...sniffed.head.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return `no format that is known here (it starts with ${first}); \`weighbridge formats\` lists what is read`;
}
