/** Forms of PyTorch 0.1 to 0.4 and of Python 2, for which no release runs here: written out by what their sources pickled. */

import { describe, expect, test } from "vitest";
import { memorySource } from "../../../src/io/memory.ts";
import { inspect } from "../../../src/public/index.ts";
import type { Report } from "../../../src/report/report.ts";

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

const magic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

/** A string of Python 2. */
const str = (text: string): string => `U${String.fromCharCode(text.length)}${text}`;

/** `elements` float32 in storage `key`, as Python 2 wrote it; `view` is key, offset and size of a window on it. */
function storage(key: string, elements: number, view = "N", kind = "torch\nFloatStorage"): string {
  return `(${str("storage")}c${kind}\n${str(key)}${str("cpu")}K${String.fromCharCode(elements)}${view}tQ`;
}

function tensor(held: string, size: readonly number[], stride: readonly number[], offset = 0): string {
  const dims = (list: readonly number[]): string =>
    `(${list.map((n) => `K${String.fromCharCode(n)}`).join("")}t`;
  return `ctorch._utils\n_rebuild_tensor\n(${held}K${String.fromCharCode(offset)}${dims(size)}${dims(stride)}tR`;
}

/** The stream around a pickle, with storages of so many bytes after it. */
async function stream(object: string, storages: Readonly<Record<string, number>>): Promise<Report> {
  const keys = Object.keys(storages);
  const head = `${magic}\x80\x02M\xe9\x03.\x80\x02}${str("little_endian")}\x88s.${object}](${keys.map(str).join("")}e.`;
  const payload = Object.values(storages).reduce((sum, bytes) => sum + 8 + bytes, 0);
  return inspect(memorySource(new Uint8Array([...bytesOf(head), ...new Uint8Array(payload)]), "old.pth"));
}

function named(report: Report): readonly (readonly [string, readonly unknown[] | null, string | null])[] {
  return report.layers.flatMap(({ weights }) =>
    weights.map(({ name, shape, dtype }) => [name, shape, dtype] as const),
  );
}

describe("state dicts", () => {
  test("an OrderedDict of Python 2 is made of a list of pairs", async () => {
    const pair = (key: string, value: string): string => `](${str(key)}${value}e`;
    const weight = tensor(storage("1", 6), [2, 3], [3, 1]);
    const bias = tensor(storage("2", 2, "N", "torch.cuda\nHalfStorage"), [2], [1]);
    const dict = `ccollections\nOrderedDict\n](${pair("fc.weight", weight)}${pair("fc.bias", bias)}e\x85R.`;
    const report = await stream(dict, { 1: 24, 2: 4 });
    expect(named(report)).toEqual([
      ["fc.weight", [2, 3], "float32"],
      ["fc.bias", [2], "float16"],
    ]);
    expect(report.globals).toBeUndefined();
  });

  test("a storage may be a window on another", async () => {
    const view = `(${str("9")}K\x04K\x02t`;
    const part = tensor(storage("1", 6, view), [2], [1]);
    const whole = tensor(storage("1", 6), [6], [1]);
    const alone = await stream(`}(${str("a.weight")}${part}u.`, { 1: 24 });
    expect(alone.ledger.classes).toMatchObject({ parameter: { elements: 2 }, unused: { elements: 4 } });
    const both = await stream(`}(${str("a.weight")}${part}${str("b.weight")}${whole}u.`, { 1: 24 });
    expect(both.ledger.elements).toBe(6);
  });

  test("parameters are wrapped tensors, which need a gradient unless it says not", async () => {
    const wrapped = (flag: string): string =>
      `ctorch.nn.parameter\nParameter\n(${tensor(storage("1", 6), [6], [1])}${flag}tR`;
    for (const [flag, trainable] of [
      ["\x88", true],
      ["\x89", false],
    ] as const) {
      const report = await stream(`}(${str("fc.weight")}${wrapped(flag)}u.`, { 1: 24 });
      expect(report.layers[0]?.weights[0]?.trainable).toBe(trainable);
    }
  });
});

test("a whole module names its classes with their source, and has a dictionary in protocol 2 style", async () => {
  const source = (module: string, name: string): string =>
    `(${str("module")}c${module}\n${name}\n${str("net.py")}${str("class ...: pass")}tQ`;
  const ordered = (entries: string): string => `ccollections\nOrderedDict\n]\x85R(${entries}u`;
  const parameter = `ctorch.nn.parameter\nParameter\n(${tensor(storage("1", 6), [2, 3], [3, 1])}\x88tR`;
  const linear = `${source("torch.nn.modules.linear", "Linear")})\x81}(${str("_parameters")}${ordered(str("weight") + parameter)}${str("_buffers")}${ordered("")}${str("_modules")}${ordered("")}ub`;
  const net = `${source("__main__", "Net")})\x81}(${str("_parameters")}${ordered("")}${str("_buffers")}${ordered("")}${str("_modules")}${ordered(str("fc") + linear)}${str("training")}\x88ub.`;
  const report = await stream(net, { 1: 24 });
  expect(report.model.type).toBe("Net");
  expect(report.layers.map(({ name, type, params }) => [name, type, params])).toEqual([["fc", "Linear", 6]]);
  expect(report.layers[0]?.weights[0]?.trainable).toBe(true);
  expect(report.globals?.map(({ name }) => name)).toEqual(["__main__.Net", "torch.nn.modules.linear.Linear"]);
});
