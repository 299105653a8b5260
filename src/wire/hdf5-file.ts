/**
 * One open HDF5 file, read by object headers only: directly where they are of the usual form, else by the library.
 * Everything a caller may ask goes through paths made of hard links only, so that nothing a file says can lead out of it.
 */

import { counted } from "../counted.ts";
import type { Diagnostic } from "../diagnostics.ts";
import { LimitExceededError, MalformedFileError } from "../errors.ts";
import {
  maxHdf5AttributeBytes,
  maxHdf5AttributeElements,
  maxHdf5Depth,
  maxHdf5LinksPerGroup,
  maxHdf5Objects,
  maxHdf5PathLength,
} from "../limits/hdf5.ts";
import { type DirectLink, Hdf5Direct } from "./hdf5-direct.ts";
import { Hdf5Library, type LibraryLink, type StoredAttribute } from "./hdf5-library.ts";
import type { Hdf5Session } from "./hdf5-session.ts";
import { describeType, type Hdf5DType, type RawMetadata, typeClass } from "./hdf5-values.ts";

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
  /** Only of groups with many links: most have one to four, and there may be a hundred thousand groups. */
  readonly byName: ReadonlyMap<string, Hdf5Link> | undefined;
}

const manyLinks = 16;
const emptyGroup: Group = { links: [], byName: undefined };

export class Hdf5File {
  readonly #session: Hdf5Session;
  readonly #direct: Hdf5Direct;
  readonly #library: Hdf5Library;
  readonly #onDiagnostic: (diagnostic: Diagnostic) => void;
  /** What was listed so far: by path, in order and by name. */
  readonly #groups = new Map<string, Group>();
  /** Path of each group, by the address of its header. */
  readonly #places = new Map<number, string>();
  #root: number | undefined;
  #links = 0;

  constructor(session: Hdf5Session, onDiagnostic: (diagnostic: Diagnostic) => void) {
    this.#session = session;
    this.#direct = new Hdf5Direct(session);
    this.#library = new Hdf5Library(session);
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
    const { links, byName } = this.#group(at.slice(0, cut) || "/");
    const name = at.slice(cut + 1);
    return (byName ? byName.get(name) : links.find((link) => link.name === name)) ?? null;
  }

