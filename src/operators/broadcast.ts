/** NumPy's broadcasting with unknown dimensions (Keras 3 operation_utils.broadcast_shapes; TensorFlow agrees). */

import { contradicts, type Dim, maxDims, sameDim, sharperDim } from "../ir/dim.ts";
import { formatShape, type Shape } from "../ir/shape.ts";
import { RuleError, type RuleInput } from "./operator.ts";

function broadcastDim(a: Dim, b: Dim): Dim | undefined {
  if (a === 1) return b;
  if (b === 1) return a;
  if (contradicts(a, b)) return undefined;
  if (a === null || b === null || sameDim(a, b)) return sharperDim(a, b);
  // A number other than 1 settles it. Two names are equal or one of them is 1 when the model runs: the larger one counts.
  return typeof a === "number" ? a : typeof b === "number" ? b : maxDims(a, b);
}

/** Shapes aligned at their ends; 1 stretches; an unknown or named dimension takes the number beside it. */
export function broadcastShapes(a: Shape, b: Shape): Shape {
  if (a === null || b === null) return null;
  const rank = Math.max(a.length, b.length);
  const result: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const left = a[a.length - rank + i];
    const right = b[b.length - rank + i];
    const dim = broadcastDim(left === undefined ? 1 : left, right === undefined ? 1 : right);
    if (dim === undefined) {
      throw new RuleError(`shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast`);
    }
    result.push(dim);
  }
  // The same object where nothing changes: a large graph has thousands of layers of one shape.
  return result.length === a.length && result.every((dim, i) => dim === a[i]) ? a : result;
}

export function broadcastAll(shapes: readonly Shape[]): Shape {
  return shapes.length === 0 ? [] : shapes.reduce(broadcastShapes);
}

/** Operands of which the second one's axes stand under those of the first from `axis` on; null: at the end. */
export function alignSecond(inputs: readonly RuleInput[], axis: number | null): readonly RuleInput[] {
  const [first, second, ...rest] = inputs;
  if (axis === null || axis < 0 || !first?.shape || !second?.shape) return inputs;
  const behind = first.shape.length - axis - second.shape.length;
  if (behind < 0) {
    throw new RuleError(
      `${formatShape(second.shape)} does not fit ${formatShape(first.shape)} at axis ${axis}`,
    );
  }
  const shape = [...second.shape, ...new Array<Dim>(behind).fill(1)];
  return [first, { ...second, shape }, ...rest];
}
