/** The walk over the wire format, on messages written by protobufjs and on bytes that break the format. */

import protobuf from "protobufjs/minimal.js";
import { describe, expect, it } from "vitest";
import { isModelError } from "../../src/errors.ts";
import { countedSource } from "../../src/io/counted.ts";
import { memorySource } from "../../src/io/memory.ts";
import { maxProtobufDepth, maxProtobufPieces, maxProtobufTexts } from "../../src/limits.ts";
import { readMessage } from "../../src/wire/protobuf.ts";
import {
  float,
  int,
  type MessageShape,
  message,
  messages,
  name,
  numbers,
  payload,
  text,
} from "../../src/wire/protobuf-shape.ts";

const { Writer } = protobuf;

interface Tree {
  id: number;
  name: string;
  valid: boolean;
  note: [string, number] | null;
  ratio: number;
  ints: number[];
  reals: number[];
  blob: { offset: number; length: number; bytes: number[] | null } | null;
  children: Tree[];
  only: Tree | null;
  path: string;
}

/** A message of every kind of field; payloads of up to 8 bytes are read, packed runs of `ints` up to 400. */
const tree: MessageShape<Tree, Tree> = {
  fields: {
    1: int("id", (state, value) => {
      state.id = value;
    }),
    2: name("name", 100, (state, value, valid) => {
      state.name = value;
      state.valid = valid;
    }),
    3: text(
      "note",
      () => 10,
      (state, value, length) => {
        state.note = [value, length];
      },
    ),
    4: float("ratio", (state, value) => {
      state.ratio = value;
    }),
    5: numbers("int", "ints", (state, value) => void state.ints.push(value), {
      wants: (_, length) => length <= 400_000,
      skipped: (state, { length }) => void state.ints.push(-length),
    }),
    6: numbers("double", "reals", (state, value) => void state.reals.push(value)),
    7: payload(
      "blob",
      (_, length) => length <= 8,
      (state, { offset, length, bytes }) => {
        state.blob = { offset, length, bytes: bytes && [...bytes] };
      },
    ),
    8: messages(
      "child",
      () => tree,
      (state, child) => void state.children.push(child),
    ),
    9: message(
      "only",
      () => tree,
      (state, only) => {
        state.only = only;
      },
    ),
  },
  start: () => ({
    id: 0,
    name: "",
    valid: true,
    note: null,
    ratio: 0,
    ints: [],
    reals: [],
    blob: null,
    children: [],
    only: null,
    path: "",
  }),
  finish: (state, place) => ({ ...state, path: place.path() }),
};

type Fill = (writer: protobuf.Writer) => protobuf.Writer;
const write = (fill: Fill): Uint8Array => new Uint8Array(fill(Writer.create()).finish());
const read = (bytes: Uint8Array): Promise<Tree> => readMessage(memorySource(bytes, "t.pb"), tree);
const parse = (fill: Fill): Promise<Tree> => read(write(fill));
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const child =
  (inner: Uint8Array, field = 8): Fill =>
  (w) =>
    w.uint32((field << 3) | 2).bytes(inner);

