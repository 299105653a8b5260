/** What a state dict is, whatever file held it: a flat list of named tensors. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import type { DType } from "../../src/ir/dtype.ts";
import type { JsonObject } from "../../src/ir/graph.ts";
import type { FileFacts, Model, PickledGlobal } from "../../src/ir/model.ts";
import type { StaticShape } from "../../src/ir/shape.ts";
import type { Packing, TensorClass } from "../../src/ir/tensor.ts";

/** One entry of a state dict. */
export interface NamedTensor {
  /** Key as written: module path and the tensor's own name (`layer1.0.conv1.weight`). */
  readonly name: string;
  /** Path in the file, unique; the name when absent. Shards put their file name before it. */
  readonly path?: string;
  readonly dtype: DType;
  readonly shape: StaticShape;
  /** Shape of what is stored, where the name sees it as another or sees only some of it: a view. */
  readonly stored?: StaticShape;
  /** Bytes of its elements as stored. */
  readonly bytes: number;
  /** Tensors with one identity are the same elements of the same storage: stored once, counted once. Absent: its own. */
  readonly identity?: string;
  /** Set where the file itself says which it is; a plain state dict does not. */
  readonly kind?: "parameter" | "buffer";
  /** Set where the file says whether training would change it. */
  readonly trainable?: boolean;
  /** Set where the file itself says that each stored element holds several: how, and the shape without packing. */
  readonly packed?: { readonly packing: Packing; readonly shape: StaticShape };
  /** Its bytes, where they are few and say how others are packed. */
  readonly value?: Uint8Array;
  /** Set where the importer knows better than any rule on names (optimizer state, copies that are not in use). */
  readonly class?: TensorClass;
  /** False: in the ledger under `class` and in no row (optimizer state). */
  readonly row?: boolean;
}

/** A module whose class the file records. */
export interface KnownModule {
  /** `Conv2d`. */
  readonly type: string;
  /** `torch.nn.modules.conv`. */
  readonly module?: string;
}

/** What one file of a model holds: the only one, or a shard. */
export interface FileTensors {
  /** Id of the importer that knows its format. */
  readonly format: string;
  readonly framework: string | null;
  readonly tensors: readonly NamedTensor[];
  /** Classes by module path, where the file has them. */
  readonly modules?: ReadonlyMap<string, KnownModule>;
  readonly globals?: readonly PickledGlobal[];
  /** Names of the optimizers whose state is among the tensors. */
  readonly optimizers?: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

export interface StateDict {
  readonly file: FileFacts;
  readonly producer: Model["producer"];
  readonly name: string;
  /** Class of the model, or what the thing is (`state dict`). */
  readonly type: string;
  /** Dialect of its names: `pytorch`. */
  readonly dialect: string;
  readonly tensors: readonly NamedTensor[];
  /** Classes by module path, where the file has them. */
  readonly modules?: ReadonlyMap<string, KnownModule>;
  /** Names of the optimizers whose state is among the tensors. */
  readonly optimizers?: readonly string[];
  /** `natural`: the file sorts by name, so that layer 10 comes before layer 2, and rows are put back in order. */
  readonly order: "given" | "natural";
  /** `quantization_config` of the model's configuration, which says how packed weights are packed. */
  readonly quantization?: JsonObject;
}
