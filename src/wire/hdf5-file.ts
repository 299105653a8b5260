/**
 * One open HDF5 file, read by object headers only. Everything h5wasm does goes through `Hdf5Session.call`, which
 * turns what can go wrong inside the C library into typed errors; everything a caller may ask goes through paths made
 * of hard links only, so that nothing a file says can lead out of it.
 */

import type { Diagnostic } from "../diagnostics.ts";
import { isModelError, LimitExceededError, MalformedFileError } from "../errors.ts";
import {
  maxHdf5AttributeBytes,
  maxHdf5AttributeElements,
  maxHdf5Depth,
  maxHdf5LinksPerGroup,
  maxHdf5Objects,
  maxHdf5PathLength,
  maxHdf5PathWork,
} from "../limits.ts";
import { hasExternalFiles } from "./hdf5-header.ts";
import type { Hdf5Session, RawModule } from "./hdf5-session.ts";
import { decodeValues, describeType, type Hdf5DType, type RawMetadata, typeClass } from "./hdf5-values.ts";

export type Hdf5Kind = "group" | "dataset" | "datatype" | "soft-link" | "external-link" | "unknown";

export interface Hdf5Link {
  readonly name: string;
  readonly kind: Hdf5Kind;
  /** Where a soft or external link points, as the file says it; never followed. */
  readonly target?: string;
  /** Address of the object header. Two links with the same address are one object (a hard link). */
  readonly address?: number;
}

export type Hdf5AttributeValue = string | readonly string[] | number | readonly number[] | null;

export interface Hdf5Dataset {
  /** Without the dimensions a caller would have to guess: those of an HDF5 array type are included. */
  readonly shape: readonly number[];
  readonly dtype: Hdf5DType;
  /** The type in HDF5's words, for messages. */
  readonly storedType: string;
  /** Elements times element size: what the data take uncompressed. */
  readonly bytes: number;
  /** Product of `shape`; `Infinity` when it is beyond 2^53. */
  readonly elements: number;
  readonly chunked: boolean;
  /** Sources of a virtual dataset, as "file:dataset". */
  readonly virtualSources: readonly string[];
  /** True when the data are in other files, which HDF5 calls external storage. */
  readonly external: boolean;
  /** False when the dataspace is null: there is a type, but not even room for data. */
  readonly hasData: boolean;
}

/** A dataset of this size that is so many times larger than its file holds nothing: Keras refuses it by the same rule. */
const bombBytes = 4 * 1024 ** 3;
const bombRatio = 1000;

interface Group {
  readonly links: readonly Hdf5Link[];
  readonly byName: ReadonlyMap<string, Hdf5Link>;
}

const kinds: Readonly<Record<number, Hdf5Kind>> = { 0: "group", 1: "dataset", 2: "datatype" };

export class Hdf5File {
  readonly #session: Hdf5Session;
  readonly #onDiagnostic: (diagnostic: Diagnostic) => void;
  /** What was listed so far: by path, in order and by name. */
  readonly #groups = new Map<string, Group>();
  /** Path of each group, by the address of its header. */
  readonly #places = new Map<number, string>();
  #links = 0;
  #work = 0;

  constructor(session: Hdf5Session, onDiagnostic: (diagnostic: Diagnostic) => void) {
    this.#session = session;
    this.#onDiagnostic = onDiagnostic;
  }

  /**
   * The links of a group: in creation order where the file keeps it, else by name. A link that cannot be resolved is
   * "unknown" and reported, as are soft and external links; a group that cannot be read is reported and has no links.
   */
  list(path: string): readonly Hdf5Link[] {
    const at = normalize(path);
    return this.#group(at).links;
  }

  /** The link at `path`, or `null` when there is none or a soft or external link is on the way. */
  find(path: string): Hdf5Link | null {
    const at = normalize(path);
    if (at === "/") return { name: "/", kind: "group" };
    // Weight names come from the file: one of a million parts must not become a million calls.
    if (depthOf(at) > maxHdf5Depth) return null;
    const cut = at.lastIndexOf("/");
    return this.#group(at.slice(0, cut) || "/").byName.get(at.slice(cut + 1)) ?? null;
  }

  /** Names of the attributes of an object, in creation order where the file keeps it. */
  attributes(path: string): readonly string[] {
    const at = normalize(path);
    if (!this.#isHard(at)) return [];
    const { module, id } = this.#session;
    return this.#survive(at, [], () =>
      this.#session.call("the attribute list", at, () => module.get_attribute_names(id, at)),
    );
  }

