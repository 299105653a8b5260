/** What is read without the library is what the library says, of HDF5 files of all kinds. */

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { ready } from "h5wasm";
import { expect, test } from "vitest";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { memorySource } from "../../src/io/memory.ts";
import { Hdf5Direct } from "../../src/wire/hdf5-direct.ts";
import { Hdf5Library } from "../../src/wire/hdf5-library.ts";
import type { Hdf5Session, RawModule } from "../../src/wire/hdf5-session.ts";
import { openZip } from "../../src/wire/zip.ts";

const root = resolve(import.meta.dirname, "../..");
const module = (await ready) as unknown as RawModule & {
  readonly FS: { writeFile(path: string, data: Uint8Array): void; unlink(path: string): void };
};

const filesBelow = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(h5|hdf5|keras)$/.test(name))
    .sort()
    .map((name) => join(root, folder, name));

const files = [
  ...filesBelow("test/wire/files"),
  // All of them take ten seconds.
  ...filesBelow("fixtures/keras").filter((_, i) => i % 3 === 0),
];

/** The HDF5 in a file: itself, or the weights of an archive; `null` where there are none. */
async function hdf5Of(path: string): Promise<Uint8Array | null> {
  const bytes = readFileSync(path);
  if (bytes[0] !== 0x50) return bytes;
  const zip = await openZip(memorySource(bytes));
  const entry = zip.find("model.weights.h5") ?? zip.find("variables.h5");
  const source: ByteSource | null = entry ? await zip.openEntry(entry) : null;
  return source && (await source.read(0, source.size));
}

interface Counts {
  objects: number;
  /** Objects, descriptions of datasets and values of attributes that the library was not needed for. */
  direct: number;
}

/** As `expect` would, which takes too long for a hundred thousand comparisons. */
function same(read: unknown, expected: unknown, here: string): void {
  if (JSON.stringify(read) !== JSON.stringify(expected)) expect(read, here).toEqual(expected);
}

/** Walks the file with the library and holds what is read directly against it. */
function compare(bytes: Uint8Array, what: string, counts: Counts): void {
  module.FS.writeFile("/compared.h5", bytes);
  const id = module.open("/compared.h5", 0, false, -1, -1);
  const base = [0, 512, 1024, 2048].find((at) => bytes[at] === 0x89 && bytes[at + 1] === 0x48) ?? 0;
  const session: Hdf5Session = {
    file: what,
    module,
    id,
    size: bytes.length,
    base,
    readAt: () => null,
    look: (address, length, atMost) => {
      const left = bytes.length - base - address;
      if (!(left > 0) || (left < length && !atMost)) return null;
      return new DataView(bytes.buffer, bytes.byteOffset + base + address, Math.min(length, left));
    },
    countBytes: () => {},
    countSteps: () => {},
    call: (_what, _at, run) => run(),
    close: () => {},
  };
  const direct = new Hdf5Direct(session);
  const library = new Hdf5Library(session);
  const seen = new Set<number>();
  const count = (isDirect: boolean): void => {
    counts.objects += 1;
    if (isDirect) counts.direct += 1;
  };
  const visit = (at: string, kind: string, address: number): void => {
    if (seen.has(address)) return;
    seen.add(address);
    const here = `${what} ${at}`;
    const found = direct.kind(address);
    count(found !== undefined);
    if (found !== undefined) same(found, kind, here);
    compareAttributes(at, address, here);
    if (kind === "dataset") compareDataset(at, address, here);
    if (kind !== "group") return;
    const links = library.names(at);
    const read = direct.links(address)?.map((link) => [link.name, link] as const);
    if (read) same([...new Map(read).keys()], links, here);
    const byName = new Map(read);
    for (const name of links) {
      const path = `${at === "/" ? "" : at}/${name}`;
      const link = library.link(path);
      const other = byName.get(name);
      if (other) same(other.isSoft, "target" in link, path);
      if ("target" in link) continue;
      if (other) same(other.address, link.address, path);
      visit(path, link.kind, link.address);
    }
  };
  const compareAttributes = (at: string, address: number, here: string): void => {
    const all = direct.attributes(address);
    if (!all) return;
    same([...all.keys()], library.attributeNames(at), here);
    for (const [name, attribute] of all) {
      const values = attribute?.values();
      count(values !== undefined);
      if (!attribute || values === undefined) continue;
      const expected = library.attribute(at, name);
      // In memory a variable-length string is a pointer, in the file it is a reference.
      const size = attribute.raw.vlen ? { size: 4 } : {};
      same({ ...attribute.raw, ...size }, pick(expected?.raw, attribute.raw), here);
      same(values, expected?.values(), `${here} ${name}`);
    }
  };
  const compareDataset = (at: string, address: number, here: string): void => {
    const read = direct.dataset(address);
    count(read !== undefined);
    if (read) same(read, pick(library.dataset(at), read), here);
  };
  visit("/", "group", library.address("/"));
  module.close_file(id);
  module.FS.unlink("/compared.h5");
}

function pick(from: object | undefined, keys: object): object {
  return Object.fromEntries(Object.keys(keys).map((key) => [key, (from as Record<string, unknown>)?.[key]]));
}

test("what is read directly, which is nearly everything that Keras writes", async () => {
  const counts = { objects: 0, direct: 0 };
  for (const path of files) {
    const bytes = await hdf5Of(path);
    if (bytes) compare(bytes, path.slice(root.length), counts);
  }
  expect(counts.objects).toBeGreaterThan(5000);
  expect(counts.direct / counts.objects).toBeGreaterThan(0.99);
});
