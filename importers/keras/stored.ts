/** The tensors of one or more HDF5 files, and the tree of groups they hang in. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import { LimitExceededError } from "../../src/errors.ts";
import { countOf, formatShape } from "../../src/ir/shape.ts";
import type { StoredTensor, TensorClass } from "../../src/ir/tensor.ts";
import { maxHdf5Depth } from "../../src/limits/hdf5.ts";
import { maxModelElements } from "../../src/limits.ts";
import type { Hdf5File } from "../../src/wire/hdf5.ts";

type Report = (diagnostic: Diagnostic) => void;

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
  /** Elements of all tensors together; one of more than 16 bytes counts as several. */
  size: number;
}

export function emptyTable(): TensorTable {
  return { tensors: [], unclaimed: new Map(), size: 0 };
}

export function emptyGroup(path: string): StoredGroup {
  return { path, groups: new Map(), tensors: new Map() };
}

/**
 * Lists every dataset of `file` into `table` and returns the tree. `prefix` names the file among several. Only hard
 * links are followed; the reader reports the others.
 */
export function readTree(
  file: Hdf5File,
  table: TensorTable,
  report: Report,
  prefix = "",
  into: StoredGroup = emptyGroup("/"),
): StoredGroup {
  readGroup({ file, table, report, prefix, byAddress: new Map() }, "/", into, 0);
  return into;
}

interface TreeContext {
  readonly file: Hdf5File;
  readonly table: TensorTable;
  readonly report: Report;
  readonly prefix: string;
  /** Two hard links to one dataset are one tensor: it is stored once. */
  readonly byAddress: Map<number, number | undefined>;
}

function readGroup(context: TreeContext, path: string, into: StoredGroup, depth: number): void {
  const { file } = context;
  for (const link of file.list(path)) {
    const inner = path === "/" ? `/${link.name}` : `${path}/${link.name}`;
    // Windows wrote `a\b\vars` as the name of one link.
    const steps = link.name.split("\\");
    if (depth + steps.length > maxHdf5Depth) throw tooDeep(inner, depth + steps.length);
    const last = steps.pop() as string;
    const place = steps.reduce(descend, into);
    if (link.kind === "dataset") {
      const index = addDataset(context, inner, link.address);
      if (index !== undefined) place.tensors.set(last, index);
    } else if (link.kind === "group") {
      const group = descend(place, last);
      if (last === "vars" && file.attributes(inner).includes("name")) {
        const name = file.attribute(inner, "name");
        if (typeof name === "string") group.objectName = name;
      }
      readGroup(context, inner, group, depth + steps.length + 1);
    }
  }
}

function tooDeep(path: string, depth: number): LimitExceededError {
  return new LimitExceededError(
    `${path.slice(0, 200)} is ${depth} groups deep, the limit is ${maxHdf5Depth} (maxHdf5Depth)`,
    { limit: "maxHdf5Depth", actual: depth, maximum: maxHdf5Depth },
  );
}

function descend(group: StoredGroup, name: string): StoredGroup {
  let next = group.groups.get(name);
  if (!next) {
    next = emptyGroup(`${group.path === "/" ? "" : group.path}/${name}`);
    group.groups.set(name, next);
  }
  return next;
}

function addDataset(context: TreeContext, path: string, address: number | undefined): number | undefined {
  const { file, table, report, prefix, byAddress } = context;
  if (address !== undefined && byAddress.has(address)) return byAddress.get(address);
  const dataset = file.dataset(path);
  const index =
    dataset === null
      ? undefined
      : addTensor(
          {
            path: `${prefix}${path.replace(/^\//, "")}`,
            dtype: dataset.dtype,
            shape: dataset.shape,
            bytes: dataset.bytes,
            unclaimed: "unclassified",
          },
          table,
          report,
        );
  if (address !== undefined) byAddress.set(address, index);
  return index;
}

/** Its index, or undefined (reported) for one that no file can hold, so that sums over the table are exact. */
export function addTensor(tensor: StoredTensor, table: TensorTable, report: Report): number | undefined {
  const elements = countOf(tensor.shape) ?? Number.POSITIVE_INFINITY;
  const bytes = Math.max(tensor.bytes / maxElementBytes, elements);
  if (!(table.size + bytes <= maxModelElements)) {
    const reason = `it is left out, with it the file would have more than ${maxModelElements} elements`;
    report({ code: "shape-suspicious", args: { shape: formatShape(tensor.shape), reason }, at: tensor.path });
    return undefined;
  }
  table.size += bytes;
  table.tensors.push(tensor);
  return table.tensors.length - 1;
}

/** Of complex128. */
const maxElementBytes = 16;

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
