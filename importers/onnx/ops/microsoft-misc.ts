/** Operators of ONNX Runtime that belong to no larger family, and one of ONNX before 1.6. */

import { constant, type OnnxOps, parameter, variadic } from "../op.ts";

export const microsoftMiscOps: OnnxOps = {
  "com.microsoft.BifurcationDetector": {
    operator: "BifurcationDetector",
    inputs: ["source", "current", "match", "predicted"],
  },
  "com.microsoft.CDist": { operator: "PairDistances", inputs: ["a", "b"] },
  "com.microsoft.ComplexMul": { operator: "TensorMultiply", inputs: ["a", "b"] },
  "com.microsoft.ComplexMulConj": { operator: "TensorMultiply", inputs: ["a", "b"] },
  "com.microsoft.CropAndResize": {
    operator: "CropBoxes",
    inputs: ["x", "boxes", "boxNumbers", constant("size")],
  },
  "com.microsoft.DynamicTimeWarping": { operator: "DynamicTimeWarping", inputs: ["x"] },
  "com.microsoft.ExpandDims": {
    operator: "ExpandDimsAt",
    inputs: ["x", constant("axis")],
    plumbing: true,
  },
  "com.microsoft.GatherND": {
    operator: "GraphGatherNd",
    inputs: ["data", constant("indices")],
    attributes: () => ({ batchDims: 0 }),
  },
  "com.microsoft.GridSample": { operator: "GridSample", inputs: ["input", "grid"] },
  "com.microsoft.Inverse": { operator: "MatrixInverse", inputs: ["x"] },
  "com.microsoft.Irfft": {
    operator: "PairedFourier",
    inputs: ["input"],
    attributes: () => ({ inverse: true }),
  },
  "com.microsoft.IsAllFinite": { operator: "AllFinite", inputs: [variadic("inputs")] },
  "com.microsoft.MurmurHash3": {
    operator: "Hash",
    inputs: ["x"],
    attributes: (node) => ({ dtype: node.int("positive", 1) === 0 ? "int32" : "uint32" }),
  },
  "com.microsoft.NGramRepeatBlock": { operator: "NgramRepeatBlock", inputs: ["tokens", "scores"] },
  "com.microsoft.Pad": {
    operator: "GraphPad",
    inputs: ["data", constant("pads"), constant("value")],
  },
  "com.microsoft.Range": {
    operator: "GraphRange",
    inputs: [constant("start"), constant("limit"), constant("delta")],
    plumbing: true,
  },
  "com.microsoft.Rfft": { operator: "PairedFourier", inputs: ["input"] },
  "com.microsoft.SampleOp": { operator: "LikeInput", inputs: ["input"] },
  "com.microsoft.SparseToDenseMatMul": {
    operator: "SparseMatMul",
    inputs: [parameter("sparse"), parameter("dense")],
    attributes: (node) => ({
      transposeA: node.int("transA", 0) !== 0,
      transposeB: node.int("transB", 0) !== 0,
    }),
  },
  "com.microsoft.Tokenizer": { operator: "Tokenizer", inputs: ["x"] },
  "com.microsoft.TorchEmbedding": {
    operator: "Take",
    inputs: [parameter("x"), "indices", constant("padding"), constant("scaleGradient")],
    attributes: () => ({ axis: 0 }),
  },
  "com.microsoft.Trilu": { operator: "Triangle", inputs: ["input", constant("k")] },
  "com.microsoft.UnfoldTensor": {
    operator: "UnfoldAxis",
    inputs: ["x"],
    attributes: (node) => ({
      axis: node.int("dim", -1),
      size: node.optionalInt("size"),
      step: node.int("step", 1),
    }),
  },
  "com.microsoft.Unique": { operator: "UniqueCounts", inputs: ["x"] },
  "com.microsoft.WordConvEmbedding": {
    operator: "WordConvEmbedding",
    inputs: ["x", parameter("kernel"), parameter("bias"), parameter("embeddings")],
  },
  ImageScaler: {
    operator: "ScaleShift",
    inputs: ["x"],
    stored: (node) => (node.has("bias") ? [{ name: "bias", class: "constant" }] : []),
  },
};
