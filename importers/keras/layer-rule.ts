/**
 * The contract between the Keras importer and its rooms: what a layer class (layers/<family>.ts) or an operation
 * (operations/<family>.ts) says about itself. A rule turns a configuration into a canonical operator, its attributes
 * and the list of weights in the order Keras creates them. Shapes are not its business: the operator has them by role.
 */

import type { DType } from "../../src/ir/dtype.ts";
import type { Argument, Json, JsonObject } from "../../src/ir/graph.ts";
import type { Packing, TensorClass } from "../../src/ir/tensor.ts";

/** A call's argument: a tensor, a plain value, or a container of such. */
export type CallValue =
  | { readonly kind: "tensor"; readonly argument: Argument }
  | { readonly kind: "plain"; readonly value: Json }
  | { readonly kind: "list"; readonly items: readonly CallValue[] }
  | { readonly kind: "dict"; readonly entries: Readonly<Record<string, CallValue>> };

export interface CallArguments {
  readonly args: readonly CallValue[];
  readonly kwargs: Readonly<Record<string, CallValue>>;
}

/** Inputs and per-call attributes of one call of a layer. */
export interface MappedCall {
  readonly inputs: readonly Argument[];
  readonly attributes?: JsonObject;
}

/** A layer's configuration as a rule sees it: class and argument names of Keras 1 already in their newest form. */
export interface LayerSource {
  readonly type: string;
  readonly config: JsonObject;
  /** Keras generation that wrote the file. */
  readonly generation: 1 | 2 | 3;
  /** Written by standalone Keras (not tf.keras), where defaults differ (GRU `reset_after`). */
  readonly standalone: boolean;
  /** dtype of its variables, from the dtype policy; null when the file does not say. */
  readonly variableDtype: DType | null;
  /** Quantisation of its dtype policy, e.g. mode "int8", "int4", "float8", "gptq", "awq"; block size 0 or less: per channel. */
  readonly quantization: {
    readonly mode: string;
    readonly bits: number;
    readonly blockSize: number;
    /** Steps of maxima that float8 keeps. */
    readonly historyLength?: number;
  } | null;
  /** Shapes it was built with, by argument (`input_shape`, `query_shape`), where recorded. */
  readonly buildConfig: JsonObject | null;
}

export interface WeightDeclaration {
  /** Keras's own name (`kernel`). */
  readonly name: string;
  /** Role in the operator's weight rule. */
  readonly role: string;
  /** Default `parameter`. */
  readonly class?: TensorClass;
  /** Flag once loaded, before those of the layers around; default: true for parameters, false for others. `null`: not told. */
  readonly trainable?: boolean | null;
  /** Default: the layer's variable dtype. */
  readonly dtype?: DType;
  readonly packing?: Packing;
  /** False for weights that exist after loading but are not in any file (LoRA factors). Default true. */
  readonly stored?: boolean;
  /** False: stored with the layer, but no weight of it to Keras (a second copy, a table). Default true. */
  readonly counted?: boolean;
  /** Key in the `vars` group of a .keras file when it is not the running number (`idf_weights`). */
  readonly key?: string;
}

/** A layer inside a wrapper. */
export interface InnerDeclaration {
  /** Path segment below the wrapper in a .keras file (`layer`, `forward_layer`, `cell`, `cell/cells`). */
  readonly key: string;
  /** `{class_name, config}` as in the file. */
  readonly layer: JsonObject;
  /** The layer makes it of a configuration, so it is no object of its own, whatever the file marks it as. */
  readonly remade?: true;
}

export interface MappedLayer {
  readonly operator: string;
  readonly attributes: JsonObject;
  /** Weights in the order in which Keras creates them, those of `inner` left out. */
  readonly weights: readonly WeightDeclaration[];
  readonly inner?: readonly InnerDeclaration[];
  /** Weights of `inner` come before its own in Keras's lists (default: own first). */
  readonly innerFirst?: boolean;
  /** How a call's arguments become inputs. Default: all tensors in order, args before kwargs, kwargs named. */
  call?(call: CallArguments): MappedCall;
}

export type LayerRule = (source: LayerSource) => MappedLayer;

/** A function call as a node of its own: `keras.ops.add(x, 1)`, TensorFlow's `tf.nn.relu(x)`. */
export interface OperationSource {
  /** Class (`Add`) for Keras 3; dotted function name (`math.multiply`) for TFOpLambda. */
  readonly type: string;
  /** Module path as written (`keras.src.ops.numpy`), "" for TFOpLambda. */
  readonly module: string;
  readonly config: JsonObject;
  readonly call: CallArguments;
}

export interface MappedOperation extends MappedCall {
  readonly operator: string;
  readonly attributes: JsonObject;
}

export type OperationRule = (source: OperationSource) => MappedOperation;
