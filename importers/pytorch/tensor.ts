/** What a checkpoint says of its tensors and storages, before it is decided what they are for. */

import type { DType } from "../../src/ir/dtype.ts";
import type { TorchType } from "./dtypes.ts";

/** Something in the pickle claims to be a tensor and cannot be one; the message says why. */
export class TensorFault extends Error {}

/** Elements one after the other, which tensors are views of. */
export interface TorchStorage {
  /** Unique in the file: the number of its record. */
  readonly key: string;
  readonly bytes: number;
  /** Of the class the storage is pickled with; bytes when it has none. */
  readonly type: TorchType;
}

/** A tensor: a window on a storage, or something put together from other tensors. */
export interface TorchTensor {
  readonly dtype: DType;
  /** Bytes an element. */
  readonly itemBytes: number;
  readonly size: readonly number[];
  readonly stride: readonly number[];
  /** Where its elements are. `null`: it has none of its own (on the meta device, or made of `parts`). */
  readonly storage: TorchStorage | null;
  /** Elements from the start of the storage. */
  readonly offset: number;
  /** Set when `size` counts bytes of several elements each, along the last axis: how many, and the size that PyTorch shows. */
  readonly packed?: { readonly values: number; readonly size: readonly number[] };
  readonly requiresGrad: boolean;
  /** Wrapped as a parameter; in a state dict parameters and buffers are alike, and no tensor is. */
  readonly parameter: boolean;
  /**
   * `inline`: its elements are in the pickle, or in a file of a checkpoint in parts; `sparse`: `parts` are its indices and values; `quantized`: `parts` are its scales and zero points;
   * `distributed`: they are the mesh of processes; `nested`: they say where each of its rows ends; `unshaped`: it gets a shape when its
   * module first runs, and has none yet.
   */
  readonly form:
    | "dense"
    | "inline"
    | "sparse"
    | "quantized"
    | "nested"
    | "meta"
    | "subclass"
    | "distributed"
    | "unshaped";
  /** Where it is one process's part of a larger tensor: the size of that. */
  readonly whole?: readonly number[];
  readonly parts: readonly { readonly name: string; readonly tensor: TorchTensor }[];
}

/** A tensor whose elements are in the pickle or in another file, and of which nothing else is told. */
export function withoutStorage({ dtype, bytes }: TorchType, size: readonly number[]): TorchTensor {
  return {
    dtype,
    itemBytes: bytes,
    size,
    stride: [],
    storage: null,
    offset: 0,
    requiresGrad: false,
    parameter: false,
    form: "inline",
    parts: [],
  };
}