  /** The value of an attribute; `null` when there is none, when it has no plain value, or (reported) when unreadable. */
  attribute(path: string, name: string): Hdf5AttributeValue {
    const at = normalize(path);
    if (!this.#isHard(at)) return null;
    try {
      return this.#readAttribute(at, name);
    } catch (error) {
      if (!(error instanceof MalformedFileError)) throw error;
      this.#onDiagnostic({
        code: "attribute-unreadable",
        args: { attribute: name, reason: error.message },
        at,
      });
      return null;
    }
  }

  /** Shape, type and storage of a dataset from its header; `null` (reported) when the header cannot be read. */
  dataset(path: string): Hdf5Dataset | null {
    const at = normalize(path);
    if (!this.#isHard(at, "dataset")) return null;
    const { module, id } = this.#session;
    return this.#survive(at, null, () => {
      const raw = this.#session.call("the dataset", at, () => module.get_dataset_metadata(id, at));
      return this.#describeDataset(at, raw);
    });
  }

  close(): void {
    this.#session.close();
  }

  #group(at: string): Group {
    let group = this.#groups.get(at);
    if (group === undefined) {
      const links = this.#isHard(at, "group") ? this.#readLinks(at) : [];
      group = { links, byName: new Map(links.map((link) => [link.name, link])) };
      this.#groups.set(at, group);
    }
    return group;
  }

  #readLinks(at: string): readonly Hdf5Link[] {
    const { module, id, file } = this.#session;
    checkLimit(file, "maxHdf5Depth", depthOf(at), maxHdf5Depth - 1, `${at} is nested too deep`);
    return this.#survive(at, [], () => {
      const names = this.#session.call("the group", at, () => module.get_names(id, at, false));
      checkLimit(
        file,
        "maxHdf5LinksPerGroup",
        names.length,
        maxHdf5LinksPerGroup,
        `${at} has too many links`,
      );
      this.#work += names.length * (depthOf(at) + 1) ** 2;
      const work = maxHdf5PathWork + this.#session.size / 2;
      checkLimit(
        file,
        "maxHdf5PathWork",
        this.#work,
        work,
        "too many objects too deep for a file of this size",
      );
      this.#links += names.length;
      checkLimit(file, "maxHdf5Objects", this.#links, maxHdf5Objects, "too many objects");
      if (at === "/") this.#session.call("the group", at, () => this.#places.set(this.#addressOf(at), at));
      return names.map((name) => {
        const path = join(at, name);
        checkLimit(file, "maxHdf5PathLength", path.length, maxHdf5PathLength, "a path is too long");
        return this.#readLink(path, name);
      });
    });
  }

  #readLink(at: string, name: string): Hdf5Link {
    const { module, id } = this.#session;
    return this.#survive<Hdf5Link>(at, { name, kind: "unknown" }, () =>
      this.#session.call("the link", at, () => {
        const soft = module.get_symbolic_link(id, at);
        if (soft !== null) return this.#notFollowed(at, { name, kind: "soft-link", target: soft });
        const external = module.get_external_link(id, at);
        if (external.filename !== undefined) {
          const target = `${external.filename}:${external.obj_path ?? ""}`;
          return this.#notFollowed(at, { name, kind: "external-link", target });
        }
        const kind = kinds[module.get_type(id, at)];
        if (kind === undefined) throw new Error("the object it leads to cannot be opened");
        const address = this.#addressOf(at);
        // Groups that are in several places can hold as many paths as 2 to the power of their number.
        const place = kind === "group" ? this.#places.get(address) : undefined;
        if (place !== undefined) {
          const isAbove = place === "/" || at.startsWith(`${place}/`);
          const target = isAbove ? "a group above it" : place;
          return this.#notFollowed(at, { name, kind: "unknown", target, address });
        }
        if (kind === "group") this.#places.set(address, at);
        return { name, kind, address };
      }),
    );
  }

  #notFollowed(at: string, link: Hdf5Link): Hdf5Link {
    const kind = link.kind === "unknown" ? "hard" : link.kind === "soft-link" ? "soft" : "external";
    this.#onDiagnostic({ code: "link-not-followed", args: { kind, target: link.target ?? "" }, at });
    return link;
  }

  #addressOf(at: string): number {
    const { module, id } = this.#session;
    return readAddress(module.create_object_reference(id, at));
  }

  /** True when every step to `path` is a hard link (to an object of `kind`, when given). */
  #isHard(path: string, kind?: Hdf5Kind): boolean {
    if (path === "/") return kind === undefined || kind === "group";
    const link = this.find(path);
    if (link === null) return false;
    return kind === undefined
      ? link.kind === "group" || link.kind === "dataset" || link.kind === "datatype"
      : link.kind === kind;
  }

  #readAttribute(at: string, name: string): Hdf5AttributeValue {
    const { module, id, file } = this.#session;
    const raw = this.#session.call(`attribute ${name}`, at, () => {
      try {
        return module.get_attribute_metadata(id, at, name);
      } catch (error) {
        if (isAbsent(error)) return null;
        throw error;
      }
    });
    if (raw === null || raw.shape === null) return null;
    const bytes = raw.size * raw.total_size;
    const what = `${at}: attribute ${name} is too large`;
    checkLimit(file, "maxHdf5AttributeBytes", bytes, maxHdf5AttributeBytes, what);
    checkLimit(file, "maxHdf5AttributeElements", raw.total_size, maxHdf5AttributeElements, what);
    const values = bytes === 0 ? [] : this.#readAttributeData(at, name, raw, bytes);
    if (values === null) {
      throw new MalformedFileError(`its type (${describeType(raw).storedType}) has no plain value`, {
        file,
        at,
      });
    }
    return raw.shape.length === 0 && raw.type !== typeClass.array ? (values[0] ?? null) : values;
  }

  #readAttributeData(at: string, name: string, raw: RawMetadata, bytes: number) {
    const { module, id } = this.#session;
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

  #describeDataset(at: string, raw: RawMetadata): Hdf5Dataset {
    const type = describeType(raw);
    const shape = [...(raw.shape ?? []), ...(raw.shape === null ? [] : type.dims)];
    const elements = raw.shape === null ? 0 : shape.reduce((product, dim) => product * dim, 1);
    const safe = Number.isSafeInteger(elements) && shape.every(Number.isSafeInteger);
    const size = type.dims.reduce((rest, dim) => (dim > 0 ? rest / dim : rest), raw.size);
    const bytes = safe ? elements * size : Number.POSITIVE_INFINITY;
    const virtualSources = (raw.virtual_sources ?? []).map(
      (source) => `${source.file_name}:${source.dset_name}`,
    );
    const external = this.#isExternal(at, raw);
    this.#reportOddities(at, shape, bytes, virtualSources.length, external);
    return {
      shape,
      dtype: this.#bfloat16(at, raw) ?? type.dtype,
      storedType: type.storedType,
      elements: safe ? elements : Number.POSITIVE_INFINITY,
      bytes,
      chunked: Array.isArray(raw.chunks),
      virtualSources,
      external,
      hasData: raw.shape !== null,
    };
  }

  #isExternal(at: string, raw: RawMetadata): boolean {
    const address = this.find(at)?.address;
    if (address === undefined || raw.shape === null || Array.isArray(raw.chunks)) return false;
    const { readAt, base } = this.#session;
    return this.#session.call("the dataset header", at, () => hasExternalFiles(readAt, address, base));
  }

  #reportOddities(
    at: string,
    shape: readonly number[],
    bytes: number,
    sources: number,
    external: boolean,
  ): void {
    const suspicious = (reason: string): void =>
      this.#onDiagnostic({ code: "shape-suspicious", args: { shape: `(${shape.join(", ")})`, reason }, at });
    const elsewhere = (reason: string): void =>
      this.#onDiagnostic({ code: "virtual-dataset", args: { reason }, at });
    if (bytes === Number.POSITIVE_INFINITY) suspicious("it has more than 2^53 elements");
    else if (bytes > bombBytes && bytes > this.#session.size * bombRatio) {
      suspicious(`it declares ${bytes} bytes, the file has ${this.#session.size}`);
    }
    if (sources > 0) elsewhere(`it is put together from ${sources} others`);
    if (external) elsewhere("its data are in other files");
  }

  /** Keras keeps bfloat16 (and float8), which HDF5 does not know, as opaque bytes with the name in attribute `dtype`. */
  #bfloat16(at: string, raw: RawMetadata): Hdf5DType | null {
    if (raw.type !== typeClass.opaque && !(raw.type === typeClass.integer && raw.size <= 2)) return null;
    if (!this.attributes(at).includes("dtype")) return null;
    const name = this.attribute(at, "dtype");
    const sizes: Readonly<Record<string, number>> = { bfloat16: 2, float8_e4m3fn: 1, float8_e5m2: 1 };
    return typeof name === "string" && Object.hasOwn(sizes, name) && sizes[name] === raw.size
      ? (name as Hdf5DType)
      : null;
  }

  /** Runs `read`; what the file's own damage throws becomes a diagnostic at `at` and `otherwise` the result. */
  #survive<T>(at: string, otherwise: T, read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof MalformedFileError)) throw error;
      this.#onDiagnostic({ code: "object-unreadable", args: { reason: error.message }, at });
      return otherwise;
    }
  }
}

/** "/a//b/" and "a/b" are "/a/b". A "." means "here" to HDF5 as well; ".." is a name like any other. */
function normalize(path: string): string {
  return `/${path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/")}`;
}

function depthOf(path: string): number {
  return path === "/" ? 0 : path.split("/").length - 1;
}

function join(parent: string, name: string): string {
  return parent === "/" ? `/${name}` : `${parent}/${name}`;
}

/** An object reference is the address of the object's header, eight bytes little-endian. */
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

function checkLimit(file: string, limit: string, actual: number, maximum: number, what: string): void {
  if (actual <= maximum) return;
  throw new LimitExceededError(`${file}: ${what}: ${actual}, the limit is ${maximum} (${limit})`, {
    limit,
    actual,
    maximum,
    file,
  });
}
