import type { Diagnostic } from "../src/diagnostics.ts";
import type { ByteSource } from "../src/io/byte-source.ts";
import type { Model } from "../src/ir/model.ts";
import type { ZipArchive } from "../src/wire/zip.ts";

export interface ImportOptions {
  /** Whether the training configuration is followed, as `load_model(file, compile=...)` would. Default true. */
  readonly compile?: boolean;
  /** Called now and then during long work, with what is being read. */
  readonly onProgress?: (step: string) => void;
}

export interface Imported {
  readonly model: Model;
  readonly diagnostics: readonly Diagnostic[];
}

/** The first bytes of a file and what they show, gathered once for all importers. */
export interface Sniffed {
  readonly source: ByteSource;
  /** Up to the first 4 KiB. */
  readonly head: Uint8Array;
  readonly container: "hdf5" | "zip" | "json" | "safetensors" | "other";
  /** The open archive, when the container is a zip, and what was odd about its directory. */
  readonly zip: ZipArchive | null;
  readonly diagnostics: readonly Diagnostic[];
}

export interface Importer {
  /** `keras`, `onnx`: what reports call the format. */
  readonly format: string;
  /** One line for `weighbridge formats`. */
  readonly title: string;
  /** What it reads, for `weighbridge formats`. */
  readonly variants: readonly { readonly id: string; readonly title: string; readonly files: string }[];
  /** True when the bytes look like this format's. Decides by content, never by name. */
  matches(sniffed: Sniffed): boolean | Promise<boolean>;
  load(source: ByteSource, options: ImportOptions, sniffed: Sniffed): Promise<Imported>;
}
