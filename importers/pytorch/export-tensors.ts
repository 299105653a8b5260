/** The tensors of an exported program: what its signature and the archive's tables say, and which are one and the same. */

import { counted } from "../../src/counted.ts";
import type { Diagnostic } from "../../src/diagnostics.ts";
import { LimitExceededError, MalformedFileError } from "../../src/errors.ts";
import { bitsOf, type DType } from "../../src/ir/dtype.ts";
import { countOf, type Shape, type StaticShape } from "../../src/ir/shape.ts";
import type { StoredTensor, TensorClass, Weight } from "../../src/ir/tensor.ts";
import { maxTorchTensors } from "../../src/limits/pytorch.ts";
import { maxModelElements } from "../../src/limits.ts";
import type { JsonValue } from "../../src/wire/json.ts";
import type { Meta } from "./export-schema.ts";
import { layOut } from "./layout.ts";
import type { TorchStorage, TorchTensor } from "./tensor.ts";
import { splitQuantized } from "./tensor-parts.ts";
import { spanOf } from "./window.ts";

/** A parameter, buffer or constant under its name in the module. */
export interface Held {
  readonly name: string;
  readonly class: TensorClass;
  readonly dtype: DType;
  readonly shape: StaticShape;
  /** Whether training changes it; null where the file does not say. */
  readonly trainable: boolean | null;
  /** Its window on the storage in `record`; null where the archive has no table. */
  readonly window: TorchTensor | null;
  /** Whether its elements are in the file. */
  readonly stored: boolean;
  /** Scales and the like that are part of it. */
  readonly beside?: TorchTensor["parts"];
}

/** What the archive says of where a tensor is. */
export interface Record {
  readonly key: string;
  /** Bytes; 0 for an archive without payloads. */
  readonly bytes: number;
}

/** What the archive has of one tensor: a line of a table, or a tensor of a pickle. */
export interface Listed {
  readonly parameter: boolean;
  /** Where a table says it is, and of which type. */
  readonly record: Record | null;
  readonly meta: JsonValue;
  /** As the pickle has it. */
  readonly tensor: TorchTensor | null;
}

/** Bytes of what a tensor is a window on. */
export function storedBytes({ record, tensor }: Listed): number {
  return record?.bytes ?? tensor?.storage?.bytes ?? 0;
}

/** By the names PyTorch's normalizations give them. */
export function bufferClass(name: string): TensorClass {
  if (/(^|\.)running_(mean|var)$/.test(name)) return "statistic";
  return /(^|\.)num_batches_tracked$/.test(name) ? "bookkeeping" : "constant";
}

/** @throws MalformedFileError for a tensor without type or size. */
export function hold(name: string, kind: TensorClass, stated: Meta | null, listed: Listed | null): Held {
  const { record = null, tensor = null } = listed ?? {};
  const split = tensor?.form === "subclass" ? splitQuantized(tensor) : null;
  // What is packed keeps the type that its class shows.
  const plain = split?.values === 1 ? split : null;
  const dtype = plain?.data.dtype ?? tensor?.dtype ?? stated?.dtype ?? null;
  const sizes = tensor ? shownSize(tensor) : (stated?.shape ?? null);
  const elements = isStatic(sizes) ? countOf(sizes) : null;
  if (dtype === null || elements === null || elements > maxModelElements)
    throw new MalformedFileError(`tensor ${JSON.stringify(name.slice(0, 200))} has no type or size`);
  // Not copied: many tensors have one shape.
  const shape = sizes as StaticShape;
  const stored = elements === 0 ? listed !== null : isStored(listed);
  const placed = tensor ?? (record && stated && windowOf(stated, shape, dtype, record));
  // Pickled parameters say it in every release, those that the graph does not read too.
  const pickled = tensor?.parameter ? tensor.requiresGrad : null;
  const trainable = kind === "parameter" ? (pickled ?? stated?.requiresGrad ?? null) : false;
  const window = placed?.form === "dense" ? placed : null;
  const beside = plain ? { beside: plain.beside } : {};
  return { name, class: kind, dtype, shape, trainable, window, stored, ...beside };
}

function isStatic(shape: Shape): shape is StaticShape {
  return shape?.every((size) => typeof size === "number") ?? false;
}

function isStored(listed: Listed | null): boolean {
  if (!listed) return false;
  // What is put together of parts has its elements in them.
  return storedBytes(listed) > 0 || (listed.tensor?.parts.length ?? 0) > 0;
}

function shownSize({ packed, size }: TorchTensor): StaticShape {
  return packed?.size ?? size;
}

/** Null for what is not plain elements at known steps. */
function windowOf(meta: Meta, size: StaticShape, dtype: DType, record: Record): TorchTensor | null {
  const stride = meta.strides.map((step) => (typeof step === "number" && step >= 0 ? step : -1));
  const { offset } = meta;
  const known = stride.length === size.length && !stride.includes(-1);
  if (!meta.strided || !known || typeof offset !== "number" || offset < 0) return null;
  if (!((offset + spanOf({ size, stride })) * 16 <= maxModelElements * 16)) return null;
  const itemBytes = itemBytesOf(dtype);
  const type = { dtype: "uint8", bytes: 1 } as const;
  const storage: TorchStorage = { key: record.key, bytes: record.bytes, type };
  return {
    dtype,
    itemBytes,
    size,
    stride,
    storage,
    offset,
    requiresGrad: false,
    parameter: false,
    form: "dense",
    parts: [],
  };
}

