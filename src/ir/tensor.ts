import type { DType } from "./dtype.ts";
import type { Shape, StaticShape } from "./shape.ts";

/**
 * What a stored element is for. Every stored tensor has exactly one class, and the classes sum to the file:
 * - parameter: learned (also when frozen);
 * - statistic: state gathered, not learned (BatchNormalization mean and variance, Normalization mean and variance);
 * - bookkeeping: counters and the like;
 * - quantization: scales, zero points, group indices of quantised weights;
 * - constant: numbers the computation needs that were never learned;
 * - optimizer: optimizer state;
 * - unused: the file says whose it was, nothing in the model uses it, or not this copy of it;
 * - unclassified: we cannot tell.
 */
export type TensorClass =
  | "parameter"
  | "statistic"
  | "bookkeeping"
  | "quantization"
  | "constant"
  | "optimizer"
  | "unused"
  | "unclassified";

/** Every class, in the order reports list them. */
export const tensorClasses: readonly TensorClass[] = [
  "parameter",
  "statistic",
  "bookkeeping",
  "quantization",
  "constant",
  "optimizer",
  "unused",
  "unclassified",
];

/** A tensor as it stands in the file. */
export interface StoredTensor {
  /** Path inside the file, unique in the model; shards prefix it with their file name. */
  readonly path: string;
  readonly dtype: DType;
  readonly shape: StaticShape;
  /** Bytes of its elements, before any compression. */
  readonly bytes: number;
  /** Class of a tensor that no weight of the model claims; a claimed one has the class of its weight. */
  readonly unclaimed: TensorClass;
  /** Its elements, row by row, where it is small and shapes may depend on them; all are finite. */
  readonly values?: readonly number[];
}

/**
 * How a packed weight keeps several values in one stored element, as far as it changes the shape:
 * `values` logical elements in `per` stored elements (1 when absent; three bits take 3 of 32) along logical axis `axis`;
 * `transposed` when the stored 2-D tensor has its two axes exchanged.
 */
export interface Packing {
  readonly values: number;
  readonly per?: number;
  readonly axis: number;
  readonly transposed?: boolean;
  /** All in one column, row after row, whatever the shape; `axis` then means nothing. */
  readonly flat?: boolean;
  /** Stored in blocks of which the last ones may be filled up: what is stored has room for the shape, and maybe more. */
  readonly padded?: boolean;
}

/** A weight of a layer: what the configuration says the layer owns, and the stored tensor that is it. */
export interface Weight {
  /** As the file names it (`conv1/kernel:0`), else as the framework would (`kernel`). */
  readonly name: string;
  /** Canonical role, matched with the roles of the operator's weight rule (`kernel`, `bias`, `gamma`, ...). */
  readonly role: string;
  readonly class: TensorClass;
  /** Own flag at creation; the layer's and its ancestors' flags are combined by a pass. `null`: not recorded. */
  readonly trainable: boolean | null;
  readonly dtype: DType | null;
  /** Shape stated outright by the configuration; usually absent, and derived by the operator's weight rule. */
  readonly shape?: Shape;
  readonly packing?: Packing;
  /**
   * Shape of a weight that sees the stored tensor as another shape, or sees only some of it: a tied kernel turned over, a part of a
   * larger whole. It counts as the stored tensor does, once for all that see it.
   */
  readonly view?: StaticShape;
  /** Index in `Model.tensors`. Absent: the weight is not stored in this file. */
  readonly tensor?: number;
  /**
   * Set for a weight that several layers hold, since to the framework they are, or wrap, one object: weights of equal
   * number are one weight. They have one class, and one stored tensor or none.
   */
  readonly shared?: number;
  /** False: stored with the layer, but the framework does not count it among the layer's weights. */
  readonly counted?: boolean;
  /** False: the weight exists once the model is loaded, but its format never stores it (LoRA factors). */
  readonly archived?: boolean;
}

/** Equal for two uses of one weight: a stored tensor is one weight, whoever claims it. */
export function identityOf(weight: Weight): unknown {
  // Numbers of stored tensors are no less than 0.
  return weight.tensor ?? (weight.shared === undefined ? weight : -1 - weight.shared);
}

/** Type of a value that flows between layers. */
export interface TensorType {
  readonly dtype: DType | null;
  readonly shape: Shape;
  /** Set for what is no plain tensor; dtype and shape are then null. */
  readonly of?: Container;
}

/** A value that holds tensors. `element` is null when it is not known what they are; `key` is the type of a map's keys. */
export interface Container {
  readonly container: "sequence" | "optional" | "map" | "sparse";
  readonly element: TensorType | null;
  /** What each item is, in order, where it is known how many there are; an optional has one or none. */
  readonly items?: readonly TensorType[];
  readonly key?: DType;
}
