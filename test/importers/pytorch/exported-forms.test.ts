/** Older schemas, packages of several programs, and files that no writer would make. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isModelError } from "../../../src/errors.ts";
import { memorySource } from "../../../src/io/memory.ts";
import { inspect, readModel } from "../../../src/public/index.ts";
import { openZip } from "../../../src/wire/zip.ts";
import { checkFigures } from "../../hostile/survive.ts";
import { buildZip } from "../../wire/zip-builder.ts";

const archive = readFileSync(join(import.meta.dirname, "../../../fixtures/pytorch/program-tied/model.pt2"));
const zip = await openZip(memorySource(archive));
const entries = await Promise.all(
  zip.entries.map(async (entry) => {
    const source = await zip.openEntry(entry);
    return { name: entry.name.replace(/^[^/]+\//, ""), data: await source.read(0, source.size) };
  }),
);
const text = new TextDecoder().decode(entries.find(({ name }) => name === "models/model.json")?.data);

type Plain = null | boolean | number | string | Plain[] | { [key: string]: Plain };
const program = (): { [key: string]: Plain } => JSON.parse(text);
const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const figures = async (data: Uint8Array): Promise<object> => {
  const { totals, layers } = await inspect(data);
  return { totals, rows: layers.map(({ name, outputShapes }) => ({ name, outputShapes })) };
};

/** As schema 1 and 2 have it: every key of a union, null but for one, and a version that is a number. */
function filled(value: Plain): Plain {
  if (Array.isArray(value)) return value.map(filled);
  if (typeof value !== "object" || value === null) return value;
  const keys = Object.keys(value);
  const all = Object.fromEntries(Object.entries(value).map(([key, held]) => [key, filled(held)]));
  if (keys.length !== 1 || !keys[0]?.startsWith("as_")) return all;
  return {
    as_none: null,
    as_tensor: null,
    as_tensors: null,
    as_int: null,
    as_ints: null,
    as_expr: null,
    ...all,
  };
}

test("unions with every key, and a version that is a number", async () => {
  const old = { ...(filled(program()) as object), schema_version: 2, dialect: "ATEN" };
  expect(await figures(bytes(old))).toEqual(await figures(bytes(program())));
});

test.each(["serialized_state_dict.json", "serialized_state_dict.pt"])(
  "a flat archive with a damaged %s",
  async (name) => {
    const flat = buildZip([
      { name: "serialized_exported_program.json", data: new TextEncoder().encode(text) },
      { name, data: new Uint8Array(100) },
    ]);
    const report = await inspect(flat);
    checkFigures(report, name);
    expect(report.totals.trainable).toBe((await inspect(archive)).totals.trainable);
    expect(report.ledger.elements).toBe(0);
    expect(report.diagnostics.map(({ code }) => code)).toContain("weights-not-read");
  },
);

test("several programs in one package", async () => {
  const second = entries.map(({ name, data }) => ({ name: name.replace(/model(?=[._])/, "other"), data }));
  const names = new Set(entries.map(({ name }) => name));
  const report = await inspect(buildZip([...entries, ...second.filter(({ name }) => !names.has(name))]));
  checkFigures(report, "package");
  expect(report.layers.filter(({ operator }) => operator === "Model").map(({ name }) => name)).toEqual([
    "model",
    "other",
  ]);
});

test("a record that is too short", async () => {
  const short = entries.map(({ name, data }) =>
    name === "data/weights/weight_1" ? { name, data: data.slice(0, 100) } : { name, data },
  );
  const { diagnostics } = await readModel(buildZip(short));
  const found = diagnostics.filter(({ code }) => code === "payload-mismatch");
  const args = { stored: "100 bytes", expected: "864 bytes" };
  expect(found).toEqual([{ code: "payload-mismatch", args, at: "conv.weight" }]);
});

test("a compiled package says what it is", async () => {
  const compiled = buildZip([
    { name: "net/data/aotinductor/model/abc.so", data: new Uint8Array(8) },
    { name: "net/data/weights/weight_0", data: new Uint8Array(8) },
  ]);
  await expect(inspect(compiled)).rejects.toThrow(/AOTInductor compiled \(1 library, 1 weight\)/);
});

test("constants of a compiled package that are too many, or too large together, are refused", async () => {
  const constant = (i: number, size: number): string =>
    `constants_info_[${i}].name = "c${i}";
constants_info_[${i}].dtype = static_cast<int32_t>(cached_torch_dtype_float32);
constants_info_[${i}].shape = {${size}};
`;
  const compiled = (source: string): Uint8Array =>
    buildZip([{ name: "net/data/aotinductor/model/abc.cpp", data: new TextEncoder().encode(source) }]);
  const large = compiled(constant(0, 2 ** 46) + constant(1, 1));
  await expect(inspect(large)).rejects.toMatchObject({ limit: "maxModelElements" });
  await expect(inspect(compiled(constant(300_000, 1)))).rejects.toMatchObject({ limit: "maxTorchTensors" });
});

