/** Products, matrices and signals of keras.ops (Keras 3.15 ops/numpy.py, ops/linalg.py, ops/math.py, ops/einops.py). */

import { asString } from "../json-access.ts";
import { alike, type OperationTable, operation, sameNames, tensordotAxes } from "./operation.ts";

const pair = ["x1", "x2"] as const;

export const linearAlgebraOperations: OperationTable = {
  Matmul: operation("Matmul", pair),
  Dot: operation("DotProduct", pair),
  Tensordot: operation("Tensordot", pair, ({ axes }) => tensordotAxes(axes)),
  Einsum: operation("Einsum", ["*operands"], ({ subscripts }) => ({ equation: subscripts ?? null })),
  Outer: operation("Outer", pair),
  Inner: operation("Inner", pair),
  Vdot: operation("ScalarProduct", pair),
  Kron: operation("Kronecker", pair),
  Cross: operation("Cross", pair),
  CDist: operation("PairwiseDistance", ["x:x1", "y:x2"]),
  Correlate: operation("Correlate", pair),
  Rearrange: operation("Rearrange", ["tensor"], (stated) => {
    const { pattern, argument1, ...lengths } = stated;
    return { pattern: asString(pattern) ?? argument1 ?? null, lengths };
  }),

  ...sameNames(["Cholesky", "CholeskyInverse", "LuFactor", "MatrixRank", "Qr", "Diagonal", "Trace", "Diag"]),
  Det: operation("Determinant"),
  ...alike(["Eig", "Eigh"], operation("Eigen")),
  Inv: operation("Inverse"),
  Solve: operation("Solve", ["a", "b"]),
  SolveTriangular: operation("SolveTriangular", ["a", "b"]),
  SVD: operation("Svd"),
  Lstsq: operation("LeastSquares", ["a", "b"]),
  Pinv: operation("PseudoInverse"),
  Logdet: operation("LogDeterminant"),
  Slogdet: operation("SignedLogDeterminant"),
  Diagflat: operation("DiagFlat"),
  Vander: operation("Vandermonde", ["x"], ({ N }) => ({ columns: N ?? null })),
  Corrcoef: operation("CorrelationMatrix"),

  FFT: operation("Fft"),
  FFT2: operation("Fft2"),
  IFFT2: operation("InverseFft2"),
  RFFT: operation("RealFft"),
  IRFFT: operation("InverseRealFft"),
  STFT: operation("Stft"),
  ISTFT: operation("InverseStft"),
  ExtractSequences: operation("ExtractSequences"),
  ViewAsComplex: operation("ViewAsComplex"),
  ViewAsReal: operation("ViewAsReal"),
};
