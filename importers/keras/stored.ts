/** The tensors of one or more HDF5 files, and the tree of groups they hang in. */

import type { StoredTensor, TensorClass } from "../../src/ir/tensor.ts";
import type { Hdf5File } from "../../src/wire/hdf5.ts";

/** A group: its subgroups and datasets by name. Windows-written names with backslashes are split like paths. */
export interface StoredGroup {
  readonly path: string;
  readonly groups: Map<string, StoredGroup>;
  /** Index of the tensor, by dataset name. */
  readonly tensors: Map<string, number>;
  /** The real name of the object this `vars` group belongs to (Keras 3.6+). */
  objectName?: string;
}

/** All tensors read so far; several files (shards) go into one. */
export interface TensorTable {
  readonly tensors: StoredTensor[];
  /** Class of the tensors that no weight claims; by index. */
  readonly unclaimed: Map<number, TensorClass>;
}

export function emptyTable(): TensorTable {
  return { tensors: [], unclaimed: new Map() };
}

export function emptyGroup(path: string): StoredGroup {
  return { path, groups: new Map(), tensors: new Map() };
}

/**
 * Lists every dataset below `path` into `table` and returns the tree. `prefix` names the file among several.
 * Only hard links are followed; the reader reports the others.
 */
export function readTree(
  file: Hdf5File,
  path: string,
  table: TensorTable,
  prefix = "",
  into: StoredGroup = emptyGroup(path),
): StoredGroup {
  for (const link of file.list(path)) {
    const inner = path === "/" ? `/${link.name}` : `${path}/${link.name}`;
    // Windows wrote `a\b\vars` as the name of one link.
    const steps = link.name.split("\\");
    const last = steps.pop() as string;
    const place = steps.reduce(descend, into);
    if (link.kind === "dataset") {
      const index = addTensor(file, inner, table, prefix);
      if (index !== undefined) place.tensors.set(last, index);
    } else if (link.kind === "group") {
      const group = descend(place, last);
      if (last === "vars" && file.attributes(inner).includes("name")) {
        const name = file.attribute(inner, "name");
        if (typeof name === "string") group.objectName = name;
      }
      readTree(file, inner, table, prefix, group);
    }
  }
  return into;
}

function descend(group: StoredGroup, name: string): StoredGroup {
  let next = group.groups.get(name);
  if (!next) {
    next = emptyGroup(`${group.path === "/" ? "" : group.path}/${name}`);
    group.groups.set(name, next);
  }
  return next;
}

function addTensor(file: Hdf5File, path: string, table: TensorTable, prefix: string): number | undefined {
  const dataset = file.dataset(path);
  if (!dataset) return undefined;
  table.tensors.push({
    path: `${prefix}${path.replace(/^\//, "")}`,
    dtype: dataset.dtype,
    shape: dataset.shape,
    bytes: dataset.bytes,
    unclaimed: "unclassified",
  });
  return table.tensors.length - 1;
}

/** The group at a relative path of plain names, or undefined. */
export function groupAt(group: StoredGroup | undefined, path: string): StoredGroup | undefined {
  return path.split("/").reduce<StoredGroup | undefined>((at, step) => at?.groups.get(step), group);
}

/** Every tensor at and below a group, own ones first. */
export function* tensorsBelow(
  group: StoredGroup,
): Generator<{ readonly path: string; readonly index: number }> {
  const keys = [...group.tensors.keys()].sort(byNumber);
  for (const key of keys) yield { path: `${group.path}/${key}`, index: group.tensors.get(key) as number };
  for (const inner of group.groups.values()) yield* tensorsBelow(inner);
}

/** Running numbers in their order (10 after 9), other names alphabetically. */
export function byNumber(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)];
  return Number.isNaN(x) || Number.isNaN(y) ? (a < b ? -1 : a > b ? 1 : 0) : x - y;
}

/** Tensor number `index`, which is known to be in the table. */
export function tensorAt(table: TensorTable, index: number): StoredTensor {
  return table.tensors[index] as StoredTensor;
}

/** The table as the IR has it. */
export function finishTensors(table: TensorTable): readonly StoredTensor[] {
  return table.tensors.map((tensor, i) => {
    const kind = table.unclaimed.get(i);
    return kind === undefined ? tensor : { ...tensor, unclaimed: kind };
  });
}
