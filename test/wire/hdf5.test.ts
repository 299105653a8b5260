import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Diagnostic } from "../../src/diagnostics.ts";
import { LimitExceededError, MalformedFileError, SourceReadError } from "../../src/errors.ts";
import { blobSource } from "../../src/io/blob.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { countedSource } from "../../src/io/counted.ts";
import { memorySource } from "../../src/io/memory.ts";
import { openFile } from "../../src/io/node-file.ts";
import { type Hdf5File, openHdf5 } from "../../src/wire/hdf5.ts";
import { openZip } from "../../src/wire/zip.ts";
import { buildZip } from "./zip-builder.ts";

const path = (name: string): string => new URL(`./files/${name}.h5`, import.meta.url).pathname;
const load = (name: string): Uint8Array => readFileSync(path(name));

let found: Diagnostic[] = [];
const codes = (): string[] => found.map((d) => `${d.code} ${d.at}`);
const open = (name: string): Promise<Hdf5File> => {
  found = [];
  return openHdf5(openFile(path(name)), (d) => found.push(d));
};

const stderr = vi.spyOn(process.stderr, "write");
const consoleError = vi.spyOn(console, "error");
afterEach(() => {
  // HDF5 prints its error stack; none of it may reach the user's terminal.
  expect(stderr.mock.calls.join("")).not.toMatch(/HDF5-DIAG/);
  expect(consoleError).not.toHaveBeenCalled();
});

describe("attributes", async () => {
  const file = await open("attributes");
  test.each([
    ["vlen_utf8", "Grüße ✓"],
    ["vlen_ascii", "ascii"],
    ["vlen_array", ["a", "", "ccc"]],
    ["fixed_array", ["one", "three"]],
    ["fixed_scalar", "2.2.4"],
    ["null_padded", "abc"],
    ["null_terminated", "abc"],
    ["space_padded", "abc"],
    ["fixed_utf8", "ß"],
    ["latin1", "\ufffd"],
    ["empty_list", []],
    ["null_space", null],
    ["null_string", null],
    ["int64", -(2 ** 53) - 2],
    ["uint64", 2 ** 64],
    ["int16_be", [1, -2]],
    ["int8", -3],
    ["float16", [1.5, -2, Number.POSITIVE_INFINITY, 2 ** -24]],
    ["float32", 0.5],
    ["float64", [1, 2, 3, 4]],
    ["bool_true", 1],
    ["bools", [1, 0]],
    ["enum", 2],
    ["one_element", [7]],
    ["array_type", [0, 0, 0, 0, 0, 0]],
    ["name/with slash", 1],
    ["__proto__", "just a name"],
    ["absent", null],
  ])("%s", (name, value) => {
    found = [];
    expect(file.attribute("/g", name)).toEqual(value);
    expect(found).toEqual([]);
  });

  test.each(["compound", "reference", "complex", "vlen_ints"])(
    "%s has no plain value, and that is said",
    async (name) => {
      const again = await open("attributes");
      expect(again.attribute("g", name)).toBeNull();
      expect(codes()).toEqual(["attribute-unreadable /g"]);
    },
  );

  test("names", () => {
    expect(file.attributes("/g")).toContain("vlen_utf8");
    expect(file.attributes("/g").length).toBe(31);
    expect(file.attributes("/")).toEqual([]);
    expect(file.attributes("/nowhere")).toEqual([]);
    expect(file.attribute("/nowhere", "x")).toBeNull();
  });
});

