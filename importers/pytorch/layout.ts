/**
 * Which elements of which storage a tensor is: tied tensors, views of one another, and what of a storage no tensor sees.
 * Every byte of a storage that is seen is put to exactly one stored tensor; the rest is what is not used.
 */

import { productOfDims } from "../../src/ir/dim.ts";
import type { DType } from "../../src/ir/dtype.ts";
import type { StaticShape } from "../../src/ir/shape.ts";
import { maxTorchOverlapSteps } from "../../src/limits/pytorch.ts";
import type { TorchStorage, TorchTensor } from "./tensor.ts";
import { spanOf } from "./window.ts";

/** Elements that are stored once, whoever sees them. */
export interface StoredPiece {
  readonly dtype: DType;
  /** The shape of the one tensor that sees all of it in order; else just how many elements there are. */
  readonly shape: StaticShape;
  readonly bytes: number;
}

export interface Layout {
  /** By tensor: the piece it sees. Tensors without a storage are missing. */
  readonly pieces: ReadonlyMap<TorchTensor, StoredPiece>;
  /** Bytes of each storage that no tensor sees, for the storages that have some. */
  readonly unseen: ReadonlyMap<string, number>;
}

interface Window {
  readonly tensor: TorchTensor;
  /** Bytes from the start of the storage. */
  readonly start: number;
  readonly end: number;
  readonly elements: number;
  /** It sees every element from start to end, each once. */
  readonly dense: boolean;
}

/** Lays out all tensors of a file. */
export function layOut(tensors: Iterable<TorchTensor>, storages: ReadonlyMap<string, TorchStorage>): Layout {
  const byStorage = new Map<string, TorchTensor[]>();
  for (const tensor of tensors) {
    if (tensor.storage === null) continue;
    const list = byStorage.get(tensor.storage.key);
    if (list) list.push(tensor);
    else byStorage.set(tensor.storage.key, [tensor]);
  }
  const pieces = new Map<TorchTensor, StoredPiece>();
  const unseen = new Map<string, number>();
  const budget = { steps: maxTorchOverlapSteps };
  for (const [key, storage] of storages) {
    const seen = layOutStorage(byStorage.get(key) ?? [], pieces, budget);
    if (seen < storage.bytes) unseen.set(key, storage.bytes - seen);
  }
  return { pieces, unseen };
}

/** Gives the bytes that are seen. */
function layOutStorage(
  tensors: readonly TorchTensor[],
  pieces: Map<TorchTensor, StoredPiece>,
  budget: { steps: number },
): number {
  const windows = tensors.map(windowOf).sort((a, b) => a.start - b.start || b.end - a.end);
  let seen = 0;
  for (let from = 0; from < windows.length; ) {
    let end = windows[from]?.end ?? 0;
    let to = from + 1;
    while (to < windows.length && (windows[to] as Window).start < end) {
      end = Math.max(end, (windows[to] as Window).end);
      to += 1;
    }
    seen += layOutGroup(windows.slice(from, to), end, pieces, budget);
    from = to;
  }
  return seen;
}

function windowOf(tensor: TorchTensor): Window {
  const start = tensor.offset * tensor.itemBytes;
  return {
    tensor,
    start,
    end: start + spanOf(tensor) * tensor.itemBytes,
    elements: productOfDims(tensor.size) ?? 0,
    dense: isDense(tensor),
  };
}

/** Whether the strides, from the smallest, are those of elements that lie side by side. */
function isDense({ size, stride }: TorchTensor): boolean {
  const steps = size
    .map((dim, i) => ({ dim, step: stride[i] ?? 0 }))
    .filter(({ dim }) => dim !== 1)
    .sort((a, b) => a.step - b.step);
  let expected = 1;
  for (const { dim, step } of steps) {
    if (step !== expected) return false;
    expected *= dim;
  }
  return true;
}

/** Windows that reach into one another, in the order of where they start. Gives the bytes they see together. */
function layOutGroup(
  windows: readonly Window[],
  end: number,
  pieces: Map<TorchTensor, StoredPiece>,
  budget: { steps: number },
): number {
  const [first] = windows;
  if (first === undefined) return 0;
  const bytes = end - first.start;
  const share = (piece: StoredPiece, members: readonly Window[]): number => {
    for (const { tensor } of members) pieces.set(tensor, piece);
    return piece.bytes;
  };
  // One that sees all: the others are views of it.
  const whole = windows.find((window) => window.dense && window.start === first.start && window.end === end);
  if (whole) return share(pieceOf(whole, whole.elements), windows);
  const distinct = [...new Map(windows.map((window) => [identityOf(window), window])).values()];
  const { itemBytes } = first.tensor;
  const uniform = distinct.every(({ tensor }) => tensor.itemBytes === itemBytes);
  const all = distinct.reduce((sum, { elements }) => sum + elements, 0);
  const count = uniform ? countElements(distinct, first.start, bytes, budget) : null;
  if (distinct.length === 1) return share(pieceOf(first, count ?? Math.min(all, bytes / itemBytes)), windows);
  if (count === all) {
    // Side by side, column for column: each has its own elements.
    const own = new Map(distinct.map((one) => [identityOf(one), pieceOf(one, one.elements)]));
    for (const one of windows) share(own.get(identityOf(one)) as StoredPiece, [one]);
    return all * itemBytes;
  }
  // What cannot be told apart is one piece: exact where it was counted, else all they reach over.
  if (!uniform) return share({ dtype: "uint8", shape: [bytes], bytes }, windows);
  const elements = count ?? bytes / itemBytes;
  return share({ dtype: first.tensor.dtype, shape: [elements], bytes: elements * itemBytes }, windows);
}

function identityOf({ tensor, start }: Window): string {
  return `${start} ${tensor.dtype} ${tensor.size.join(",")} ${tensor.stride.join(",")}`;
}

function pieceOf({ tensor, elements }: Window, stored: number): StoredPiece {
  return {
    dtype: tensor.dtype,
    // An expanded tensor shows some elements more than once.
    shape: stored === elements ? tensor.size : [stored],
    bytes: stored * tensor.itemBytes,
  };
}

/** How many elements windows see together; `null` when counting would take too long. */
function countElements(
  windows: readonly Window[],
  start: number,
  bytes: number,
  budget: { steps: number },
): number | null {
  const itemBytes = windows[0]?.tensor.itemBytes ?? 1;
  const length = bytes / itemBytes;
  const work = windows.reduce((sum, { elements }) => sum + elements, length);
  if (work > budget.steps) return null;
  budget.steps -= work;
  const marked = new Uint8Array(length);
  // An empty one may be of any size along another axis.
  for (const window of windows)
    if (window.elements > 0) mark(window.tensor, marked, (window.start - start) / itemBytes, 0);
  return marked.reduce((sum, one) => sum + one, 0);
}

function mark(tensor: TorchTensor, marked: Uint8Array, at: number, axis: number): void {
  const dim = tensor.size[axis];
  if (dim === undefined) {
    marked[at] = 1;
    return;
  }
  const step = tensor.stride[axis] ?? 0;
  for (let i = 0; i < dim; i++) mark(tensor, marked, at + i * step, axis + 1);
}
