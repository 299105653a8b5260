import type { Convention } from "./convention.ts";
import type { DType } from "./dtype.ts";
import type { Graph, Layer } from "./graph.ts";
import type { StoredTensor, Weight } from "./tensor.ts";

/** Tensors an optimizer keeps for each trainable weight. */
export interface OptimizerSlot {
  readonly name: string;
  /** `rows`: without the last dimension; `columns`: without the last but one. */
  readonly shape: "same" | "rows" | "columns" | "scalar";
  /** Kept only for weights of at least, or at most, this rank. */
  readonly minRank?: number;
  readonly maxRank?: number;
  /** Not kept for weights of this rank, unless their name has `unlessNamed` in it. */
  readonly exceptRank?: number;
  readonly unlessNamed?: string;
}

/** The optimizer that the framework would hold after loading the file. */
export interface Optimizer {
  /** `~` in front: the file has no name for it, this one is read from its settings. */
  readonly name: string;
  /** Whether it would have its variables then. */
  readonly built: boolean;
  /** Its variables are the stored tensors of class `optimizer`, whatever the weights are; `scalars` and `slots` are empty. */
  readonly stored?: boolean;
  readonly scalars: readonly { readonly name: string; readonly dtype: DType }[];
  /** Kept for every trainable weight. */
  readonly slots: readonly OptimizerSlot[];
}

export interface FileFacts {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Id of the importer (`keras`). */
  readonly format: string;
  /** Which kind of that format (`keras-v3-archive`, `hdf5-full-model` ...). */
  readonly variant: string;
}

/** A name that a pickle in the file asks Python to import, beyond those that tensors and plain containers are made with. */
export interface PickledGlobal {
  /** Module and name as written (`os.system`). */
  readonly name: string;
  /** How often it is asked for. */
  readonly count: number;
  /** Entry of the archive that the pickle is in; "" for the file itself. */
  readonly at: string;
  /** Byte of the entry, where it is first asked for. */
  readonly byte: number;
  /** It runs programs, opens connections, touches files or loads code: no model needs it. */
  readonly suspicious: boolean;
}

/** A model as an importer hands it on: plain data, never changed afterwards. */
export interface Model {
  readonly file: FileFacts;
  readonly producer: { readonly framework: string | null; readonly version: string | null };
  readonly name: string;
  /** Set when the file has no name for it and the framework makes one up: its place among such models, from 0. */
  readonly unnamed?: number;
  /** Class as written (`Functional`, `Sequential`, `MyModel`). */
  readonly type: string;
  /** `weights-only`: `graph.layers` are the groups of the file, without architecture. */
  readonly kind: "graph" | "weights-only";
  readonly trainable: boolean | null;
  /**
   * Whose flag freezes a weight once the file is loaded: that of every layer around it (`enclosing`), or only that of the
   * layer that owns it and of the model (`owner`: Keras 3 does not hand a flag down when it rebuilds a model).
   */
  readonly freezing: "enclosing" | "owner";
  /** How the framework that the model is for counts parameters; `keras` when absent. */
  readonly convention?: Convention;
  readonly graph: Graph;
  /** Weights the model owns itself, outside its layers. */
  readonly weights: readonly Weight[];
  /** Every tensor stored in the file, also those that no weight claims. */
  readonly tensors: readonly StoredTensor[];
  readonly optimizer: Optimizer | null;
  /** Names that unpickling the file with Python would import, suspicious ones first. Absent: none but PyTorch's own. */
  readonly globals?: readonly PickledGlobal[];
}

/** Calls `visit` for a model's layers, nested and wrapped ones too, outer before inner. */
export function walkLayers(layers: readonly Layer[], visit: (layer: Layer) => void): void {
  // By number: an iterator takes several times as long, and some passes walk over a graph of thousands.
  for (let i = 0; i < layers.length; i++) {
    const layer = layers[i] as Layer;
    visit(layer);
    if (layer.inner) walkLayers(layer.inner, visit);
    if (layer.graph) walkLayers(layer.graph.layers, visit);
    if (layer.subgraphs) for (const { graph } of layer.subgraphs) walkLayers(graph.layers, visit);
  }
}
