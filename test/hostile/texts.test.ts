/** JSON that is none, bombs, wrong kinds of everything, and names that want to be something else than names. */

import { describe, expect, it } from "vitest";
import { withinStringLength } from "../../src/errors.ts";
import { memorySource } from "../../src/io/memory.ts";
import type { ModelInput } from "../../src/public/index.ts";
import { formatSummary, readModel, serializeModel } from "../../src/public/index.ts";
import {
  call,
  functional,
  input,
  inputNode,
  layer,
  node,
  sequential,
  tensor,
  times,
} from "./keras-config.ts";
import { named, random, readable, said, survive, unreadable } from "./survive.ts";

const json = JSON.stringify;

describe("bombs", () => {
  const open = '{"class_name":"Sequential","config":';
  it("depth", async () => {
    for (const text of [
      open + "[".repeat(1_000_000),
      open + '{"a":'.repeat(1_000_000),
      "[".repeat(5_000_000),
    ])
      expect((await unreadable(text)).kind).toMatch(/limit-exceeded|unknown-format/);
  });

  it("many small values", async () => {
    const error = await unreadable(`${open}[${"[],".repeat(6_000_000)}[]]}`);
    expect(error).toMatchObject({ kind: "limit-exceeded", limit: "maxJsonValues" });
  });

  it("a size is refused before anything is read", async () => {
    const reads: number[] = [];
    const small = memorySource(new TextEncoder().encode(open));
    const source: ModelInput = {
      name: "sparse.json",
      size: 2 ** 45,
      read: async (offset, length) => {
        reads.push(length);
        return await small.read(0, Math.min(offset, 0) || Math.min(length, open.length));
      },
    };
    const error = await unreadable(source);
    expect(error.message).toMatch(/sparse\.json: 35184372088832 bytes of JSON, the limit is 134217728/);
    expect(Math.max(...reads)).toBeLessThanOrEqual(4096);
  });
});

describe("configurations that are none", () => {
  const configs = [
    ...[
      null,
      [],
      "s",
      5,
      {},
      [null],
      [[]],
      { layers: null },
      { layers: "x" },
      { layers: {} },
      { layers: [] },
    ],
    ...[{ layers: [null, 1, "a", []] }, { layers: [], input_layers: [], output_layers: [] }],
    ...[
      { layers: [null, 1], input_layers: 5, output_layers: "x" },
      { layers: [{}], output_layers: { a: { b: [1] } } },
    ],
  ];
  it.each(configs.map((config) => [json(config), config] as const))("config %s", async (_, config) => {
    for (const class_name of ["Sequential", "Functional", "Model", "Mine", null, 5, {}]) {
      for (const keras_version of ["1.2.2", "2.4.0", "3.0.0", "?", null, 7, "9".repeat(400)])
        await survive(json({ class_name, config, keras_version }), json(class_name));
    }
  });

  it.each([
    ["[]", "unknown-format"],
    ["{}", "unknown-format"],
    ['{"class_name":"Sequential","config":', "malformed-file"],
    ['{"class_name":"Sequential","config":[]}}', "malformed-file"],
    ['{"class_name":"Sequential","config":[1,2,]}', "malformed-file"],
    ['{"class_name":"Mine","config":{}}', "unknown-format"],
  ])("%s", async (text, kind) => {
    expect((await unreadable(named("m.json", text))).message).toMatch(/^m\.json: /);
    expect(await unreadable(text)).toMatchObject({ kind });
  });
});