function itemBytesOf(dtype: DType): number {
  return Math.max(1, (bitsOf(dtype) ?? 8) / 8);
}

/** Tensors as weights, and what of them is stored. Names of one piece are one weight. */
export class TensorTable {
  readonly tensors: StoredTensor[] = [];
  private readonly weights = new Map<Held, Weight>();
  private readonly paths = new Set<string>();
  private readonly report: (diagnostic: Diagnostic) => void;
  private shared = 0;
  private elements = 0;

  constructor(report: (diagnostic: Diagnostic) => void) {
    this.report = report;
  }

  /**
   * Puts the tensors of one program down. `ties`: tensors that are another one, where no table says which.
   * @throws LimitExceededError for more than a file can hold.
   */
  add(all: readonly Held[], ties: ReadonlyMap<Held, Held>, prefix: string): void {
    const windows = all.flatMap(({ window }) => (window ? [window] : []));
    const storages = new Map(windows.map(({ storage }) => [storage?.key ?? "", storage as TorchStorage]));
    const { pieces, unseen } = layOut(windows, storages);
    for (const { name, window } of all) if (window) this.checkPayload(name, window);
    const first = new Map<unknown, Held>();
    // What is another one comes after it.
    for (const held of [...all.filter((one) => !ties.has(one)), ...ties.keys()]) {
      const tie = ties.get(held);
      const piece = held.window ? pieces.get(held.window) : undefined;
      const same = tie ?? (piece && first.get(piece));
      if (piece && !first.has(piece)) first.set(piece, held);
      this.weights.set(held, this.weightOf(held, same, piece?.shape ?? held.shape, prefix));
      if (same)
        this.report({ code: "weight-tied", args: { weight: held.name, same: same.name }, at: prefix });
      else this.addBeside(held, prefix);
    }
    this.addUnseen(unseen);
  }

  private addBeside({ name, beside = [] }: Held, prefix: string): void {
    for (const part of beside) {
      const { dtype, size } = part.tensor;
      const scales: Held = {
        name: `${name}.${part.name}`,
        class: "quantization",
        dtype,
        shape: size,
        trainable: false,
        window: null,
        stored: true,
      };
      this.store(scales, size, prefix);
    }
  }

  /** What is stored and seen by no tensor: an archive keeps storages whole. */
  private addUnseen(unseen: ReadonlyMap<string, number>): void {
    if (unseen.size === 0) return;
    let bytes = 0;
    for (const [key, rest] of unseen) {
      bytes += rest;
      this.tensors.push({
        path: `${key} (rest)`,
        dtype: "uint8",
        shape: [rest],
        bytes: rest,
        unclaimed: "unused",
      });
    }
    this.report({ code: "storage-unseen", args: { storages: unseen.size, bytes }, at: "" });
  }

  weight(held: Held): Weight {
    return this.weights.get(held) as Weight;
  }

  /** An empty record is that of an archive without payloads. */
  private checkPayload(name: string, { storage, offset, itemBytes, ...window }: TorchTensor): void {
    const expected = (offset + spanOf(window)) * itemBytes;
    if (storage === null || storage.bytes === 0 || storage.bytes >= expected) return;
    const args = { stored: counted(storage.bytes, "byte"), expected: counted(expected, "byte") };
    this.report({ code: "payload-mismatch", args, at: name });
  }

  private weightOf(held: Held, same: Held | undefined, stored: StaticShape, prefix: string): Weight {
    const { name, class: kind, dtype, shape, trainable } = held;
    const role = name.slice(name.lastIndexOf(".") + 1);
    const before = same && this.weights.get(same);
    if (!held.stored && before?.tensor === undefined) {
      this.count(shape);
      const known = before?.class === kind ? before.shared : undefined;
      const shared = known ?? this.shared++;
      return { name, role, class: kind, dtype, trainable, shape, shared };
    }
    const tensor = before?.tensor ?? this.store(held, stored, prefix);
    const seen = this.tensors[tensor]?.shape ?? [];
    const whole = seen.length === shape.length && seen.every((size, i) => size === shape[i]);
    return { name, role, class: kind, dtype, trainable, tensor, ...(!whole && { view: shape }) };
  }

  private store(held: Held, shape: StaticShape, prefix: string): number {
    this.count(shape);
    let path = prefix === "" ? held.name : `${prefix}/${held.name}`;
    for (let i = 1; this.paths.has(path); i++) path = `${path}#${i}`;
    this.paths.add(path);
    const bytes = (countOf(shape) ?? 0) * itemBytesOf(held.dtype);
    this.tensors.push({ path, dtype: held.dtype, shape, bytes, unclaimed: held.class });
    return this.tensors.length - 1;
  }

  private count(shape: StaticShape): void {
    this.elements += countOf(shape) ?? Number.POSITIVE_INFINITY;
    if (this.elements <= maxModelElements && this.paths.size <= maxTorchTensors) return;
    throw new LimitExceededError(`more than ${maxModelElements} elements in all tensors together`, {
      limit: "maxModelElements",
      actual: this.elements,
      maximum: maxModelElements,
    });
  }
}
