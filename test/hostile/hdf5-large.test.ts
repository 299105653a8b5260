/** HDF5 that is large, deep, or claims to be: honest trees are read whole, the others end in a typed error. */

import { expect, it } from "vitest";
import { LimitExceededError } from "../../src/errors.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { type Hdf5File, openHdf5 } from "../../src/wire/hdf5.ts";
import { continuation, encode, Hdf5Builder, symbolTable } from "../wire/hdf5-builder.ts";

/** Generous: the machines are shared. The slowest takes a fifth of it. */
const milliseconds = 20_000;

interface Seen {
  groups: number;
  datasets: number;
  elements: number;
}

function walk(file: Hdf5File, path: string, seen: Seen): Seen {
  for (const link of file.list(path)) {
    const at = `${path === "/" ? "" : path}/${link.name}`;
    if (link.kind === "group") {
      seen.groups += 1;
      walk(file, at, seen);
    } else if (link.kind === "dataset") {
      seen.datasets += 1;
      seen.elements += file.dataset(at)?.elements ?? Number.NaN;
    }
  }
  return seen;
}

async function readAll(source: ByteSource): Promise<Seen> {
  const file = await openHdf5(source);
  try {
    return walk(file, "/", { groups: 0, datasets: 0, elements: 0 });
  } finally {
    file.close();
  }
}

async function limitOf(source: ByteSource): Promise<string> {
  try {
    return JSON.stringify(await readAll(source));
  } catch (error) {
    if (error instanceof LimitExceededError) return error.limit;
    throw error;
  }
}

const range = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const numbered = (count: number, address: number) => range(count, (i) => [`d${i}`, address] as const);

it(
  "a model of 20 000 layers is read whole",
  async () => {
    const h5 = new Hdf5Builder();
    const layers = range(20_000, (i) => {
      const weights = [
        ["0", h5.dataset([3, 4])],
        ["1", h5.dataset([4])],
      ] as const;
      return [`dense_${i}`, h5.group([["vars", h5.group(weights)]])] as const;
    });
    const root = h5.group([["layers", h5.group(layers)]]);
    expect(await readAll(h5.source(root))).toEqual({ groups: 40_001, datasets: 40_000, elements: 320_000 });
  },
  milliseconds,
);

/** Sixty groups inside one another, the last of which has these links. */
function deep(h5: Hdf5Builder, links: readonly (readonly [string, number])[]): ByteSource {
  const root = range(60, () => "inner").reduce((at, name) => h5.group([[name, at]]), h5.group(links));
  return h5.source(root);
}

it(
  "ten thousand datasets sixty groups down are read as well",
  async () => {
    const h5 = new Hdf5Builder();
    expect(await readAll(deep(h5, numbered(10_000, h5.dataset([2]))))).toEqual({
      groups: 60,
      datasets: 10_000,
      elements: 20_000,
    });
  },
  milliseconds,
);

/** A flag that is none of the usual ones leaves a dataset to the library. */
const oddFlag = 0x10;

it.each([
  [0, 40_000],
  [60, 1000],
])(
  "objects the library has to walk to: %d groups down, %d of them",
  async (depth, count) => {
    const h5 = new Hdf5Builder();
    const links = numbered(count, h5.dataset([2], oddFlag));
    expect(await limitOf(depth === 0 ? h5.source(h5.group(links)) : deep(h5, links))).toBe("maxHdf5PathWork");
  },
  milliseconds,
);

it(
  "a few thousand of them are read",
  async () => {
    const h5 = new Hdf5Builder();
    const source = h5.source(h5.group(numbered(5000, h5.dataset([2], oddFlag))));
    expect(await readAll(source)).toMatchObject({ datasets: 5000, elements: 10_000 });
  },
  milliseconds,
);

it(
  "one header of a megabyte under a thousand names",
  async () => {
    const h5 = new Hdf5Builder();
    const nothing = range(60_000, () => ({ type: 0, data: Buffer.alloc(8) }));
    const source = h5.source(h5.group(numbered(1000, h5.header(nothing))));
    expect(await limitOf(source)).toBe("maxHdf5HeaderBytes");
  },
  milliseconds,
);

it(
  "a header that goes on in itself, beside an honest one",
  async () => {
    const h5 = new Hdf5Builder();
    const nothing = Buffer.concat(range(60_000, () => encode({ type: 0, data: Buffer.alloc(0) })));
    const again = encode(continuation(h5.end, nothing.length + 24));
    const circle = h5.put(Buffer.concat([nothing, again]));
    const header = h5.header([continuation(circle, nothing.length + 24)], 65_535);
    const links = [
      ["circle", header],
      ["honest", h5.dataset([7])],
    ] as const;
    expect(await readAll(h5.source(h5.group(links)))).toMatchObject({ datasets: 1, elements: 7 });
  },
  milliseconds,
);

it("a name that is longer than a path may be", async () => {
  const h5 = new Hdf5Builder();
  const source = h5.source(h5.group([["x".repeat(9000), h5.dataset([1])]]));
  expect(await limitOf(source)).toBe("maxHdf5PathLength");
});

/** The file with nothing but zeros behind it, which are not there until they are read. */
function withTail(bytes: Uint8Array, size: number): ByteSource {
  const readSync = (offset: number, length: number): Uint8Array => {
    const out = new Uint8Array(length);
    out.set(bytes.subarray(offset, offset + length));
    return out;
  };
  return { name: "tail.h5", size, readSync, read: async (offset, length) => readSync(offset, length) };
}

it.each([
  ["maxHdf5SingleReadBytes", 1, 300],
  ["maxHdf5ReadBytes", 12, 100],
])(
  "%s: %d heaps of names that say they have %d megabytes",
  async (limit, count, megabytes) => {
    const h5 = new Hdf5Builder();
    const size = megabytes * 1e6;
    const tree = h5.tree([]);
    const groups = range(count, (i) => {
      const heap = h5.heap(Buffer.alloc(0), size, 1e6 + i * size);
      return [`g${i}`, h5.header([symbolTable(tree, heap)])] as const;
    });
    const bytes = Buffer.from(h5.finish(h5.group(groups)));
    bytes.writeBigUInt64LE(BigInt(2e6 + count * size), 40);
    expect(await limitOf(withTail(bytes, 2e6 + count * size))).toBe(limit);
  },
  milliseconds,
);

it(
  "maxHdf5Reads: a header in half a million pieces",
  async () => {
    const h5 = new Hdf5Builder();
    const count = 600_000;
    const piece = encode(continuation(0, 24)).length;
    const start = h5.end;
    const pieces = range(count, (i) => encode(continuation(start + (i + 1) * piece, piece)));
    h5.put(Buffer.concat(pieces));
    const header = h5.header([continuation(start, piece)], 65_535);
    expect(await limitOf(h5.source(h5.group([["x", header]])))).toBe("maxHdf5Reads");
  },
  milliseconds,
);
