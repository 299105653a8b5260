import { describe, expect, test } from "vitest";
import type { CallValue, MappedOperation } from "../../../importers/keras/layer-rule.ts";
import { findOperationRule, kerasOperations } from "../../../importers/keras/operations/index.ts";
import { tensorflowFunctions } from "../../../importers/keras/operations/tensorflow.ts";
import type { Json, JsonObject } from "../../../src/ir/graph.ts";
import { operators } from "../../../src/operators/index.ts";

const tensor: CallValue = {
  kind: "tensor",
  argument: { kind: "value", value: { layer: 0, call: 0, output: 0 } },
};

function plain(value: Json): CallValue {
  return { kind: "plain", value };
}

function map(
  type: string,
  args: readonly CallValue[],
  kwargs: Readonly<Record<string, CallValue>> = {},
  config: JsonObject = {},
  module = "",
): MappedOperation {
  const rule = findOperationRule(module, type);
  if (!rule) throw new Error(`there is no rule for ${type}`);
  return rule({ type, module, config, call: { args, kwargs } });
}

const numpy = "keras.src.ops.numpy";

test("every rule names an operator there is", () => {
  for (const [type, rule] of [...Object.entries(kerasOperations), ...Object.entries(tensorflowFunctions)]) {
    if (type === "TensorFlowOpLayer") continue;
    const { operator } = rule({ type, module: "", config: {}, call: { args: [tensor], kwargs: {} } });
    expect(operators.has(operator), `${type} -> ${operator}`).toBe(true);
  }
});

test("a name is looked up, not inherited", () => {
  expect(findOperationRule("", "constructor")).toBeUndefined();
  expect(findOperationRule(numpy, "toString")).toBeUndefined();
});

describe("Keras 3", () => {
  test("what the constructor took are attributes, plain operands are constants", () => {
    const mean = map("Mean", [tensor], {}, { name: "mean", axis: -1, keepdims: true }, numpy);
    expect(mean).toMatchObject({ operator: "ReduceMean", attributes: { axis: -1, keepDims: true } });
    const add = map("Add", [plain(2), tensor], {}, { name: "add" }, numpy);
    expect(add.inputs.map(({ name, kind }) => [name, kind])).toEqual([
      ["x1", "constant"],
      ["x2", "value"],
    ]);
  });

  test("arrays have their shape, lists are scalars to shape functions but not to take", () => {
    const array = { class_name: "__numpy__", config: { value: [[1, 2, 3]], dtype: "int32" } };
    expect(map("Add", [tensor, plain(array)], {}, {}, numpy).inputs[1]).toMatchObject({
      type: { dtype: "int32", shape: [1, 3] },
    });
    expect(map("Add", [tensor, plain([1, 2])], {}, {}, numpy).inputs[1]).toMatchObject({
      type: { shape: [] },
    });
    expect(map("Take", [tensor, plain([0, 2])], {}, { axis: 1 }, numpy).inputs[1]).toMatchObject({
      type: { shape: [2] },
    });
  });

  test("subscripts", () => {
    const slice = { class_name: "__slice__", config: { start: null, stop: 3, step: null } };
    const key = [slice, 0, null, { class_name: "__ellipsis__", config: {} }];
    expect(map("GetItem", [tensor, plain(key)], {}, {}, numpy).attributes).toEqual({
      key: [{ start: null, stop: 3, step: null }, 0, null, "..."],
    });
  });
});

describe("TensorFlow", () => {
  test("arguments in their kwargs", () => {
    expect(map("math.reduce_sum", [tensor], { axis: plain([1]), keepdims: plain(true) })).toMatchObject({
      operator: "ReduceSum",
      attributes: { axis: [1], keepDims: true },
    });
    const shape: CallValue = { kind: "list", items: [tensor, plain(24)] };
    const reshape = map("reshape", [tensor], { shape });
    expect(reshape.attributes).toMatchObject({ shape: [null, 24] });
    expect(reshape.inputs.map((input) => input.name)).toEqual(["x", "shape"]);
  });

  test("slices with bounds that are tensors", () => {
    const bound: CallValue = {
      kind: "dict",
      entries: { start: tensor, stop: plain(null), step: plain(null) },
    };
    const spec: CallValue = { kind: "list", items: [plain({ start: null, stop: null, step: null }), bound] };
    expect(map("__operators__.getitem", [tensor], { slice_spec: spec }).attributes).toEqual({
      key: [
        { start: null, stop: null, step: null },
        { start: "?", stop: null, step: null },
      ],
    });
  });

  test("nodes of TensorFlow 2.0 to 2.3", () => {
    const node = (op: string, attr: JsonObject) => JSON.stringify({ name: "n", op, input: ["a"], attr });
    const mean = map(
      "TensorFlowOpLayer",
      [tensor],
      {},
      {
        node_def: node("Mean", { keep_dims: { b: true } }),
        constants: { "1": [1, 2] },
      },
    );
    expect(mean).toMatchObject({ operator: "ReduceMean", attributes: { axis: [1, 2], keepDims: true } });
    const slice = map(
      "TensorFlowOpLayer",
      [tensor],
      {},
      {
        node_def: node("StridedSlice", { begin_mask: { i: "1" }, shrink_axis_mask: { i: "2" } }),
        constants: { "1": [0, 3], "2": [2, 4], "3": [1, 1] },
      },
    );
    expect(slice.attributes).toEqual({ key: [{ start: null, stop: 2, step: 1 }, 3] });
    expect(map("TensorFlowOpLayer", [tensor], {}, { node_def: "not JSON" }).operator).toBe("Opaque");
  });
});