describe("a message", () => {
  it("comes with all kinds of fields", async () => {
    const found = await parse((w) => {
      w.uint32(8).int64(-5).uint32(18).string("a \u00e9 \u{1f600}").uint32(26).string("short");
      w.uint32(37).float(0.5).uint32(40).int64(7).uint32(42).fork().int64(1).int64(-1).ldelim();
      w.uint32(49).double(Math.E).uint32(50).fork().double(1).double(2).ldelim();
      return w
        .uint32(58)
        .bytes(bytes(9, 8))
        .uint32(66)
        .bytes(write((c) => c.uint32(8).int64(3)));
    });
    expect(found).toMatchObject({
      id: -5,
      name: "a \u00e9 \u{1f600}",
      note: ["short", 5],
      ratio: 0.5,
      ints: [7, 1, -1],
      reals: [Math.E, 1, 2],
      blob: { length: 2, bytes: [9, 8] },
      children: [{ id: 3, path: "child[0]" }],
    });
  });

  it("may hold fields nobody knows, of any wire type", async () => {
    const found = await parse((w) => {
      w.uint32((900 << 3) | 0)
        .uint64("18446744073709551615")
        .uint32((901 << 3) | 1)
        .fixed64(1);
      w.uint32((902 << 3) | 2)
        .string("unknown")
        .uint32((903 << 3) | 5)
        .fixed32(1);
      return w.uint32(8).int64(4);
    });
    expect(found.id).toBe(4);
  });

  it("of no bytes is one of defaults", async () => {
    expect(await read(bytes())).toMatchObject({ id: 0, name: "", children: [] });
  });

  it("has numbers that are exact, or as near as a number comes", async () => {
    const ids = ["9007199254740991", "-9007199254740991", "9223372036854775807", "-9223372036854775808"];
    const found = await Promise.all(ids.map((id) => parse((w) => w.uint32(8).int64(id))));
    expect(found.map(({ id }) => id)).toEqual([
      2 ** 53 - 1,
      1 - 2 ** 53,
      Number.MAX_SAFE_INTEGER,
      Number.MIN_SAFE_INTEGER,
    ]);
    // As wide as a varint may be written.
    const wide = await read(bytes(8, 0x85, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0));
    expect(wide.id).toBe(5);
  });

  it("has texts that are cut between characters, and names that never are", async () => {
    expect((await parse((w) => w.uint32(26).string("123456789\u00e9"))).note).toEqual(["123456789", 11]);
    expect((await parse((w) => w.uint32(26).string("12345678\u00e9 and more"))).note?.[0]).toBe(
      "12345678\u00e9",
    );
    await expect(parse((w) => w.uint32(18).string("n".repeat(101)))).rejects.toMatchObject({
      kind: "limit-exceeded",
      actual: 101,
      maximum: 100,
    });
  });

  it("has texts that are not UTF-8 byte by byte", async () => {
    expect(await read(bytes(18, 3, 0x61, 0xff, 0xe9))).toMatchObject({ name: "a\u00ff\u00e9", valid: false });
    expect(await read(bytes(18, 3, 0xef, 0xbb, 0xbf))).toMatchObject({ name: "\ufeff", valid: true });
  });

  it("in two pieces is one, as protobuf merges them", async () => {
    const piece = (id: number, name: string): Uint8Array =>
      write((w) =>
        child(write((c) => c.uint32(18).string(name)))(w)
          .uint32(8)
          .int64(id),
      );
    const found = await parse((w) => {
      child(piece(1, "a"), 9)(w);
      child(bytes())(w);
      return child(piece(2, "b"), 9)(w);
    });
    expect(found.only).toMatchObject({ id: 2, children: [{ name: "a" }, { name: "b" }] });
    const pieces = (count: number): Uint8Array =>
      Uint8Array.from({ length: count * 2 }, (_, i) => (i % 2 ? 0 : 74));
    await expect(read(pieces(maxProtobufPieces))).resolves.toBeDefined();
    await expect(read(pieces(maxProtobufPieces + 1))).rejects.toMatchObject({ limit: "maxProtobufPieces" });
  });

  it("tells where each message is, also of fields that alternate", async () => {
    const leaf = write((w) => w.uint32(8).int64(1));
    const found = await parse((w) => {
      child(leaf)(w);
      child(write(child(leaf)), 9)(w);
      return child(leaf)(w);
    });
    expect(found.children.map(({ path }) => path)).toEqual(["child[0]", "child[1]"]);
    expect(found.only?.children[0]?.path).toBe("only.child[0]");
  });
});

describe("reading", () => {
  const names = Array.from({ length: 30_000 }, (_, i) => `name ${i} \u00e9`.slice(0, 8 + (i % 7)));
  const large = write((w) => {
    for (const [i, each] of names.entries()) {
      child(write((c) => c.uint32(18).string(each).uint32(42).fork().int64(i).int64(-i).ldelim()))(w);
      if (i % 10_000 === 0) w.uint32(58).bytes(new Uint8Array(2_000_000));
    }
    return w;
  });

  it("steps over payloads, and gives the same whether it waits or not", async () => {
    const source = countedSource(memorySource(large));
    const found = await readMessage(source, tree);
    expect(found.children.map((each) => each.name)).toEqual(names);
    expect(found.children.every(({ ints }, i) => ints[0] === i && ints[1] === 0 - i)).toBe(true);
    expect(source.count.bytes).toBeLessThan(large.length - 5_000_000);
    const waiting = countedSource({ name: "", size: large.length, read: memorySource(large).read });
    expect(await readMessage(waiting, tree)).toEqual(found);
    expect(waiting.count).toEqual(source.count);
  });

  it("takes packed runs and payloads across blocks", async () => {
    const many = Array.from({ length: 100_000 }, (_, i) => (i + 1) * (i % 2 ? 1 : -1));
    const packed = (w: protobuf.Writer): protobuf.Writer => {
      w.uint32(42).fork();
      for (const value of many) w.int64(value);
      return w.ldelim();
    };
    const found = await parse((w) =>
      packed(w.uint32(58).bytes(bytes(1)))
        .uint32(8)
        .int64(6),
    );
    expect(found.id).toBe(6);
    // Negative numbers take 10 bytes each: this run is longer than the shape wants, and is stepped over.
    expect(found.ints).toHaveLength(1);
    const short = many.filter((value) => value >= 0);
    const taken = await parse((w) => {
      w.uint32(42).fork();
      for (const value of short) w.int64(value);
      return w.ldelim().uint32(8).int64(6);
    });
    expect(taken).toMatchObject({ id: 6, ints: short });
  });
});

