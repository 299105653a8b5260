/** Records of calls that would build tensors, read as the tensors they stand for. Every other call stays a record. */

import { counted } from "../../src/counted.ts";
import { productOfDims } from "../../src/ir/dim.ts";
import { maxModelElements } from "../../src/limits.ts";
import {
  globalName,
  isRecord,
  itemsOf,
  type PickleGlobal,
  type PickleObject,
  type PicklePersistent,
  type PickleRecord,
  type PickleValue,
} from "../../src/wire/pickle-value.ts";
import { readDistributedTensor } from "./distributed-tensor.ts";
import { dtypeOf, storageTypeOf, type TorchType, valuesPerByte } from "./dtypes.ts";
import { newestName } from "./globals.ts";
import { readNumpyArray } from "./numpy.ts";
import { TensorFault, type TorchStorage, type TorchTensor } from "./tensor.ts";
import { stateDictOf, withState } from "./tensor-state.ts";
import { checkWindow, count, dimensions, fail, rowMajor, wholeStorage } from "./window.ts";

/** A window on a storage that another one is the root of, as PyTorch 0.x wrote them. */
interface StorageView {
  readonly storage: TorchStorage;
  /** Elements from the start of the root. */
  readonly offset: number;
}

/** Reads tensors and storages out of pickled values, each once. */
export class TensorReader {
  /** Every storage that was named, by key. */
  readonly storages: Map<string, TorchStorage> = new Map();
  readonly #tensors = new Map<PickleRecord, TorchTensor | null>();
  readonly #open = new Set<PickleRecord>();
  readonly #rebuilders = new Map<PickleGlobal, Rebuild | undefined>();
  readonly #folder: string;
  readonly #calls: ReadonlyMap<PickleObject, PicklePersistent>;

  /**
   * `folder` is put before the keys: archives may number the storages of two folders alike. `calls` has the storages that
   * stand for calls.
   */
  constructor(folder = "", calls: ReadonlyMap<PickleObject, PicklePersistent> = new Map()) {
    this.#folder = folder;
    this.#calls = calls;
  }

  /** The tensor that a value stands for; `null` when it stands for none. @throws TensorFault */
  tensor(value: PickleValue | undefined): TorchTensor | null {
    if (!isRecord(value)) return null;
    const known = this.#tensors.get(value);
    if (known !== undefined) return known;
    // A tensor made of itself.
    if (this.#open.has(value) || this.#open.size > 64) throw new TensorFault("it is made of itself");
    this.#open.add(value);
    try {
      const tensor = this.#read(value);
      this.#tensors.set(value, tensor);
      return tensor;
    } finally {
      this.#open.delete(value);
    }
  }

  #read(value: PickleRecord): TorchTensor | null {
    if (value.kind === "persistent") {
      const view = this.#storage(value);
      return view && wholeStorage(view.storage);
    }
    if (value.kind !== "object") return null;
    if (!isRecord(value.callable) || value.callable.kind !== "global") return null;
    const rebuild = this.#rebuilder(value.callable);
    if (rebuild) return rebuild(this, itemsOf(value.args) ?? [], value);
    return readNumpyArray(value);
  }

