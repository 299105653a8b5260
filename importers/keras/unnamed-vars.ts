/**
 * Names for the numbered variables of an object whose class is known only from its path, or not at all. Files of
 * weights by object path record neither class nor names.
 */

import { sameShape } from "../../src/ir/shape.ts";
import type { StoredTensor } from "../../src/ir/tensor.ts";
import type { WeightSlot } from "./architecture.ts";
import { slotFromFile } from "./guess-weights.ts";
import { snakeCase } from "./names.ts";
import { byNumber, type StoredGroup, type TensorTable, tensorAt } from "./stored.ts";

const batchStatistics = ["moving_mean", "moving_variance"];
const cell = ["kernel", "recurrent_kernel", "bias"];
const affine = ["kernel", "bias"];

/** Variables by snake-case class name, in creation order. Only classes whose order does not depend on options. */
const byClass: Readonly<Record<string, readonly string[]>> = {
  dense: affine,
  einsum_dense: affine,
  conv1d: affine,
  conv2d: affine,
  conv3d: affine,
  conv1d_transpose: affine,
  conv2d_transpose: affine,
  conv3d_transpose: affine,
  depthwise_conv1d: affine,
  depthwise_conv2d: affine,
  separable_conv1d: ["depthwise_kernel", "pointwise_kernel", "bias"],
  separable_conv2d: ["depthwise_kernel", "pointwise_kernel", "bias"],
  embedding: ["embeddings"],
  layer_normalization: ["gamma", "beta"],
  group_normalization: ["gamma", "beta"],
  rms_normalization: ["scale"],
  p_re_lu: ["alpha"],
  lstm_cell: cell,
  gru_cell: cell,
  simple_rnn_cell: cell,
  normalization: ["mean", "variance", "count"],
  spectral_normalization: ["kernel", "vector_u"],
};

/**
 * Names of `tensors`, the variables 0, 1, ... of one object; `undefined` where nothing can be told. `segment` is the
 * last step of its path. Four vectors of one length are a batch normalisation, whatever it is called: its
 * statistics have to be told from what is learned, or the totals are wrong.
 */
export function nameVariables(
  segment: string,
  tensors: readonly StoredTensor[],
): readonly (string | undefined)[] {
  const kind = classOf(segment);
  const length = tensors[0]?.shape[0];
  const vectors = tensors.every((tensor) => tensor.shape.length === 1 && tensor.shape[0] === length);
  const isBatchNorm =
    kind === snakeCase("BatchNormalization") || kind === snakeCase("SyncBatchNormalization");
  if (vectors && tensors.length === 4) return ["gamma", "beta", ...batchStatistics];
  if (vectors && isBatchNorm && tensors.length >= 2 && tensors.length <= 3) {
    // One of gamma and beta is missing, which one nobody can tell; both are learned.
    return [...(tensors.length === 3 ? ["gamma_or_beta"] : []), ...batchStatistics];
  }
  const known = Object.hasOwn(byClass, kind) ? byClass[kind] : undefined;
  return tensors.map((_, i) => (tensors.length <= (known?.length ?? 0) ? known?.[i] : undefined));
}

function lastStep(group: StoredGroup): string {
  return group.path.split("/").pop() ?? "";
}

/** `dense_1` -> `dense`. */
function classOf(segment: string): string {
  return segment.replace(/_\d+$/, "");
}

const unusedCopy = { role: "kernel-copy", class: "unused", counted: false } as const;

/** The kernel of the layer inside, which SpectralNormalization stores a second time because it keeps a reference to it. */
function kernelCopy(group: StoredGroup, table: TensorTable): number | undefined {
  const first = (of: StoredGroup | undefined): number | undefined => of?.groups.get("vars")?.tensors.get("0");
  const [copy, kernel] = [first(group), first(group.groups.get("layer"))];
  const isOne = classOf(lastStep(group)) === snakeCase("SpectralNormalization");
  if (!isOne || copy === undefined || kernel === undefined) return undefined;
  return sameShape(tensorAt(table, copy).shape, tensorAt(table, kernel).shape) ? copy : undefined;
}

/** Slots of an object and its parts, named as far as classes in the paths tell. */
export function objectSlots(
  group: StoredGroup,
  root: StoredGroup,
  table: TensorTable,
  slots: WeightSlot[] = [],
): WeightSlot[] {
  const prefix = root.path === "/" ? 1 : root.path.length + 1;
  const vars = group.groups.get("vars");
  if (vars) {
    const entries = [...vars.tensors].sort(([a], [b]) => byNumber(a, b));
    const names = nameVariables(
      lastStep(group),
      entries.map(([, index]) => tensorAt(table, index)),
    );
    const copy = kernelCopy(group, table);
    for (const [i, [key, index]] of entries.entries()) {
      const place = `${group.path}/${names[i] ?? `vars/${key}`}`.slice(prefix).replace(/^\//, "");
      const slot = slotFromFile(place, index, tensorAt(table, index));
      slots.push(index === copy ? { ...slot, declaration: { ...slot.declaration, ...unusedCopy } } : slot);
    }
  }
  for (const [name, inner] of [...group.groups].sort(([a], [b]) => byNumber(a, b))) {
    if (name !== "vars") objectSlots(inner, root, table, slots);
  }
  return slots;
}