describe("names of Object.prototype", () => {
  const names = ["__proto__", "constructor", "toString", "valueOf", "hasOwnProperty"];
  it.each(names)("%s as class, name, key, function and optimizer", async (name) => {
    for (const version of ["1.2.2", "2.4.0", "3.8.0"]) {
      const keyed = JSON.parse(`{"${name}":{"units":4,"name":"evil"},"units":3,"name":"d"}`) as object;
      const layers = [
        input(),
        layer(name, { name }),
        layer("Dense", { ...keyed, activation: name, dtype: name, data_format: name, padding: name }),
        layer("TimeDistributed", { layer: layer(name) }),
        layer("TFOpLambda", { function: name }),
        layer("TensorFlowOpLayer", { node_def: { op: name, attr: keyed } }),
        { module: "keras.src.ops.numpy", class_name: name, config: keyed },
      ];
      const compiled = { compile_config: { optimizer: { class_name: name, config: {} } } };
      const report = await readable(json(sequential(layers, version, compiled)), `${name} ${version}`);
      expect(report.layers[0]).toMatchObject({ name, type: name, operator: "Opaque" });
      expect(said(report, "unknown-layer")[0]).toMatch(`no rule for layer class ${name}: `);
      await survive(json({ class_name: name, keras_version: version, config: layers }), "a list");
      const ref = JSON.parse(`{"${name}":["${name}",0,0]}`) as object;
      const nodes = [
        inputNode(name),
        node("Dense", "d", { units: 2 }, [[[name, 0, 0, ref]]]),
        node(name, "e", ref as Record<string, unknown>, [{ args: [tensor(name)], kwargs: ref }]),
      ];
      await survive(json(functional(nodes, ref, JSON.parse(`{"${name}":["d",0,0]}`), version)), "functional");
    }
  });
});

describe("names", () => {
  const signs = {
    escapes: "\x1b[31mred\x1b]0;title\x07",
    lines: "a\nTotal params: 0\r\nb",
    bidi: "a\u202eb\u2066c\u200f\u061cd",
    zero: "a\0b",
    lone: "a\ud800b\udc00",
    c1: "\u009b31m",
    separators: "a\u2028b\u2029c",
    markup: "[bold red]x[/]:smile:[/foo]",
    emoji: "👩‍👩‍👧‍👦\u200d\ufe0f",
    empty: "",
  };
  const model = (name: string): string =>
    json(
      functional(
        [
          inputNode(`${name}i`),
          node("Dense", name, { units: 8 }, [call(tensor(`${name}i`)), call(tensor(`${name}i`))]),
          node(`${name}C`, `${name}c`, {}, [call(tensor(name), tensor(`${name}nope`))]),
        ],
        [`${name}i`, 0, 0],
        [`${name}c`, 0, 0],
      ),
    );
  it.each(Object.entries(signs))("%s reach no terminal in any style", async (_, name) => {
    const report = await readable(model(name));
    expect(report.layers[1]?.name).toBe(name);
    expect(said(report, "graph-dangling")).toHaveLength(1);
  });

  it("a name of 20 000 characters is printed in every style, one of a million is refused", async () => {
    for (const sign of [
      "x",
      "[a]",
      "[/b]",
      "[bold]x",
      "[color(5)]",
      "\\",
      ":a:",
      "\u202e",
      "漢",
      "👩‍",
      "\ud800",
      "),",
      " ",
    ]) {
      const long = sign.repeat(Math.floor(20_000 / sign.length));
      await survive(model(long), `20 000 of ${json(sign)}`);
      const error = await unreadable(model(long.repeat(50)));
      expect(error).toMatchObject({ kind: "limit-exceeded", limit: "maxNameLength" });
      expect(error.message.length).toBeLessThan(200);
    }
  });

  it("markup that opens a hundred thousand styles is linear", async () => {
    const tags = "[a]".repeat(10_000) + "[/b]".repeat(6000);
    await survive(model(tags), "tags");
  });

  it("a long name around many layers is not repeated for each of them", async () => {
    const layers = [input(), ...times(20_000, (i) => layer("ReLU", { name: `r${i}` }))];
    const inner = sequential(layers);
    const outer = sequential([input(), { ...inner, config: { name: "x".repeat(60_000), layers } }]);
    expect(await unreadable(json(outer))).toMatchObject({ kind: "limit-exceeded", limit: "maxNameText" });
  });

  it("a text longer than a string is a limit, not a crash", () => {
    expect(() => withinStringLength("m.h5", () => "x".repeat(2 ** 30))).toThrow(
      /^m\.h5: the output is longer than a text can be/,
    );
  });
});