describe("bytes that are no message", () => {
  it.each<[string, Uint8Array, RegExp]>([
    ["field number 0", bytes(0, 1), /a field has number 0/],
    ["a group", bytes(((20 << 3) & 0x7f) | 3 | 0x80, 1), /field 20 is a group \(wire type 3\)/],
    ["wire type 7", bytes(0x5f), /field 11 is no wire type \(wire type 7\)/],
    ["another wire type than the field's", bytes(18 - 2, 5), /name \(field 2\) has wire type 0, expected 2/],
    ["packed numbers where there is one", bytes(10, 1, 5), /id \(field 1\) has wire type 2, expected 0/],
    ["a varint of 11 bytes", bytes(8, ...Array(10).fill(0x80), 1), /id begins with no valid varint/],
    ["a varint cut off", bytes(8, 0x80), /id ends at byte 3 but the file has 2/],
    ["a field number cut off", bytes(0x88), /a field ends at byte 2 but the file has 1/],
    [
      "a field number past 2^29",
      bytes(0x80, 0x80, 0x80, 0x80, 0x7f, 1),
      /a field begins with no valid varint/,
    ],
    ["a length past the end", bytes(18, 9, 0x61), /name ends at byte 11 but the file has 3 bytes/],
    ["a length of 2^64", bytes(58, ...Array(9).fill(0xff), 1), /blob ends at byte \d+ but the file has/],
    ["a float cut off", bytes(37, 0, 0), /ratio ends at byte 5 but the file has 3/],
    ["an unknown double cut off", bytes(0x59, 0, 0), /field 11 ends at byte 9 but/],
    ["reals that do not come out even", bytes(50, 7, 0, 0, 0, 0, 0, 0, 0), /no whole number of doubles/],
    ["a packed number that goes on", bytes(42, 1, 0x80, 8, 1), /runs past the end/],
    [
      "a field that leaves its message",
      bytes(66, 2, 18, 3, 1, 1, 1),
      /child\[0\]\.name ends at byte 7, after the end of child\[0\] at byte 4/,
    ],
    [
      "a number that leaves its message",
      bytes(66, 2, 8, 0x80, 1, 0),
      /child\[0\]\.id ends at byte 5, after the end/,
    ],
  ])("%s", async (_, wrong, message) => {
    const error: unknown = await read(wrong).catch((caught: unknown) => caught);
    expect(isModelError(error) && error.kind).toBe("malformed-file");
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toMatch(/^t\.pb: /);
  });

  it("nesting ends somewhere", async () => {
    let deep = bytes();
    for (let i = 0; i < maxProtobufDepth - 1; i++) deep = write(child(deep));
    await expect(read(deep)).resolves.toBeDefined();
    await expect(read(write(child(deep)))).rejects.toMatchObject({ limit: "maxProtobufDepth" });
  });

  it("so do texts that take no room", async () => {
    const many = new Uint8Array((maxProtobufTexts + 1) * 2);
    for (let i = 0; i < many.length; i += 2) many[i] = 18;
    await expect(read(many)).rejects.toMatchObject({ limit: "maxProtobufTexts" });
  });

  it("and messages", async () => {
    const many = new Uint8Array(9_000_000);
    for (let i = 0; i < many.length; i += 2) many[i] = 66;
    const leaf: MessageShape<null, null> = { fields: {}, start: () => null, finish: () => null };
    const shape: MessageShape<null, null> = {
      fields: {
        8: messages(
          "child",
          () => leaf,
          () => undefined,
        ),
      },
      start: () => null,
      finish: () => null,
    };
    await expect(readMessage(memorySource(many), shape)).rejects.toMatchObject({
      limit: "maxProtobufMessages",
    });
  });
});