describe("datasets", async () => {
  const file = await open("datasets");
  test.each([
    ["f2", [2, 3], "float16", 12],
    ["f4", [2, 3], "float32", 24],
    ["f8", [2, 3], "float64", 48],
    ["i1", [2, 3], "int8", 6],
    ["i8", [2, 3], "int64", 48],
    ["u1", [2, 3], "uint8", 6],
    ["u8", [2, 3], "uint64", 48],
    ["be_f4", [2, 3], "float32", 24],
    ["be_i8", [2, 3], "int64", 48],
    ["bool", [2], "bool", 2],
    ["enum", [2], "int16", 4],
    ["complex64", [2], "complex64", 16],
    ["complex128", [2], "complex128", 32],
    ["compound", [2], "opaque", 24],
    ["string", [2], "string", 6],
    ["array_type", [4, 3, 5], "float32", 240],
    ["reference", [1], "opaque", 8],
    ["scalar", [], "float32", 4],
    ["empty", [0, 4], "float32", 0],
    ["null", [], "float32", 0],
    ["chunked", [10, 10], "float32", 400],
    ["bfloat16", [3, 4], "bfloat16", 24],
    ["float8", [3, 4], "float8_e4m3fn", 12],
    ["opaque_lie", [3, 4], "opaque", 36],
    ["opaque", [3], "opaque", 21],
  ] as const)("%s", (name, shape, dtype, bytes) => {
    expect(file.dataset(name)).toMatchObject({ shape, dtype, bytes, external: false, virtualSources: [] });
  });

  test("how a type is called in messages", () => {
    expect(file.dataset("be_f4")?.storedType).toBe("big-endian float32");
    expect(file.dataset("compound")?.storedType).toBe("compound of 2");
    expect(file.dataset("vlen_string")?.storedType).toBe("variable-length string");
  });

  test("storage that is elsewhere, or nowhere, is told", async () => {
    const again = await open("datasets");
    expect(again.dataset("external")).toMatchObject({ external: true, shape: [100] });
    expect(again.dataset("virtual")).toMatchObject({ virtualSources: ["other.h5:data", ".:f4"] });
    expect(again.dataset("huge")).toMatchObject({
      elements: Number.POSITIVE_INFINITY,
      bytes: Number.POSITIVE_INFINITY,
    });
    expect(again.dataset("large")).toMatchObject({ elements: 2 ** 41, bytes: 2 ** 43, chunked: true });
    expect(again.dataset("null")).toMatchObject({ hasData: false });
    expect(codes()).toEqual([
      "virtual-dataset /external",
      "virtual-dataset /virtual",
      "shape-suspicious /huge",
      "shape-suspicious /large",
    ]);
  });

  test("what is no dataset is null", () => {
    expect(file.dataset("/")).toBeNull();
    expect(file.dataset("/nowhere")).toBeNull();
    expect(file.dataset("/f4/deeper")).toBeNull();
  });
});

describe("links", async () => {
  test("soft and external links are reported and never followed, cycles of hard links end", async () => {
    const file = await open("links");
    const kinds = Object.fromEntries(file.list("/").map((link) => [link.name, [link.kind, link.target]]));
    expect(kinds).toMatchObject({
      soft: ["soft-link", "/a/b"],
      dangling: ["soft-link", "/nowhere"],
      loop: ["soft-link", "/loop"],
      outside: ["external-link", "/etc/passwd:/x"],
      beside: ["external-link", "datasets.h5:/f4"],
      type: ["datatype", undefined],
      a: ["group", undefined],
    });
    expect(file.list("/soft")).toEqual([]);
    expect(file.find("/soft/data")).toBeNull();
    expect(file.dataset("/soft/data")).toBeNull();
    expect(file.dataset("/beside")).toBeNull();
    expect(file.list("/a/b").map((link) => [link.name, link.kind])).toEqual([
      ["data", "dataset"],
      ["root", "unknown"],
      ["self", "unknown"],
      ["up", "unknown"],
    ]);
    expect(codes().sort()).toEqual([
      "link-not-followed /a/b/root",
      "link-not-followed /a/b/self",
      "link-not-followed /a/b/up",
      "link-not-followed /beside",
      "link-not-followed /dangling",
      "link-not-followed /loop",
      "link-not-followed /outside",
      "link-not-followed /soft",
    ]);
  });

  test("two names of one object have one address", async () => {
    const file = await open("links");
    expect(file.find("/a/same")?.address).toBe(file.find("/a/b/data")?.address);
  });

  test("odd names", async () => {
    const file = await open("links");
    expect(file.list("/dec\\_layer\\vars").map((link) => link.name)).toEqual(["0"]);
    expect(file.find("/Grüße ✓")?.kind).toBe("group");
    expect(file.find("/__proto__/constructor")?.kind).toBe("group");
    expect(file.find("//block1/./conv//block1/conv/")?.kind).toBe("group");
  });

  test("the order is that of creation where the file keeps it", async () => {
    const file = await open("latest");
    expect(file.list("/dense").map((link) => link.name)).toEqual(
      Array.from({ length: 20 }, (_, i) => `g${19 - i}`),
    );
    expect(file.attributes("/dense")).toEqual([...Array.from({ length: 20 }, (_, i) => `a${i}`), "big"]);
    expect(file.attribute("/dense", "big")).toBe("y".repeat(70000));
    expect(file.list("/compact").map((link) => link.name)).toEqual(["z", "y"]);
  });
});

