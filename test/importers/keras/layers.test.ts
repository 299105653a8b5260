import { describe, expect, test } from "vitest";
import type { LayerSource, MappedLayer } from "../../../importers/keras/layer-rule.ts";
import { layerRules } from "../../../importers/keras/layers/index.ts";
import type { JsonObject } from "../../../src/ir/graph.ts";
import { operators } from "../../../src/operators/index.ts";
import { apply } from "../../operators/apply-operator.ts";

function rule(type: string, config: JsonObject, over: Partial<LayerSource> = {}): MappedLayer {
  const source: LayerSource = {
    type,
    config,
    generation: 3,
    standalone: false,
    variableDtype: "float32",
    quantization: null,
    buildConfig: null,
    ...over,
  };
  const mapped = layerRules[type]?.(source);
  if (mapped === undefined) throw new Error(`there is no rule for ${type}`);
  return mapped;
}

function keys(layer: MappedLayer): readonly (readonly [string, string | undefined])[] {
  return layer.weights.map(({ role, key }) => [role, key] as const);
}

describe("Keras 1 (1.2.2 source, layers/*.py)", () => {
  const old = { generation: 1, standalone: true } as const;

  test("kernels in the order of the backend", () => {
    const config = { filters: 8, kernel_size: [3, 3], data_format: "channels_first" };
    expect(rule("Conv2D", config, old).attributes.kernelLayout).toBe("out-in-spatial");
    expect(rule("Conv2D", config, { generation: 2 }).attributes.kernelLayout).toBe("spatial-in-out");
    expect(rule("Conv1D", { filters: 8, kernel_size: [3] }, old).attributes.kernelLayout).toBe(
      "spatial-1-in-out",
    );
  });

  test("Deconvolution2D states its output", () => {
    const config = { filters: 3, kernel_size: [3, 3], strides: [1, 1], output_shape: [null, 14, 14, 3] };
    const { operator, attributes } = rule("Conv2DTranspose", config, old);
    expect(apply(operator, attributes, [null, 12, 12, 5])).toMatchObject({
      output: [null, 14, 14, 3],
      weights: { kernel: [3, 3, 5, 3] },
    });
  });

  test("Merge is what its mode says", () => {
    expect(rule("Merge", { mode: "concat", concat_axis: 1, mode_type: "raw" }, old)).toMatchObject({
      operator: "Concat",
      attributes: { axis: 1 },
    });
    expect(rule("Merge", { mode: "cos", dot_axes: 1, mode_type: "raw" }, old).operator).toBe("Dot");
    const code = rule("Merge", { mode: "<lambda>", mode_type: "lambda", output_shape: [7] }, old);
    expect(apply(code.operator, code.attributes, [null, 3], [null, 4]).output).toEqual([null, 7]);
  });

  test("padding by the names of its sides", () => {
    const { operator, attributes } = rule("ZeroPadding2D", { padding: { top_pad: 1, left_pad: 2 } }, old);
    expect(apply(operator, attributes, [null, 5, 5, 3]).output).toEqual([null, 6, 7, 3]);
  });
});

describe("saved order (variable_serialization_spec of Keras 3.15)", () => {
  test("a quantised Dense creates its kernel first and saves its bias second", () => {
    const quantization = { mode: "int4", bits: 4, blockSize: 4 };
    expect(keys(rule("Dense", { units: 6 }, { quantization }))).toEqual([
      ["kernel", "0"],
      ["kernel-scale", "2"],
      ["kernel-zero", "3"],
      ["group-index", "4"],
      ["bias", "1"],
    ]);
    expect(
      keys(
        rule(
          "Dense",
          { units: 6, use_bias: false },
          { quantization: { mode: "gptq", bits: 4, blockSize: -1 } },
        ),
      ),
    ).toEqual([
      ["kernel", "0"],
      ["kernel-scale", "1"],
      ["kernel-zero", "2"],
      ["group-index", "3"],
    ]);
  });

  test("low-rank factors freeze the kernel and are in no archive", () => {
    const { weights } = rule("Dense", { units: 6, lora_rank: 2 });
    expect(weights.map(({ role, trainable, stored }) => [role, trainable, stored])).toEqual([
      ["kernel", false, undefined],
      ["bias", undefined, undefined],
      ["lora-a", undefined, false],
      ["lora-b", undefined, false],
    ]);
  });
});

describe("Lambda", () => {
  test("a static output shape is believed", () => {
    expect(rule("Lambda", { output_shape: [5, 7] }).attributes.outputShapes).toEqual([[5, 7]]);
    expect(rule("Lambda", { output_shape: [[5], [7]] }).attributes.outputShapes).toEqual([[5], [7]]);
  });

  test("code is not", () => {
    for (const output_shape of [null, ["4wEAAAA", null, null], { class_name: "__lambda__", config: {} }]) {
      expect(rule("Lambda", { output_shape }).attributes.outputShapes).toBeNull();
    }
  });
});

test("ReversibleEmbedding: the call says which way it goes", () => {
  const mapped = rule("ReversibleEmbedding", { input_dim: 11, output_dim: 3 });
  const call = mapped.call?.({ args: [], kwargs: { reverse: { kind: "plain", value: true } } });
  expect(call?.attributes).toEqual({ reverse: true });
});

test("every operator a rule names exists", () => {
  const missing = Object.keys(layerRules).filter((type) => !operators.has(rule(type, {}).operator));
  expect(missing).toEqual([]);
});

test("nothing in a configuration makes a rule throw", () => {
  for (const type of Object.keys(layerRules)) {
    for (const value of [null, -1, "x", [], [null], {}, 1e300]) {
      const names = [
        "units",
        "filters",
        "kernel_size",
        "strides",
        "axis",
        "padding",
        "output_shape",
        "size",
        "dims",
        "equation",
      ];
      const config = Object.fromEntries(names.map((name) => [name, value]));
      expect(() => rule(type, config as JsonObject)).not.toThrow();
    }
  }
});