  /** Looked up once for each name: the machine has one record of it. */
  #rebuilder(callable: PickleGlobal): Rebuild | undefined {
    if (!this.#rebuilders.has(callable)) {
      const name = newestName(globalName(callable) ?? "");
      this.#rebuilders.set(callable, Object.hasOwn(rebuilders, name) ? rebuilders[name] : undefined);
    }
    return this.#rebuilders.get(callable);
  }

  /** The tensor that an argument must be. */
  required(value: PickleValue | undefined, what: string): TorchTensor {
    const tensor = this.tensor(value);
    if (tensor === null) throw new TensorFault(`its ${what} is no tensor`);
    return tensor;
  }

  /** A window on a storage, from the arguments that all rebuilding functions share. */
  view(args: readonly PickleValue[], type?: TorchType): TorchTensor {
    const [storage, offset, size, stride, requiresGrad] = args;
    const { storage: root, offset: start } = this.#storage(storage) ?? fail("its storage is none");
    const { dtype, bytes } = type ?? root.type;
    const tensor: TorchTensor = {
      dtype,
      itemBytes: bytes,
      size: dimensions(size, "size"),
      stride: dimensions(stride, "stride"),
      storage: root,
      offset: start + count(offset, "offset"),
      requiresGrad: requiresGrad === true,
      parameter: false,
      form: "dense",
      parts: [],
    };
    checkWindow(tensor, root);
    return tensor;
  }

  /** Class of the storage that an argument is; `null` when it is none. */
  storageClass(value: PickleValue | undefined): string | null {
    const id = isRecord(value) && value.kind === "persistent" ? itemsOf(value.id) : null;
    return globalName(id?.[1]);
  }

  /** `('storage', class, key, location, elements[, view])`. */
  #storage(value: PickleValue | undefined): StorageView | null {
    if (!isRecord(value)) return null;
    if (value.kind === "object") return this.#storage(this.#calls.get(value));
    if (value.kind !== "persistent") return null;
    const id = itemsOf(value.id);
    if (id === null || id[0] !== "storage") return null;
    const [, kind, key, , elements, view] = id;
    const name = globalName(kind);
    const type = name === null ? null : storageTypeOf(name);
    if (type === null) throw new TensorFault(`its storage is of the unknown class ${name ?? "?"}`);
    if (typeof key !== "string" && typeof key !== "number") throw new TensorFault("its storage has no key");
    const bytes = count(elements, "number of elements") * type.bytes;
    const storage = this.#register({ key: this.#folder + String(key), bytes, type });
    const offset = count(itemsOf(view)?.[1] ?? 0, "offset");
    return { storage, offset };
  }

  #register(storage: TorchStorage): TorchStorage {
    const known = this.storages.get(storage.key);
    if (known === undefined) {
      this.storages.set(storage.key, storage);
      return storage;
    }
    if (known.bytes !== storage.bytes)
      throw new TensorFault(
        `its storage ${storage.key} has ${counted(known.bytes, "byte")} in one place and ${storage.bytes} in another`,
      );
    // The same bytes under another class.
    return known.type.dtype === storage.type.dtype ? known : { ...known, type: storage.type };
  }
}

function typeNamed(value: PickleValue | undefined): TorchType {
  const name = globalName(value);
  return (name === null ? null : dtypeOf(newestName(name))) ?? fail(`its type ${name ?? "?"} is not known`);
}

type Rebuild = (reader: TensorReader, args: readonly PickleValue[], call: PickleObject) => TorchTensor;

const parameter: Rebuild = (reader, [data, requiresGrad]) => ({
  ...reader.required(data, "data"),
  requiresGrad: requiresGrad !== false,
  parameter: true,
});

/** A shape and a type without elements of its own. */
function bare(
  form: TorchTensor["form"],
  type: TorchType,
  size: PickleValue | undefined,
  requiresGrad = false,
): TorchTensor {
  const dims = dimensions(size, "size");
  const elements = productOfDims(dims);
  if (elements === null || elements > maxModelElements)
    fail(`its shape (${dims.join(", ")}) is beyond anything that exists`);
  return {
    dtype: type.dtype,
    itemBytes: type.bytes,
    size: dims,
    stride: [],
    storage: null,
    offset: 0,
    requiresGrad,
    parameter: false,
    form,
    parts: [],
  };
}

/** Of a module that is not complete before it has seen an input. */
const unshaped: TorchTensor = {
  dtype: "float32",
  itemBytes: 4,
  size: [0],
  stride: [1],
  storage: null,
  offset: 0,
  requiresGrad: false,
  parameter: false,
  form: "unshaped",
  parts: [],
};

/** The tensors among some values, by the names these have. */
function partsNamed(
  reader: TensorReader,
  values: Readonly<Record<string, PickleValue | undefined>>,
): TorchTensor["parts"] {
  return Object.entries(values).flatMap(([name, value]) => {
    const tensor = reader.tensor(value);
    return tensor === null ? [] : [{ name, tensor }];
  });
}

const sparse: Rebuild = (reader, [, data]) => {
  const items = itemsOf(data) ?? fail("its parts are missing");
  const compressed = reader.tensor(items[2]) !== null;
  const names = compressed ? ["compressed_indices", "plain_indices", "values"] : ["indices", "values"];
  const parts = names.map((name, i) => ({ name, tensor: reader.required(items[i], name) }));
  const values = parts.at(-1)?.tensor ?? fail("it has no values");
  return { ...bare("sparse", { dtype: values.dtype, bytes: values.itemBytes }, items[names.length]), parts };
};

