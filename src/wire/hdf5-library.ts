/**
 * What h5wasm is asked about objects, by path: everything that `Hdf5Direct` does not read itself. Each call goes through
 * `Hdf5Session.call`, which turns what can go wrong inside the C library into typed errors and counts the steps that
 * the library walks, always from the root.
 */

import { isModelError } from "../errors.ts";
import { hasExternalFiles } from "./hdf5-header.ts";
import type { Hdf5Session, RawModule } from "./hdf5-session.ts";
import { decodeValues, type RawMetadata } from "./hdf5-values.ts";

/** An attribute and how to read it. The caller checks its size in between. */
export interface StoredAttribute {
  readonly raw: RawMetadata;
  /** `null` when the type has no plain value, `undefined` when it has to be read in another way. */
  values(): readonly string[] | readonly number[] | null | undefined;
}

export type LibraryLink =
  | { readonly kind: "soft-link" | "external-link"; readonly target: string }
  | { readonly kind: LibraryKind; readonly address: number };

type LibraryKind = "group" | "dataset" | "datatype";

const kinds: Readonly<Record<number, LibraryKind>> = { 0: "group", 1: "dataset", 2: "datatype" };

export class Hdf5Library {
  readonly #session: Hdf5Session;

  constructor(session: Hdf5Session) {
    this.#session = session;
  }

  names(at: string): readonly string[] {
    const { module, id } = this.#session;
    return this.#session.call("the group", at, () => module.get_names(id, at, false));
  }

  link(at: string): LibraryLink {
    const { module, id } = this.#session;
    // Whether a path exists is answered step by step, each step by a walk of its own.
    const depth = at.split("/").length;
    this.#session.countSteps(depth * (depth + 2));
    return this.#session.call("the link", at, () => {
      const soft = module.get_symbolic_link(id, at);
      if (soft !== null) return { kind: "soft-link", target: soft };
      const { filename, obj_path } = module.get_external_link(id, at);
      if (filename !== undefined) return { kind: "external-link", target: `${filename}:${obj_path ?? ""}` };
      const kind = kinds[module.get_type(id, at)];
      if (kind === undefined) throw new Error("the object it leads to cannot be opened");
      return { kind, address: readAddress(module.create_object_reference(id, at)) };
    });
  }

  address(at: string): number {
    const { module, id } = this.#session;
    return this.#session.call("the group", at, () => readAddress(module.create_object_reference(id, at)));
  }

  attributeNames(at: string): readonly string[] {
    const { module, id } = this.#session;
    return this.#session.call("the attribute list", at, () => module.get_attribute_names(id, at));
  }

  /** `null` when there is none. */
  attribute(at: string, name: string): StoredAttribute | null {
    const { module, id } = this.#session;
    const raw = this.#session.call(`attribute ${name}`, at, () => {
      try {
        return module.get_attribute_metadata(id, at, name);
      } catch (error) {
        if (isAbsent(error)) return null;
        throw error;
      }
    });
    return raw && { raw, values: () => this.#values(at, name, raw) };
  }

  dataset(at: string): RawMetadata {
    const { module, id } = this.#session;
    return this.#session.call("the dataset", at, () => module.get_dataset_metadata(id, at));
  }

  /** True when the data of the dataset whose header is at `address` are in other files. */
  isExternal(at: string, address: number, raw: RawMetadata): boolean {
    if (raw.shape === null || Array.isArray(raw.chunks)) return false;
    const { readAt, base } = this.#session;
    return this.#session.call("the dataset header", at, () => hasExternalFiles(readAt, address, base));
  }

  #values(at: string, name: string, raw: RawMetadata): readonly string[] | readonly number[] | null {
    const { module, id } = this.#session;
    const bytes = raw.size * raw.total_size;
    if (bytes === 0) return [];
    return this.#session.call(`attribute ${name}`, at, () => {
      const pointer = module._malloc(bytes);
      if (pointer === 0) throw new Error(`no memory for ${bytes} bytes`);
      try {
        module.HEAPU8.fill(0, pointer, pointer + bytes);
        if (module.get_attribute_data(id, at, name, BigInt(pointer)) < 0) {
          throw new Error("the data cannot be read");
        }
        const data = module.HEAPU8.slice(pointer, pointer + bytes);
        if (!raw.vlen) return decodeValues(raw, data);
        try {
          return readVariableStrings(module, data);
        } finally {
          module.reclaim_vlen_memory(id, at, name, BigInt(pointer));
        }
      } finally {
        module._free(pointer);
      }
    });
  }
}

/** An object reference is the address of the object's header, least byte first. */
function readAddress(reference: readonly number[]): number {
  return reference.reduceRight((address, byte) => address * 256 + byte, 0);
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && !isModelError(error) && error.message.includes("name not defined");
}

function readVariableStrings(module: RawModule, data: Uint8Array): string[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const out: string[] = [];
  for (let at = 0; at + 4 <= data.length; at += 4) out.push(module.UTF8ToString(view.getUint32(at, true)));
  return out;
}