describe("hostile", () => {
  const survives = async (data: Uint8Array, name: string): Promise<string> => {
    try {
      const report = await inspect(data);
      checkFigures(report, name);
      return "report";
    } catch (error) {
      expect(isModelError(error), `${name}: ${error}`).toBe(true);
      return (error as { kind: string }).kind;
    }
  };
  const sized = (size: unknown): string => text.replaceAll('{"as_int": 7}', JSON.stringify(size));

  test("sizes that no tensor has", async () => {
    for (const size of [
      { as_int: -7 },
      { as_int: 1e300 },
      { as_int: 0.5 },
      { as_int: "7" },
      { as_int: 2 ** 53 - 1 },
      "7",
    ])
      expect(await survives(new TextEncoder().encode(sized(size)), JSON.stringify(size))).not.toBe("report");
  });

  test("any part replaced", async () => {
    const wrong: Plain[] = [null, 0, "", [], {}, [[]], { as_tensor: null }, { as_graph: {} }];
    let seed = 1;
    const next = (below: number): number => {
      seed = (seed * 48271) % 2147483647;
      return seed % below;
    };
    for (let round = 0; round < 150; round++) {
      let at: Plain = program();
      const top = at;
      for (let depth = next(9); typeof at === "object" && at !== null; depth--) {
        const holder = at as { [key: string]: Plain };
        const key: string | undefined = Object.keys(holder)[next(Math.max(1, Object.keys(holder).length))];
        if (key === undefined) break;
        if (depth <= 0) {
          holder[key] = wrong[next(wrong.length)] ?? null;
          break;
        }
        at = holder[key] ?? null;
      }
      await survives(bytes({ graph_module: {}, ...(top as object) }), `round ${round}`);
    }
  });

  test("graphs in graphs without end, and a node that reads itself", async () => {
    let graph: Plain = { inputs: [], outputs: [], nodes: [], tensor_values: {} };
    for (let depth = 0; depth < 60; depth++) {
      const arg: Plain = { as_graph: { name: "g", graph } };
      graph = {
        inputs: [],
        outputs: [],
        nodes: [{ target: "torch.ops.higher_order.cond", inputs: [{ name: "", arg }], outputs: [] }],
        tensor_values: {},
      };
    }
    expect(await survives(bytes({ graph_module: { graph }, schema_version: 8 }), "nested")).toBe(
      "limit-exceeded",
    );
    const own = { as_tensor: { name: "x" } };
    const node = {
      target: "torch.ops.aten.relu.default",
      inputs: [{ name: "self", arg: own }],
      outputs: [own],
    };
    const cyclic = { inputs: [], outputs: [own], nodes: [node, node], tensor_values: {} };
    expect(await survives(bytes({ graph_module: { graph: cyclic }, schema_version: 8 }), "cycle")).toBe(
      "report",
    );
  });

  test("damaged text, a newer schema, no graph", async () => {
    expect(await survives(new TextEncoder().encode(text.slice(0, 9000)), "cut")).toBe("malformed-file");
    expect(await survives(bytes({ ...program(), schema_version: { major: 99, minor: 0 } }), "newer")).toBe(
      "unsupported-feature",
    );
    expect(await survives(bytes({ graph_module: { graph: [] } }), "no graph")).toBe("malformed-file");
  });
});

test("what PyTorch traced goes before a rule, and a contradiction is said", async () => {
  const altered = program();
  const graph = (altered.graph_module as { [key: string]: Plain }).graph as { [key: string]: Plain };
  const nodes = graph.nodes as { [key: string]: Plain }[];
  const relu = nodes.find(({ target }) => target === "torch.ops.aten.relu.default") as {
    [key: string]: Plain;
  };
  const [output] = relu.outputs as { as_tensor: { name: string } }[];
  const values = graph.tensor_values as { [key: string]: { sizes: Plain } };
  const name = output?.as_tensor.name ?? "";
  (values[name] as { sizes: Plain }).sizes = [{ as_int: 7 }, { as_int: 7 }];
  const report = await inspect(bytes(altered), { group: "node" });
  const row = report.layers.find(({ type }) => type === "aten.relu");
  expect(row?.outputShapes).toEqual([[7, 7]]);
  const said = report.diagnostics.filter(({ code }) => code === "declared-inferred-mismatch");
  expect(said[0]?.message).toContain("declares float32 (7, 7)");
  expect(said[0]?.message).toContain("what is declared is shown");
});