const quantized: Rebuild = (reader, args) => {
  const [storage, offset, size, stride, scheme, requiresGrad] = args;
  const params = itemsOf(scheme) ?? [];
  const parts = [
    { name: "scales", tensor: reader.tensor(params[1]) },
    { name: "zero_points", tensor: reader.tensor(params[2]) },
  ].filter((part): part is { name: string; tensor: TorchTensor } => part.tensor !== null);
  const values = valuesPerByte(reader.storageClass(storage));
  const rest = [requiresGrad ?? null];
  if (values === 1) {
    const tensor = reader.view([storage ?? null, offset ?? null, size ?? null, stride ?? null, ...rest]);
    return { ...tensor, form: "quantized", parts };
  }
  // Each row of the last axis starts with a byte of its own.
  const shown = dimensions(size, "size");
  const held = shown.map((dim, i) => (i === shown.length - 1 ? Math.ceil(dim / values) : dim));
  const tuple = (items: readonly number[]): PickleValue => ({ kind: "tuple", items: [...items] });
  const tensor = reader.view([storage ?? null, offset ?? null, tuple(held), tuple(rowMajor(held)), ...rest]);
  return { ...tensor, form: "quantized", parts, packed: { values, size: shown } };
};

const rebuilders: Readonly<Record<string, Rebuild>> = {
  "torch._utils._rebuild_tensor": (reader, args) => reader.view(args),
  "torch._utils._rebuild_tensor_v2": (reader, args) => reader.view(args),
  "torch._utils._rebuild_tensor_v3": (reader, args) => reader.view(args, typeNamed(args[6])),
  "torch._utils._rebuild_parameter": parameter,
  "torch._utils._rebuild_parameter_with_state": (reader, args, call) =>
    withState(parameter(reader, args, call), args[3], (value) => reader.tensor(value)),
  "torch.nn.parameter.Parameter": parameter,
  "torch.nn.parameter.Buffer": (reader, [data]) => reader.required(data, "data"),
  "torch.autograd.variable.Variable": (reader, [data]) => reader.required(data, "data"),
  "torch._utils._rebuild_qtensor": quantized,
  "torch._utils._rebuild_sparse_tensor": sparse,
  "torch._utils._rebuild_nested_tensor": (reader, [buffer, sizes, strides, offsets]) => ({
    ...reader.required(buffer, "buffer"),
    form: "nested",
    parts: partsNamed(reader, { sizes, strides, offsets }),
  }),
  "torch.nested._internal.nested_tensor._rebuild_njt": (reader, [given]) => {
    const held = stateDictOf(given);
    return {
      ...reader.required(held.get("values"), "values"),
      form: "nested",
      parts: partsNamed(reader, { offsets: held.get("offsets"), lengths: held.get("lengths") }),
    };
  },
  "torch.nn.parameter.UninitializedParameter": () => ({ ...unshaped, parameter: true }),
  "torch.nn.parameter.UninitializedBuffer": () => unshaped,
  "torch._utils._rebuild_meta_tensor_no_storage": (_, [type, size, , requiresGrad]) =>
    bare("meta", typeNamed(type), size, requiresGrad === true),
  "torch._utils._rebuild_wrapper_subclass": (_, [, type, size, , , , , requiresGrad]) =>
    bare("subclass", typeNamed(type), size, requiresGrad === true),
  "torch._utils._rebuild_xla_tensor": (reader, [data, , , requiresGrad]) => ({
    ...reader.required(data, "data"),
    requiresGrad: requiresGrad === true,
  }),
  "torch._utils._rebuild_device_tensor_from_numpy": (reader, [data, , , requiresGrad]) => ({
    ...reader.required(data, "data"),
    requiresGrad: requiresGrad === true,
  }),
  "torch._utils._rebuild_device_tensor_from_cpu_tensor": (reader, [data, , , requiresGrad]) => ({
    ...reader.required(data, "data"),
    requiresGrad: requiresGrad === true,
  }),
  // What a tensor of another class is made by, with what, and the state it then gets.
  "torch._tensor._rebuild_from_type_v2": (reader, [func, type, args, state], call) => {
    const read = (value: PickleValue | undefined) => reader.tensor(value);
    const part = readDistributedTensor(globalName(type) ?? "", args, state, read);
    if (part) return part;
    const made = reader.tensor({ ...call, callable: func ?? null, args: args ?? null, states: [] });
    const inner = made ?? fail("it is made by something that is not known here");
    // What it is made with is its state once more.
    if (inner.form === "nested") return inner;
    const isParameter = globalName(type) === "torch.nn.parameter.Parameter";
    const parameter = inner.parameter || isParameter;
    return withState({ ...inner, parameter }, state, read);
  },
};
