/**
 * A dimension is a whole number or unknown (`null`: Keras's None). Rules do arithmetic through these functions only, so
 * that unknown stays unknown and never becomes a number.
 */
export type Dim = number | null;

/** Applies `f` when every dimension is known; else unknown. A result that is no safe integer is unknown too. */
export function mapDims(f: (...values: number[]) => number, ...dims: readonly Dim[]): Dim {
  const known: number[] = [];
  for (const dim of dims) {
    if (dim === null) return null;
    known.push(dim);
  }
  const result = f(...known);
  return Number.isSafeInteger(result) ? result : null;
}

export function addDims(...dims: readonly Dim[]): Dim {
  return sumOfDims(dims);
}

export function multiplyDims(...dims: readonly Dim[]): Dim {
  return productOfDims(dims);
}

/** For lists from a file: spread over the arguments of a call, a hundred thousand of them overflow the stack. */
export function sumOfDims(dims: readonly Dim[]): Dim {
  return fold(dims, 0, (a, b) => a + b);
}

export function productOfDims(dims: readonly Dim[]): Dim {
  return fold(dims, 1, (a, b) => a * b);
}

function fold(dims: readonly Dim[], start: number, f: (a: number, b: number) => number): Dim {
  let result = start;
  for (const dim of dims) {
    if (dim === null) return null;
    result = f(result, dim);
  }
  return Number.isSafeInteger(result) ? result : null;
}

/** Rounds down. */
export function floorDivideDim(dim: Dim, by: number): Dim {
  return mapDims((value) => Math.floor(value / by), dim);
}

/** Rounds up. */
export function ceilDivideDim(dim: Dim, by: number): Dim {
  return mapDims((value) => Math.ceil(value / by), dim);
}
