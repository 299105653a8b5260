/** Small pickles that ask for much work: containers that many objects are handed, empty tensors of endless sizes, names without end. */

import { describe, expect, test } from "vitest";
import { buildZip } from "../wire/zip-builder.ts";
import { readable, survive, unreadable } from "./survive.ts";

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

function archive(object: string, record = true): Uint8Array {
  const parts = {
    "a/data.pkl": bytesOf(`\x80\x02${object}.`),
    "a/version": bytesOf("3\n"),
    ...(record && { "a/data/0": new Uint8Array(64) }),
  };
  return buildZip(Object.entries(parts).map(([name, data]) => ({ name, data })));
}

function little(value: number): string {
  return String.fromCharCode(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24);
}

function text(value: string): string {
  return `X${little(value.length)}${value}`;
}

const many = (count: number, one: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => one(i)).join("");

/** A tensor on a storage of 16 numbers. */
function tensor(offset: number, size: readonly number[], stride: readonly number[]): string {
  const numbers = (list: readonly number[]): string => `(${list.map((one) => `L${one}L\n`).join("")}t`;
  const storage = `(${text("storage")}ctorch\nFloatStorage\n${text("0")}${text("cpu")}K\x10tQ`;
  return `ctorch._utils\n_rebuild_tensor_v2\n(${storage}I${offset}\n${numbers(size)}${numbers(stride)}\x89)tR`;
}

const large = 50_000;
const objects = 1000;
/** A dictionary and a list of pairs, memos 1 and 2. */
const dictionary = `}q\x01(${many(large, (i) => `${text(`k${i}`)}N`)}u0`;
const pairs = `(${many(large, (i) => `${text(`k${i}`)}N\x86`)}lq\x020`;
const made = "cm\nC\n";

describe("what many objects are handed is not gone through for each", () => {
  test.each([
    ["a state", `${dictionary}(${many(objects, () => `${made})\x81h\x01b`)}l`],
    ["a state in a pair", `${dictionary}(${many(objects, () => `${made})\x81Nh\x01\x86b`)}l`],
    ["an argument", `${dictionary}(${many(objects, () => `${made}h\x01\x85R`)}l`],
    ["arguments", `${pairs}(${many(objects, () => `${made}h\x02R`)}l`],
    ["entries", `${pairs}(${many(objects, () => "ccollections\nOrderedDict\nh\x02\x85R")}l`],
    [
      "parameters",
      `${dictionary}(${many(objects, () => `${made})\x81}(${text("_parameters")}h\x01${text("_modules")}}ub`)}l`,
    ],
    [
      "names of buffers",
      `${pairs}(${many(objects, () => `}(${text("module")}}${text("w")}${tensor(0, [2], [1])}s${text("buffer_names")}h\x02u`)}l`,
    ],
  ])("%s", async (what, pickle) => {
    expect(await unreadable(archive(pickle), what)).toMatchObject({ limit: "maxTorchSharedEntries" });
  });

  test("names of Paddle's parameters, settings of an optimizer", async () => {
    const paddle = many(objects, () => `}${text("StructuredToParameterName@@")}h\x01s`);
    await readable(archive(`${dictionary}(${paddle}l`), "names");
    const optimizer = many(objects, () => `}(${text("state")}}${text("param_groups")}(h\x01lu`);
    await readable(archive(`${dictionary}(${optimizer}l`), "settings");
  });

  test("the bytes of storages inside a plain pickle", async () => {
    const magic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
    const inner = `${magic}K\x00.}.${"N0".repeat(100_000)}N.].`;
    const call = "ctorch.storage\n_load_from_bytes\n";
    const pickle = `\x80\x04B${little(inner.length)}${inner}q\x000(${many(2000, () => `${call}h\x00\x85R`)}l.`;
    await survive(bytesOf(pickle), "storages");
  });
});

test("an empty tensor is laid out by no axis of it", async () => {
  const endless = tensor(2, [2 ** 46, 0], [1, 1]);
  const both = `${text("a")}${tensor(0, [2, 2], [3, 1])}${text("b")}${tensor(1, [2, 2], [3, 1])}`;
  const report = await readable(archive(`}(${both}${text("c")}${endless}u`));
  // 0, 1, 3 and 4; 1, 2, 4 and 5.
  expect(report.totals.parameters).toBe(6);
});

test("a long key is sorted as fast as a short one", async () => {
  const key = text(`best_${"acc".repeat(100_000)}!`);
  const report = await readable(
    archive(
      `}(${key}${tensor(0, [2], [1])}${text("best_acc")}${tensor(2, [3], [1])}${text("net")}}(${text("a.b")}${tensor(8, [4], [1])}${text("a.c")}${tensor(12, [4], [1])}uu`,
    ),
  );
  expect(report.totals.parameters).toBe(10);
});

test("names without end, also of steps without characters", async () => {
  const deep = (step: string): Uint8Array =>
    archive(
      `${tensor(0, [2], [1])}q\x010${many(395, () => `}${text(step)}`)}}(${many(60_000, (i) => `I${i}\nh\x01`)}u${"s".repeat(395)}`,
    );
  for (const step of ["k", ""])
    expect(await unreadable(deep(step), step)).toMatchObject({ limit: "maxNameText" });
});

test("the files of a policy have no more elements together than one may have", async () => {
  const one = `}${text("w")}ctorch._utils\n_rebuild_tensor_v2\n((${text("storage")}ctorch\nByteStorage\n${text("0")}${text("cpu")}L${2 ** 46}L\ntQK\x00(L${2 ** 46}L\nt(K\x01t\x89)tRs`;
  const parts = ["policy.pth", "other.pth"].map((name) => ({ name, data: archive(one, false) }));
  const policy = buildZip([...parts, { name: "_stable_baselines3_version", data: bytesOf("2.0.0") }]);
  expect(await unreadable(policy)).toMatchObject({ limit: "maxModelElements" });
});

test("many averages beside many tensors", async () => {
  const net = many(5000, (i) => `${text(`w.${i}`)}${tensor(0, [1, 1 + (i % 16)], [1, 1])}`);
  const average = `}(${text("w.a")}${tensor(0, [2, 1], [1, 1])}${text("w.b")}${tensor(0, [2, 2], [1, 1])}u`;
  const averages = many(5000, (i) => `${text(`ema_${i}`)}${average}`);
  await survive(archive(`}(${text("net")}}(${net}u${averages}u`), "averages", false);
});