describe("sources", () => {
  const check = (file: Hdf5File): void => {
    expect(file.attribute("/model_weights", "layer_names")).toEqual(["dense", "dropout"]);
    expect(file.dataset("/model_weights/dense/dense/kernel:0")).toMatchObject({
      shape: [4, 3],
      dtype: "float32",
    });
  };

  test("a file, memory, a Blob", async () => {
    check(await openHdf5(openFile(path("small"))));
    check(await openHdf5(memorySource(load("small"))));
    check(await openHdf5(blobSource(new Blob([load("small") as Uint8Array<ArrayBuffer>]))));
  });

  test("behind a user block", async () => {
    const file = await open("user-block");
    expect(file.attribute("/", "keras_version")).toBe("2.2.4");
    expect(file.dataset("/w")).toMatchObject({ shape: [2, 3] });
  });

  test("in a stored and in a deflated zip entry", async () => {
    for (const deflate of [false, true]) {
      const zip = await openZip(
        memorySource(
          buildZip([
            { name: "x", data: "pad" },
            { name: "model.weights.h5", data: load("small"), deflate },
          ]),
        ),
      );
      check(await openHdf5(await zip.openEntry(zip.find("model.weights.h5") as never)));
    }
  });

  test("many files at a time, closed in any order", async () => {
    const files = await Promise.all(Array.from({ length: 20 }, () => open("small")));
    for (const file of files.filter((_, i) => i % 2)) file.close();
    for (const file of files.filter((_, i) => i % 2 === 0)) check(file);
    for (const file of files) file.close();
  });

  test("only headers are read", async () => {
    const h5 = load("small");
    const padded = new Uint8Array(50_000_000);
    padded.set(h5);
    const counted = countedSource(memorySource(padded));
    check(await openHdf5(counted));
    expect(counted.count.bytes).toBeLessThanOrEqual(16_384);
    expect(counted.count.reads).toBeLessThanOrEqual(8);
  });

  test("a source that fails is a read error, and the next file is fine", async () => {
    const inner = memorySource(load("small"), "flaky");
    let left = 2;
    const flaky: ByteSource = {
      ...inner,
      readSync: (offset, length) => {
        if (left-- <= 0) throw new SourceReadError("flaky: the disk is gone");
        return inner.readSync?.(offset, length) as Uint8Array;
      },
    };
    const file = await openHdf5(flaky);
    expect(() => {
      for (const link of file.list("/model_weights")) file.list(`/model_weights/${link.name}`);
    }).toThrow(SourceReadError);
    check(await open("small"));
  });

  test("too large to be read whole", async () => {
    const source = { name: "huge", size: 2 ** 40, read: () => Promise.reject(new Error("no")) };
    await expect(openHdf5(source)).rejects.toThrow(LimitExceededError);
  });

  test.each([0, 1, 8, 100, 5000])("%d bytes that are no HDF5", async (size) => {
    await expect(openHdf5(memorySource(new Uint8Array(size), "zeros.h5"))).rejects.toThrow(
      MalformedFileError,
    );
  });
});

test("a file that was cut short is said to be, in words", async () => {
  const whole = load("attributes");
  const cut = memorySource(whole.subarray(0, whole.length / 2), "cut.h5");
  await expect(openHdf5(cut, () => {})).rejects.toThrow(
    `it has ${cut.size} bytes of the ${whole.length} that it says it has; it is probably truncated, get it again`,
  );
});