  /** Names of the attributes of an object, in creation order where the file keeps it. */
  attributes(path: string): readonly string[] {
    const at = normalize(path);
    if (!this.#isHard(at)) return [];
    return this.#survive(at, [], () => {
      const direct = this.#direct.attributes(this.#addressOf(at));
      return direct ? [...direct.keys()] : this.#library.attributeNames(at);
    });
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
    return this.#survive(at, null, () => {
      const address = this.#addressOf(at);
      const direct = this.#direct.dataset(address);
      if (direct) return this.#describeDataset(at, direct, false);
      const raw = this.#library.dataset(at);
      return this.#describeDataset(at, raw, this.#library.isExternal(at, address, raw));
    });
  }

  close(): void {
    this.#session.close();
  }

  #group(at: string): Group {
    let group = this.#groups.get(at);
    if (group === undefined) {
      const links = this.#isHard(at, "group") ? this.#readLinks(at) : [];
      const byName = links.length > manyLinks ? new Map(links.map((link) => [link.name, link])) : undefined;
      group = links.length > 0 ? { links, byName } : emptyGroup;
      this.#groups.set(at, group);
    }
    return group;
  }

  #readLinks(at: string): readonly Hdf5Link[] {
    const { file } = this.#session;
    checkLimit(file, "maxHdf5Depth", depthOf(at), maxHdf5Depth - 1, `${at} is nested too deep`);
    return this.#survive(at, [], () => {
      const address = this.#addressOf(at);
      const direct = this.#direct.links(address);
      const links = direct ?? this.#library.names(at).map((name) => ({ name }));
      const what = `${at} has too many links`;
      checkLimit(file, "maxHdf5LinksPerGroup", links.length, maxHdf5LinksPerGroup, what);
      this.#links += links.length;
      checkLimit(file, "maxHdf5Objects", this.#links, maxHdf5Objects, "too many objects");
      if (at === "/") this.#places.set(address, at);
      return links.map((link) => {
        const path = join(at, link.name);
        checkLimit(file, "maxHdf5PathLength", path.length, maxHdf5PathLength, "a path is too long");
        this.#session.countBytes(path.length);
        return this.#readLink(path, link);
      });
    });
  }

  #readLink(at: string, { name, address, isSoft }: Pick<DirectLink, "name"> & Partial<DirectLink>): Hdf5Link {
    return this.#survive<Hdf5Link>(at, { name, kind: "unknown" }, () => {
      const kind = address === undefined || isSoft ? undefined : this.#direct.kind(address);
      const link: LibraryLink =
        kind === undefined ? this.#library.link(at) : { kind, address: address as number };
      if ("target" in link) return this.#notFollowed(at, { name, ...link });
      // Groups that are in several places can hold as many paths as 2 to the power of their number.
      const place = link.kind === "group" ? this.#places.get(link.address) : undefined;
      if (place !== undefined) {
        const isAbove = place === "/" || at.startsWith(`${place}/`);
        const target = isAbove ? "a group above it" : place;
        return this.#notFollowed(at, { name, kind: "unknown", target, address: link.address });
      }
      if (link.kind === "group") this.#places.set(link.address, at);
      return { name, ...link };
    });
  }

  #notFollowed(at: string, link: Hdf5Link): Hdf5Link {
    const kind = link.kind === "unknown" ? "hard" : link.kind === "soft-link" ? "soft" : "external";
    this.#onDiagnostic({ code: "link-not-followed", args: { kind, target: link.target ?? "" }, at });
    return link;
  }

  /** Of the header of an object that is there. */
  #addressOf(at: string): number {
    if (at !== "/") return this.find(at)?.address ?? Number.NaN;
    this.#root ??= this.#library.address(at);
    return this.#root;
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
    const all = this.#direct.attributes(this.#addressOf(at));
    if (all?.has(name) === false) return null;
    const direct = all?.get(name);
    const value = direct && this.#valueOf(at, name, direct);
    if (value !== undefined) return value;
    const stored = this.#library.attribute(at, name);
    if (stored === null && all !== undefined) {
      throw new MalformedFileError("the object has it, but nobody can read it", {
        file: this.#session.file,
        at,
      });
    }
    return (stored && this.#valueOf(at, name, stored)) ?? null;
  }

  /** Undefined when it has to be read in another way. */
  #valueOf(at: string, name: string, { raw, values }: StoredAttribute): Hdf5AttributeValue | undefined {
    const { file } = this.#session;
    if (raw.shape === null) return null;
    const what = `${at}: attribute ${name} is too large`;
    checkLimit(file, "maxHdf5AttributeBytes", raw.size * raw.total_size, maxHdf5AttributeBytes, what);
    checkLimit(file, "maxHdf5AttributeElements", raw.total_size, maxHdf5AttributeElements, what);
    const found = values();
    if (found === undefined) return undefined;
    if (found === null) {
      const { storedType } = describeType(raw);
      throw new MalformedFileError(`its type (${storedType}) has no plain value`, { file, at });
    }
    return raw.shape.length === 0 && raw.type !== typeClass.array ? (found[0] ?? null) : found;
  }

  #describeDataset(at: string, raw: RawMetadata, external: boolean): Hdf5Dataset {
    const type = describeType(raw);
    const shape = [...(raw.shape ?? []), ...(raw.shape === null ? [] : type.dims)];
    const elements = raw.shape === null ? 0 : shape.reduce((product, dim) => product * dim, 1);
    const safe = Number.isSafeInteger(elements) && shape.every(Number.isSafeInteger);
    const size = type.dims.reduce((rest, dim) => (dim > 0 ? rest / dim : rest), raw.size);
    const bytes = safe ? elements * size : Number.POSITIVE_INFINITY;
    const virtualSources = (raw.virtual_sources ?? []).map(
      (source) => `${source.file_name}:${source.dset_name}`,
    );
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
      suspicious(`it declares ${counted(bytes, "byte")}, the file has ${this.#session.size}`);
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
  if (isNormal.test(path)) return path;
  return `/${path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/")}`;
}

const isNormal = /^(?:\/(?!\.?(?:\/|$))[^/]*)+$/;

function depthOf(path: string): number {
  let depth = 0;
  for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) depth += 1;
  return path === "/" ? 0 : depth;
}

function join(parent: string, name: string): string {
  return parent === "/" ? `/${name}` : `${parent}/${name}`;
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
