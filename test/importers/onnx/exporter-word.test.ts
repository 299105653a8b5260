/** Constant nodes of PyTorch's older exporter: literals of a traced program, or weights of a module that was frozen. */

import { onnx } from "onnx-proto";
import { expect, test } from "vitest";
import { readModel, reportOf } from "../../../src/public/index.ts";

const tensor = (name: string, dims: number[]): onnx.ITensorProto => ({
  name,
  dims,
  dataType: 1,
  floatData: Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => i + 1),
});

const constant = (name: string, dims: number[]): onnx.INodeProto => ({
  opType: "Constant",
  output: [name],
  attribute: [{ name: "value", type: onnx.AttributeProto.AttributeType.TENSOR, t: tensor("", dims) }],
});

/** A convolution, and a square of numbers that is added to what it gives. */
async function unclassified(kernel: "initializer" | "constant", square: "initializer" | "constant") {
  const float = { tensorType: { elemType: 1 } };
  const stored = { kernel: [2, 1, 1, 1], square: [1, 2, 3, 3] };
  const made = { kernel, square };
  const names = ["kernel", "square"] as const;
  const model = onnx.ModelProto.create({
    irVersion: 8,
    opsetImport: [{ version: 17 }],
    producerName: "pytorch",
    graph: {
      name: "main_graph",
      input: [{ name: "x", type: float }],
      output: [{ name: "y", type: float }],
      initializer: names
        .filter((name) => made[name] === "initializer")
        .map((name) => tensor(name, stored[name])),
      node: [
        ...names.filter((name) => made[name] === "constant").map((name) => constant(name, stored[name])),
        { opType: "Conv", input: ["x", "kernel"], output: ["c"] },
        { opType: "Add", input: ["c", "square"], output: ["y"] },
      ],
    },
  });
  const { ledger } = reportOf(await readModel(new Uint8Array(onnx.ModelProto.encode(model).finish())));
  return [ledger.classes.unclassified.elements, ledger.classes.constant.elements];
}

test("a literal of the program is a constant", async () => {
  expect(await unclassified("initializer", "constant")).toEqual([0, 18]);
});

test("a tensor that the program was given may be learned", async () => {
  expect(await unclassified("initializer", "initializer")).toEqual([18, 0]);
});

test("in a frozen module nothing tells literals from weights", async () => {
  expect(await unclassified("constant", "constant")).toEqual([18, 0]);
});

/** Names that tf2onnx 1.17 left of tf.signal.stft and tf.signal.linear_to_mel_weight_matrix, and some that only look like them. */
test.each([
  ["cst_rfft_8__7690", "constant"],
  ["model_5/lambda_2/linear_to_mel_weight_matrix:0", "constant"],
  ["model_5/lambda_1/stft/hann_window/sub_2:0", "constant"],
  ["model_5/cst_rfft_net/dense/MatMul/ReadVariableOp:0", "parameter"],
  ["model_5/hann_window/dense/MatMul/ReadVariableOp:0", "parameter"],
  ["const_fold_opt__7894", "parameter"],
] as const)("a matrix called %s is a %s", async (name, kind) => {
  const float = { tensorType: { elemType: 1 } };
  const model = onnx.ModelProto.create({
    irVersion: 8,
    opsetImport: [{ version: 17 }],
    producerName: "tf2onnx",
    graph: {
      input: [{ name: "x", type: float }],
      output: [{ name: "y", type: float }],
      initializer: [tensor(name, [5, 4])],
      node: [{ opType: "MatMul", input: ["x", name], output: ["y"] }],
    },
  });
  const { ledger, diagnostics } = reportOf(
    await readModel(new Uint8Array(onnx.ModelProto.encode(model).finish())),
  );
  expect(ledger.classes[kind].elements).toBe(20);
  expect(diagnostics.map(({ code }) => code)).toEqual(kind === "constant" ? ["class-by-name"] : []);
});

test("names of buffers in a branch tell, too", async () => {
  const float = { tensorType: { elemType: 1 } };
  const branch = (name: string): onnx.IGraphProto => ({
    name,
    node: [{ opType: "Conv", input: ["x", `${name}.stft.forward_basis_buffer`], output: [name] }],
    initializer: [tensor(`${name}.stft.forward_basis_buffer`, [6, 1, 4])],
    output: [{ name, type: float }],
  });
  const { GRAPH } = onnx.AttributeProto.AttributeType;
  const model = onnx.ModelProto.create({
    irVersion: 8,
    opsetImport: [{ version: 17 }],
    producerName: "pytorch",
    graph: {
      input: [
        { name: "x", type: float },
        { name: "c", type: { tensorType: { elemType: 9 } } },
      ],
      output: [{ name: "y", type: float }],
      node: [
        {
          opType: "If",
          input: ["c"],
          output: ["y"],
          attribute: [
            { name: "then_branch", type: GRAPH, g: branch("a") },
            { name: "else_branch", type: GRAPH, g: branch("b") },
          ],
        },
      ],
    },
  });
  const { ledger } = reportOf(await readModel(new Uint8Array(onnx.ModelProto.encode(model).finish())));
  expect([ledger.classes.constant.elements, ledger.classes.parameter.elements]).toEqual([48, 0]);
});