describe("model documents", () => {
  const write = async (): Promise<string> =>
    serializeModel(await readModel(new TextEncoder().encode(fullModel())));
  const fullModel = (): string =>
    json({
      ...functional(
        [
          inputNode(),
          node("Dense", "d", { units: 4 }, [call(tensor("i"))]),
          node("Bidirectional", "b", { layer: layer("LSTM", { units: 2 }) }, []),
          node("Nested", "n", {}, [call(tensor("d"))]),
          {
            ...functional(
              [inputNode(), node("Dense", "e", { units: 2 }, [call(tensor("i"))])],
              ["i", 0, 0],
              [["e", 0, 0]],
            ),
            name: "m",
            inbound_nodes: [call(tensor("d"))],
          },
        ],
        ["i", 0, 0],
        { a: ["n", 0, 0], b: ["m", 0, 0] },
      ),
      compile_config: { optimizer: "adam" },
    });
  const values = [
    null,
    true,
    -1,
    0,
    1.5,
    1e9,
    2 ** 53,
    1e308,
    "",
    "constructor",
    "x".repeat(100),
    [],
    {},
    [[]],
    [null],
  ];

  it("with any value replaced by any other", async () => {
    const text = await write();
    const next = random(7);
    let read = 0;
    for (let round = 0; round < 3000; round++) {
      const document = JSON.parse(text) as unknown;
      for (let count = 1 + next(2); count > 0; count--) replaceOne(document, next, values);
      const { report } = await survive(json(document), `round ${round}`, round % 10 === 0);
      if (report) read += 1;
    }
    // Otherwise nothing behind the checks was tried.
    expect(read).toBeGreaterThan(300);
  });

  it("says which rule is broken", async () => {
    const document = JSON.parse(await write());
    document.model.graph.layers[1].calls[0].inputs[0].value.layer = 99;
    expect((await unreadable(named("m.ir.json", json(document)))).message).toBe(
      "m.ir.json: model.graph.layers[1].calls[0].inputs[0].value.layer is not the number of a layer of this graph",
    );
  });

  it("with a million optimizer slots, or diagnostics of no kind", async () => {
    const document = JSON.parse(await write());
    const slots = times(100_000, () => ({ name: "m", shape: "same" }));
    const fat = {
      ...document,
      model: { ...document.model, optimizer: { ...document.model.optimizer, slots } },
    };
    expect((await unreadable(json(fat))).message).toMatch(/slots is not of 64 at most/);
    expect((await unreadable(json({ ...document, diagnostics: [{ code: "toString" }] }))).message).toMatch(
      /diagnostics\[0] is not a diagnostic/,
    );
  });

  it("diagnostics beyond what anyone reads are counted", async () => {
    const document = JSON.parse(await write());
    const diagnostics = times(12_000, (i) => ({
      code: "graph-dangling",
      args: { reference: `x${i}` },
      at: "",
    }));
    const report = await readable(json({ ...document, diagnostics }));
    expect(report.diagnostics).toHaveLength(10_001);
    expect(report.diagnostics.at(-1)).toMatchObject({ code: "diagnostics-left-out" });
    expect(formatSummary(report)).toMatch(/Total params/);
  });
});

function replaceOne(root: unknown, next: (below: number) => number, values: readonly unknown[]): void {
  let at = root as Record<string, unknown>;
  for (;;) {
    const keys = Object.keys(at);
    const key = keys[next(keys.length)];
    if (key === undefined) return;
    const inner = at[key];
    const deeper = typeof inner === "object" && inner !== null && Object.keys(inner).length > 0;
    // The root's own fields are few and soon told; most rounds should go deep.
    if (deeper && (at === root || next(6) > 0)) {
      at = inner as Record<string, unknown>;
      continue;
    }
    if (key !== "format" && key !== "version") at[key] = values[next(values.length)];
    return;
  }
}
