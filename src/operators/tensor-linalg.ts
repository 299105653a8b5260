/** Linear algebra on the last two axes (Keras 3.15 ops/linalg.py and the matrix functions of ops/numpy.py). */

import { addDims, contradicts, type Dim, maxDims, minDims } from "../ir/dim.ts";
import type { DType } from "../ir/dtype.ts";
import { elementsOf, formatShape } from "../ir/shape.ts";
import type { TensorType } from "../ir/tensor.ts";
import { dimAt, mainInput, requireMinimumRank, requireRank, resolveAxis } from "./arguments.ts";
import { readFlag, readOptionalInteger } from "./attributes.ts";
import { type OperatorDef, RuleError, type RuleInput } from "./operator.ts";
import {
  defineOperator,
  inputAt,
  only,
  optionalInteger,
  reshaped,
  simpleOperator,
  tupleOf,
} from "./tensor-rule.ts";

interface Matrices {
  readonly batch: readonly Dim[];
  readonly rows: Dim;
  readonly columns: Dim;
}

function matricesOf(shape: readonly Dim[]): Matrices {
  requireMinimumRank(shape, 2);
  return { batch: shape.slice(0, -2), rows: dimAt(shape, -2), columns: dimAt(shape, -1) };
}

function requireSquare(shape: readonly Dim[]): void {
  const { rows, columns } = matricesOf(shape);
  if (contradicts(rows, columns)) {
    throw new RuleError(`expects square matrices, found ${formatShape(shape)}`);
  }
}

/** Square matrices -> matrices of the same shape; with `status`, also for each of them whether it went well. */
function squareToSquare(name: string): OperatorDef<unknown> {
  return defineOperator<{ status: boolean }>({
    name,
    attributes: (raw) => ({ status: readFlag(raw, "status", false) }),
    infer({ attributes: { status }, inputs }) {
      const x = mainInput(inputs);
      if (x.shape !== null) requireSquare(x.shape);
      const [told] = parts(x, ({ batch }) => batch);
      return status
        ? tupleOf([reshaped(x, (shape) => shape), { dtype: "int32", shape: told?.shape ?? null }])
        : only(x);
    },
  });
}

/** Matrices -> a number each. */
function toScalar(name: string, dtype?: DType): OperatorDef<unknown> {
  return simpleOperator(name, (inputs) => {
    const x = mainInput(inputs);
    return reshaped(x, (shape) => matricesOf(shape).batch, dtype ?? x.dtype);
  });
}

/** Several outputs, each of which a function of the matrices. */
function parts(
  x: RuleInput,
  ...shapes: readonly ((matrices: Matrices) => readonly Dim[])[]
): readonly TensorType[] {
  return shapes.map((f) => reshaped(x, (shape) => f(matricesOf(shape))));
}

const eigen = (name: string): OperatorDef<unknown> =>
  defineOperator<null>({
    name,
    attributes: () => null,
    infer: ({ inputs }) =>
      tupleOf(
        parts(
          mainInput(inputs),
          ({ batch, rows }) => [...batch, rows],
          ({ batch, rows, columns }) => [...batch, rows, columns],
        ),
      ),
  });

const signedLogDeterminant = defineOperator<null>({
  name: "SignedLogDeterminant",
  attributes: () => null,
  infer({ inputs }) {
    const x = mainInput(inputs);
    // Keras says () for the sign whatever the batch is.
    return tupleOf([{ dtype: x.dtype, shape: [] }, ...parts(x, ({ batch }) => batch)]);
  },
});

const luFactor = defineOperator<null>({
  name: "LuFactor",
  attributes: () => null,
  infer: ({ inputs }) =>
    tupleOf(
      parts(
        mainInput(inputs),
        ({ batch, rows, columns }) => [...batch, rows, columns],
        ({ batch, rows, columns }) => [...batch, minDims(rows, columns)],
      ),
    ),
});

const qr = defineOperator<{ complete: boolean }>({
  name: "Qr",
  attributes: (raw) => ({ complete: raw.mode === "complete" }),
  infer({ attributes: { complete }, inputs }) {
    const inner = ({ rows, columns }: Matrices): Dim => (complete ? rows : minDims(rows, columns));
    return tupleOf(
      parts(
        mainInput(inputs),
        (m) => [...m.batch, m.rows, inner(m)],
        (m) => [...m.batch, inner(m), m.columns],
      ),
    );
  },
});

interface SvdAttributes {
  readonly full: boolean;
  readonly vectors: boolean;
  /** TensorFlow: singular values first, V as columns. */
  readonly valuesFirst: boolean;
}

const svd = defineOperator<SvdAttributes>({
  name: "Svd",
  attributes: (raw) => ({
    full: readFlag(raw, "fullMatrices", true),
    vectors: readFlag(raw, "computeUv", true),
    valuesFirst: readFlag(raw, "valuesFirst", false),
  }),
  infer({ attributes: { full, vectors, valuesFirst }, inputs }) {
    const inner = ({ rows, columns }: Matrices): Dim => minDims(rows, columns);
    const [s, u, v] = parts(
      mainInput(inputs),
      (m) => [...m.batch, inner(m)],
      (m) => [...m.batch, m.rows, full ? m.rows : inner(m)],
      (m) => {
        const [a, b] = [full ? m.columns : inner(m), m.columns];
        return [...m.batch, ...(valuesFirst ? [b, a] : [a, b])];
      },
    ) as [TensorType, TensorType, TensorType];
    if (!vectors) return only(s);
    return tupleOf(valuesFirst ? [s, u, v] : [u, s, v]);
  },
});

