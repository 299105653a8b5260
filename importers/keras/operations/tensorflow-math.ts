/** Functions of tf.math, tf.linalg and tf.signal, and operators of tensors. */

import type { JsonObject } from "../../../src/ir/graph.ts";
import { asInteger } from "../json-access.ts";
import { alike, type OperationTable, tensordotAxes, tensorflowFunction as tf } from "./operation.ts";

/** Functions of one tensor: name in tf.math and operator. */
const unary: Readonly<Record<string, string>> = {
  abs: "Abs",
  acos: "Arccos",
  acosh: "Arccosh",
  angle: "Angle",
  asin: "Arcsin",
  asinh: "Arcsinh",
  atan: "Arctan",
  atanh: "Arctanh",
  ceil: "Ceil",
  conj: "Conjugate",
  cos: "Cos",
  cosh: "Cosh",
  digamma: "Digamma",
  erf: "Erf",
  erfc: "Erfc",
  erfinv: "Erfinv",
  exp: "Exp",
  expm1: "Expm1",
  floor: "Floor",
  imag: "Imag",
  is_finite: "IsFinite",
  is_inf: "IsInf",
  is_nan: "IsNan",
  lgamma: "Lgamma",
  log: "Log",
  log1p: "Log1p",
  logical_not: "LogicalNot",
  ndtri: "Ndtri",
  negative: "Negative",
  real: "Real",
  reciprocal: "Reciprocal",
  rint: "Round",
  round: "Round",
  rsqrt: "Rsqrt",
  sign: "Sign",
  sin: "Sin",
  sinh: "Sinh",
  sqrt: "Sqrt",
  square: "Square",
  tan: "Tan",
};

/** Functions of two tensors that broadcast. */
const binary: Readonly<Record<string, string>> = {
  add: "TensorAdd",
  atan2: "Arctan2",
  divide: "Divide",
  divide_no_nan: "DivideNoNan",
  equal: "Equal",
  floordiv: "FloorDivide",
  floormod: "Mod",
  greater: "Greater",
  greater_equal: "GreaterEqual",
  less: "Less",
  less_equal: "LessEqual",
  logical_and: "LogicalAnd",
  logical_or: "LogicalOr",
  logical_xor: "LogicalXor",
  maximum: "TensorMaximum",
  minimum: "TensorMinimum",
  mod: "Mod",
  multiply: "TensorMultiply",
  multiply_no_nan: "TensorMultiply",
  not_equal: "NotEqual",
  polygamma: "Polygamma",
  pow: "Power",
  squared_difference: "SquaredDifference",
  subtract: "TensorSubtract",
  truediv: "Divide",
  xdivy: "Xlogy",
  xlog1py: "Xlogy",
  xlogy: "Xlogy",
  zeta: "Zeta",
};

/** Activation functions that live in tf.math too. */
const activations = ["sigmoid", "softplus", "softsign", "tanh", "log_sigmoid"] as const;

const reductions: Readonly<Record<string, string>> = {
  reduce_all: "ReduceAll",
  reduce_any: "ReduceAny",
  reduce_euclidean_norm: "ReduceEuclideanNorm",
  reduce_logsumexp: "ReduceLogSumExp",
  reduce_max: "ReduceMax",
  reduce_mean: "ReduceMean",
  reduce_min: "ReduceMin",
  reduce_prod: "ReduceProd",
  reduce_std: "ReduceStd",
  reduce_sum: "ReduceSum",
  reduce_variance: "ReduceVariance",
  count_nonzero: "CountNonzero",
};

const pair = ["x:x1", "y:x2"] as const;

/** The names of TensorFlow 1 stay in old files. */
function reduceAttributes(stated: JsonObject): JsonObject {
  return {
    axis: stated.axis ?? stated.reduction_indices ?? null,
    keepDims: (stated.keepdims ?? stated.keep_dims) === true,
  };
}

/** The first axis unless one is named. */
function indexAttributes(stated: JsonObject): JsonObject {
  return { axis: asInteger(stated.axis) ?? asInteger(stated.dimension) ?? 0 };
}

