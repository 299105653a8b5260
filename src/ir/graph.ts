import type { Shape } from "./shape.ts";
import type { TensorType, Weight } from "./tensor.ts";

/** Plain JSON data, as configurations hold it. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** Container that a layer returns its outputs in: a leaf is an index into the flat outputs. */
export type Structure =
  | number
  | { readonly list: readonly Structure[] }
  | { readonly tuple: readonly Structure[] }
  | { readonly dict: readonly (readonly [string, Structure])[] };

/** Output `output` of call `call` of layer number `layer` of the same graph. */
export interface ValueRef {
  readonly layer: number;
  readonly call: number;
  readonly output: number;
}

/**
 * What a call gets: a value of the graph, a constant of known type (with its value where it is small), a stored tensor
 * (index in `Model.tensors`), or, inside a subgraph, a value of the graph `levels` further out.
 */
export type Argument =
  | { readonly kind: "value"; readonly value: ValueRef; readonly name?: string }
  | { readonly kind: "tensor"; readonly tensor: number; readonly name?: string }
  | { readonly kind: "outer"; readonly levels: number; readonly value: ValueRef; readonly name?: string }
  | { readonly kind: "constant"; readonly type: TensorType; readonly value?: Json; readonly name?: string };

/** One use of a layer. A shared layer has several. */
export interface Call {
  readonly inputs: readonly Argument[];
  /** Attributes of this call alone; they come before the layer's. */
  readonly attributes?: JsonObject;
  /** Output shapes the file itself states (from the consumers or the layer), by output index; checked and fallen back on. */
  readonly declaredOutputs?: readonly Shape[];
  /** How many outputs the file names, where it says so: an operator may have more, which are then not made. */
  readonly outputs?: number;
  /** Types the file states for the outputs, by index, null where it states none; compared with what the rule gives. */
  readonly declaredTypes?: readonly (TensorType | null)[];
  /** The framework worked these types out itself when it traced the call: where a rule gives others, the rule is wrong. */
  readonly traced?: boolean;
}

/** A module of the network that an operation was traced in: its path (`layer1.0.conv1`) and class, if known. */
export interface ModuleRef {
  readonly path: string;
  readonly type: string | null;
  /** Which call of the module it is, where the file counts them: from 1, absent for the first. */
  readonly call?: number;
}

/** A graph that an operation runs (a branch, a loop body), under the name of its attribute. */
export interface Subgraph {
  readonly name: string;
  readonly graph: Graph;
}

/** One row of a model: what the file calls a layer (or an operation, or a nested model). */
export interface Layer {
  readonly name: string;
  /** Set when the file has no name for it and the framework makes one up: its place among such models, from 0. */
  readonly unnamed?: number;
  /**
   * The file's own class and module; a class that was renamed since has its newest name. `recognized`: the file has no
   * classes, this one is read from names and shapes of weights.
   */
  readonly source: {
    readonly dialect: string;
    readonly type: string;
    readonly module?: string;
    readonly recognized?: boolean;
  };
  /** `operation`: a bare function call that can own no weights; `model`: holds a graph. */
  readonly kind: "layer" | "operation" | "model";
  /** Canonical operator; "Opaque" when there is no rule for it, "Model" for a nested model. */
  readonly operator: string;
  readonly attributes: JsonObject;
  /** Module path of the enclosing models, "" at the top. */
  readonly scope: string;
  /** Own flag. `null`: not recorded. */
  readonly trainable: boolean | null;
  readonly weights: readonly Weight[];
  /** Wrapped layers (of Bidirectional, TimeDistributed, RNN ...), whose shapes the wrapper's rule asks for. */
  readonly inner?: readonly Layer[];
  readonly graph?: Graph;
  readonly subgraphs?: readonly Subgraph[];
  /** Modules around it in the network that was exported, outermost first. */
  readonly modules?: readonly ModuleRef[];
  /** True for an operation that only moves or describes values (a constant, a cast, shape arithmetic): no row of its own by default. */
  readonly plumbing?: boolean;
  readonly calls: readonly Call[];
  /** Shapes the layer was built with, by argument, where the file records them. */
  readonly builtWith?: readonly Shape[];
  /** The framework holds it as built from the start, called or not. */
  readonly needsNoBuild?: boolean;
}

/** What is known of layers. */
export type LayerTable<Known> = Pick<ReadonlyMap<Layer, Known>, "get">;

/** Name of something with the models around it: `encoder/block/conv1`. `scope` is "" at the top. */
export function scopedName(scope: string, name: string): string {
  return scope === "" ? name : `${scope}/${name}`;
}

/**
 * - functional: layers joined by recorded calls;
 * - sequential: a chain;
 * - layers: a list whose connections the file does not record (a subclassed model).
 */
export type Topology = "functional" | "sequential" | "layers";

export interface Graph {
  readonly topology: Topology;
  /** In the order in which the framework lists them. */
  readonly layers: readonly Layer[];
  readonly inputs: readonly ValueRef[];
  /** Flat outputs; `outputStructure` has their container. */
  readonly outputs: readonly ValueRef[];
  readonly outputStructure?: Structure;
  /**
   * Of the program of a network: paths of all modules that the file lists, in its order, "" for the whole; those too that
   * did nothing, and those that were never called.
   */
  readonly modules?: readonly string[];
}
