/** Shapes that we claim for every value of a network, against those of the arrays when it ran in onnxruntime. */

import { describe, expect, test } from "vitest";
import { expectedOf, openZipped } from "./fixture-files.ts";
import { compareMeasured, type Fed, readMeasured, type Way } from "./measured-shapes.ts";

type Types = Readonly<Record<string, { readonly shape: readonly (number | string)[] }>>;

interface MeasuredSet {
  readonly name: string;
  /** Of how many values the shape was measured. */
  readonly values: number;
  /** What a model was fed. */
  readonly fed: (model: string) => Fed;
  /** Values that we do not know in full, in which models. */
  readonly unknown: Readonly<Record<Way, Readonly<Record<string, number>>>>;
}

type Networks = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The one set that a sweep has made (scripts/truth.js). */
const swept = process.env.ONNX_SETS;
const has = (set: string): boolean => swept === undefined || swept === set;
const networks = (set: string): Networks => {
  const { networks, models } = has(set) ? expectedOf(set) : {};
  return networks ?? models ?? {};
};

const torch = networks("torch");
const keras = networks("keras");
const transformers = networks("transformers");
const quantized = networks("quantized");
const converters = networks("converters");

const both = (unknown: Readonly<Record<string, number>>): MeasuredSet["unknown"] => ({
  bound: unknown,
  named: unknown,
});

const sets: readonly MeasuredSet[] = [
  {
    name: "torch",
    values: 80378,
    fed: (model) => {
      const inputs = torch[model.replace(/\.[^.]*$/, "")]?.inputs;
      return (inputs as readonly (readonly [string, readonly number[]])[]).map(([, shape]) => shape);
    },
    // A detector keeps as many boxes as its scores ask for.
    unknown: both({
      "fasterrcnn_mobilenet_v3_large_320_fpn.script": 194,
      "ssdlite320_mobilenet_v3_large.script": 925,
    }),
  },
  {
    name: "keras",
    values: 3415,
    fed: (model) => keras[model]?.fed as Fed,
    unknown: {
      // Loops of tf2onnx end on a condition.
      bound: { conv_lstm: 6, gru: 2, simple_rnn: 6 },
      // Each input has a batch of its own name.
      named: { conv_lstm: 6, gru: 2, simple_rnn: 6 },
    },
  },
  {
    name: "transformers",
    values: 11640,
    fed: (model) => transformers[model.replace(/\.[^.]*$/, "")]?.fed as Fed,
    unknown: both({}),
  },
  {
    name: "quantized",
    values: 2430,
    // fixtures/build/onnx/quantized.py feeds all of them two.
    fed: (model) => {
      const inputs = Object.entries(quantized[model]?.inputs as Types);
      return Object.fromEntries(
        inputs.map(([name, { shape }]) => [
          name,
          shape.map((dim) => (dim === "batch" ? 2 : (dim as number))),
        ]),
      );
    },
    unknown: both({}),
  },
  {
    name: "converters",
    values: 457,
    fed: (model) => converters[model]?.fed as Fed,
    unknown: both({}),
  },
];

describe.each(sets.filter(({ name }) => has(name)))("$name", ({ name, values, fed, unknown }) => {
  test.each(["bound", "named"] as const)("sizes %s", async (way) => {
    const measured = await readMeasured(name);
    const open = await openZipped(name);
    let known = 0;
    const wrong: string[] = [];
    const left: Record<string, number> = {};
    for (const [model, shapes] of Object.entries(measured)) {
      const found = await compareMeasured(await open(model), fed(model), shapes, way);
      known += found.known;
      wrong.push(...found.wrong.map((text) => `${model} ${text}`));
      if (found.unknown.length > 0) left[model] = found.unknown.length;
    }
    expect(wrong).toEqual([]);
    const present = Object.entries(unknown[way]).filter(([model]) => model in measured);
    expect(left).toEqual(Object.fromEntries(present));
    if (swept !== undefined) return;
    expect(known + Object.values(left).reduce((a, b) => a + b, 0)).toBe(values);
  });
});