function each(
  table: Readonly<Record<string, string>>,
  prefixes: readonly string[],
  rule: (operator: string) => OperationTable[string],
): OperationTable {
  const entries = Object.entries(table).flatMap(([name, operator]) =>
    prefixes.map(
      (prefix) => [`${prefix}${name}`, rule(operator) as NonNullable<OperationTable[string]>] as const,
    ),
  );
  return Object.fromEntries(entries);
}

function transposed(stated: JsonObject): JsonObject {
  return {
    transposeA: stated.transpose_a === true || stated.adjoint_a === true,
    transposeB: stated.transpose_b === true || stated.adjoint_b === true,
  };
}

/** A frame's length up to a power of two, unless the length of the transform is stated. */
function fftLength(stated: JsonObject): number {
  const frame = asInteger(stated.frame_length) ?? 1;
  return asInteger(stated.fft_length) ?? 2 ** Math.ceil(Math.log2(Math.max(frame, 1)));
}

const frames = (stated: JsonObject): JsonObject => ({
  sequenceLength: stated.frame_length ?? null,
  sequenceStride: stated.frame_step ?? null,
  padEnd: stated.pad_end === true,
});

export const mathFunctions: OperationTable = {
  ...each(unary, ["math.", ""], (operator) => tf(operator, ["x"])),
  ...each(binary, ["math.", "", "__operators__.", "compat.v1."], (operator) => tf(operator, pair)),
  ...each(reductions, ["math.", "", "compat.v1.", "compat.v1.math."], (operator) =>
    tf(operator, ["input_tensor:x", "input:x"], reduceAttributes),
  ),
  ...Object.fromEntries(
    activations.flatMap((name) =>
      ["math.", "", "nn."].map((prefix) => [`${prefix}${name}`, tf("Activation", ["x"], { function: name })]),
    ),
  ),
  ...alike(["compat.v1.floor_div", "math.floor_div", "floor_div"], tf("FloorDivide", pair)),
  ...alike(["compat.v1.div", "div", "RealDiv", "realdiv"], tf("Divide", pair)),
  ...alike(["math.add_n", "add_n"], tf("AddMany", ["inputs:xs"])),
  ...alike(["math.accumulate_n"], tf("AddMany", ["inputs:xs"])),
  ...alike(["math.argmax", "argmax", "compat.v1.argmax"], tf("ArgMax", ["input:x"], indexAttributes)),
  ...alike(["math.argmin", "argmin", "compat.v1.argmin"], tf("ArgMin", ["input:x"], indexAttributes)),
  ...alike(
    ["math.cumsum", "cumsum"],
    tf("CumulativeSum", ["x"], ({ axis }) => ({ axis: axis ?? 0 })),
  ),
  "math.cumprod": tf("CumulativeProduct", ["x"], ({ axis }) => ({ axis: axis ?? 0 })),
  ...alike(
    ["math.top_k", "nn.top_k"],
    tf("TopK", ["input:x"], ({ k }) => ({ k: k ?? 1 })),
  ),
  ...alike(["math.in_top_k", "nn.in_top_k"], tf("InTopK", ["targets", "predictions"])),
  ...alike(["math.bincount"], tf("BinCount", ["arr:x"], {})),
  ...alike(
    ["math.l2_normalize", "nn.l2_normalize", "linalg.l2_normalize", "compat.v1.nn.l2_normalize"],
    tf("NormalizeTensor", ["x"]),
  ),
  ...segments("math.", ""),
  ...segments("math.unsorted_", "num_segments"),

  ...alike(
    ["linalg.matmul", "matmul", "compat.v1.matmul", "compat.v1.batch_matmul"],
    tf("Matmul", ["a:x1", "b:x2"], transposed),
  ),
  "linalg.matvec": tf("Matmul", ["a:x1", "b:x2"], transposed),
  ...alike(
    ["tensordot", "linalg.tensordot"],
    tf("Tensordot", ["a:x1", "b:x2"], ({ axes }) => tensordotAxes(axes)),
  ),
  ...alike(
    ["einsum", "linalg.einsum"],
    tf("Einsum", ["equation", "*operands"], ({ equation }) => ({ equation: equation ?? null })),
  ),
  ...alike(
    ["norm", "linalg.norm", "compat.v1.norm", "compat.v1.linalg.norm"],
    tf("ReduceNorm", ["tensor:x"], reduceAttributes),
  ),
  ...alike(["linalg.diag", "compat.v1.matrix_diag"], tf("MatrixDiag", ["diagonal:x"])),
  ...alike(["linalg.diag_part", "compat.v1.matrix_diag_part"], tf("MatrixDiagPart", ["input:x"])),
  "linalg.set_diag": tf("Identity", ["input", "diagonal"]),
  "linalg.tensor_diag": tf("Diag", ["diagonal:x"]),
  "linalg.tensor_diag_part": tf("Diag", ["input:x"]),
  "linalg.band_part": tf("UpperTriangle", ["input:x"]),
  ...alike(["linalg.inv", "linalg.inverse"], tf("Inverse", ["input:x"])),
  "linalg.cholesky": tf("Cholesky", ["input:x"]),
  "linalg.det": tf("Determinant", ["input:x"]),
  "linalg.logdet": tf("LogDeterminant", ["matrix:x"]),
  "linalg.trace": tf("Trace", ["x"], { axis1: -2, axis2: -1 }),
  ...alike(["linalg.expm", "linalg.logm", "linalg.sqrtm"], tf("MatrixFunction", ["input:x"])),
  "linalg.eigh": tf("Eigen", ["tensor:x"]),
  "linalg.qr": tf("Qr", ["input:x"], (s) => ({ mode: s.full_matrices === true ? "complete" : "reduced" })),
  "linalg.svd": tf("Svd", ["tensor:x"], (s) => ({
    fullMatrices: s.full_matrices === true,
    computeUv: s.compute_uv !== false,
    valuesFirst: true,
  })),
  "linalg.solve": tf("Solve", ["matrix:a", "rhs:b"]),
  "linalg.triangular_solve": tf("SolveTriangular", ["matrix:a", "rhs:b"]),
  "linalg.pinv": tf("PseudoInverse", ["a:x"]),
  "linalg.adjoint": tf("MatrixTranspose", ["matrix:x"]),
  ...alike(["linalg.matrix_transpose", "linalg.transpose"], tf("MatrixTranspose", ["a:x"])),
  ...alike(["linalg.cross"], tf("Cross", ["a:x1", "b:x2"])),

  ...alike(
    ["signal.fft", "signal.ifft", "signal.fft2d", "signal.ifft2d", "signal.fft3d", "signal.ifft3d"],
    tf("ComplexFft", ["input:x"]),
  ),
  ...alike(["signal.fftshift", "signal.ifftshift"], tf("Roll", ["x"])),
  "signal.rfft": tf("RealFft", ["input_tensor:x"], ({ fft_length: length }) => ({
    fftLength: Array.isArray(length) ? (length[0] ?? null) : (length ?? null),
    complex: true,
  })),
  "signal.irfft": tf("InverseRealFft", ["input_tensor:x"], ({ fft_length: length }) => ({
    fftLength: Array.isArray(length) ? (length[0] ?? null) : (length ?? null),
  })),
  "signal.frame": tf("ExtractSequences", ["signal:x"], frames),
  "signal.stft": tf("Stft", ["signals:x"], (stated) => ({
    ...frames(stated),
    fftLength: fftLength(stated),
    center: false,
    complex: true,
  })),
};

function segments(prefix: string, count: string): OperationTable {
  const parameters = ["data", "segment_ids:segmentIds"];
  return Object.fromEntries(
    ["sum", "mean", "max", "min", "prod", "sqrt_n"].flatMap((reduction) => {
      const rule = tf("SegmentReduce", parameters, (stated) => ({
        numSegments: stated[count] ?? null,
        reduction,
      }));
      return ["", "compat.v1."].map((v1) => [`${v1}${prefix}segment_${reduction}`, rule] as const);
    }),
  );
}