/** a (..., n, n), b -> b. */
function solve(name: string): OperatorDef<unknown> {
  return simpleOperator(name, (inputs) => {
    const a = inputAt(inputs, "a", 0);
    if (a.shape !== null) requireSquare(a.shape);
    return inputAt(inputs, "b", 1);
  });
}

/** a (m, n), b (m) or (m, k) -> (n) or (n, k). */
const leastSquares = simpleOperator("LeastSquares", (inputs) => {
  const a = inputAt(inputs, "a", 0);
  const b = inputAt(inputs, "b", 1);
  return reshaped(a, (shape) =>
    b.shape === null ? null : [...shape.slice(0, -2), dimAt(shape, -1), ...b.shape.slice(shape.length - 1)],
  );
});

const pseudoInverse = simpleOperator("PseudoInverse", (inputs) =>
  reshaped(mainInput(inputs), (shape) => {
    const { batch, rows, columns } = matricesOf(shape);
    return [...batch, columns, rows];
  }),
);

/** Length of the diagonal `offset` places above the main one. */
function diagonalLength(rows: Dim, columns: Dim, offset: number): Dim {
  const length =
    offset > 0 ? minDims(rows, addDims(columns, -offset)) : minDims(addDims(rows, offset), columns);
  return offset === 0 ? length : maxDims(0, length);
}

/** A vector -> the matrix with it on a diagonal; a matrix -> its diagonal. */
const diag = defineOperator<{ offset: number }>({
  name: "Diag",
  attributes: (raw) => ({ offset: optionalInteger(raw, "k") ?? 0 }),
  infer: ({ attributes: { offset }, inputs }) =>
    only(
      reshaped(mainInput(inputs), (shape) => {
        if (shape.length === 1) {
          const size = addDims(dimAt(shape, 0), Math.abs(offset));
          return [size, size];
        }
        requireRank(shape, 2);
        return [diagonalLength(dimAt(shape, 0), dimAt(shape, 1), offset)];
      }),
    ),
});

/** All elements -> a matrix with them on a diagonal. */
const diagFlat = defineOperator<{ offset: number }>({
  name: "DiagFlat",
  attributes: (raw) => ({ offset: optionalInteger(raw, "k") ?? 0 }),
  infer: ({ attributes: { offset }, inputs }) =>
    only(
      reshaped(mainInput(inputs), (shape) => {
        const size = addDims(elementsOf(shape), Math.abs(offset));
        return [size, size];
      }),
    ),
});

interface DiagonalAttributes {
  readonly offset: number;
  readonly axis1: number;
  readonly axis2: number;
}

/** x without two axes, whose diagonal (or its sum) takes their place at the end. */
function diagonal(name: string, keep: boolean): OperatorDef<unknown> {
  return defineOperator<DiagonalAttributes>({
    name,
    attributes: (raw) => ({
      offset: optionalInteger(raw, "offset") ?? 0,
      axis1: optionalInteger(raw, "axis1") ?? 0,
      axis2: optionalInteger(raw, "axis2") ?? 1,
    }),
    infer: ({ attributes: { offset, axis1, axis2 }, inputs }) =>
      only(
        reshaped(mainInput(inputs), (shape) => {
          requireMinimumRank(shape, 2);
          const [a, b] = [resolveAxis(axis1, shape.length), resolveAxis(axis2, shape.length)];
          if (a === b) throw new RuleError("a diagonal needs two different axes");
          const rest = shape.filter((_, i) => i !== a && i !== b);
          return keep ? [...rest, diagonalLength(dimAt(shape, a), dimAt(shape, b), offset)] : rest;
        }),
      ),
  });
}

/** x (..., n) -> (..., n, n) with x on the diagonal (tf.linalg.diag). */
const matrixDiag = simpleOperator("MatrixDiag", (inputs) =>
  reshaped(mainInput(inputs), (shape) => [...shape, dimAt(shape, -1)]),
);

/** x (..., n, m) -> (..., min(n, m)), its diagonals (tf.linalg.diag_part). */
const matrixDiagPart = simpleOperator("MatrixDiagPart", (inputs) =>
  reshaped(mainInput(inputs), (shape) => {
    const { batch, rows, columns } = matricesOf(shape);
    return [...batch, minDims(rows, columns)];
  }),
);

/** x (n) -> its powers as columns. */
const vandermonde = defineOperator<{ columns: number | null }>({
  name: "Vandermonde",
  attributes: (raw) => ({ columns: readOptionalInteger(raw, "columns", { min: 0 }) }),
  infer: ({ attributes: { columns }, inputs }) =>
    only(reshaped(mainInput(inputs), (shape) => [...shape, columns ?? dimAt(shape, 0)])),
});

/** x -> x: what Keras says of numpy.corrcoef. */
const correlationMatrix = simpleOperator("CorrelationMatrix", mainInput);

export const tensorLinalgOperators: readonly OperatorDef<unknown>[] = [
  squareToSquare("Cholesky"),
  squareToSquare("CholeskyInverse"),
  squareToSquare("Inverse"),
  squareToSquare("MatrixFunction"),
  toScalar("Determinant"),
  toScalar("LogDeterminant"),
  toScalar("MatrixRank", "int32"),
  signedLogDeterminant,
  eigen("Eigen"),
  luFactor,
  qr,
  svd,
  solve("Solve"),
  solve("SolveTriangular"),
  leastSquares,
  pseudoInverse,
  diag,
  diagFlat,
  diagonal("Diagonal", true),
  diagonal("Trace", false),
  matrixDiag,
  matrixDiagPart,
  vandermonde,
  correlationMatrix,
];
