/**
 * A model while it is being read: like the IR, but with weight slots that the weights of the file are still to fill.
 * finish.ts turns it into the IR.
 */

import type { DType } from "../../src/ir/dtype.ts";
import type { Call, JsonObject, Structure, Topology, ValueRef } from "../../src/ir/graph.ts";
import type { Shape } from "../../src/ir/shape.ts";
import type { WeightDeclaration } from "./layer-rule.ts";

/** A weight a layer should have, and the stored tensor that turned out to be it. */
export interface WeightSlot {
  readonly declaration: WeightDeclaration;
  /** Index of the stored tensor. */
  tensor?: number;
  /** Name of the weight as the file has it. */
  storedName?: string;
}

export interface ArchInner {
  readonly key: string;
  readonly layer: ArchLayer;
  /** The layer around it made it, so that it is no object of its own in the file. */
  readonly remade?: true;
}

export interface ArchLayer {
  readonly name: string;
  readonly unnamed?: number;
  /** Class, in its newest spelling. */
  readonly type: string;
  readonly module: string;
  readonly kind: "layer" | "operation" | "model";
  readonly operator: string;
  readonly attributes: JsonObject;
  readonly trainable: boolean | null;
  readonly variableDtype: DType | null;
  /** Own weights, in creation order. A layer without a rule gets its slots from the file. */
  readonly slots: WeightSlot[];
  readonly inner: readonly ArchInner[];
  readonly innerFirst: boolean;
  readonly graph?: ArchGraph;
  readonly builtWith?: readonly Shape[];
  readonly needsNoBuild?: boolean;
  /** Filled once all layers of the graph are known. */
  calls: Call[];
}

export interface ArchGraph {
  readonly topology: Topology;
  readonly layers: readonly ArchLayer[];
  readonly inputs: readonly ValueRef[];
  readonly outputs: readonly ValueRef[];
  readonly outputStructure?: Structure;
}

export interface ArchModel {
  readonly name: string;
  readonly unnamed?: number;
  readonly type: string;
  readonly trainable: boolean | null;
  readonly graph: ArchGraph;
  /** Weights that belong to no layer. */
  readonly slots: WeightSlot[];
}

/** The layers that own weights of `layer`: itself and what it wraps or holds, in Keras's order. */
export function owners(layer: ArchLayer): ArchLayer[] {
  const below = [...layer.inner.map((inner) => inner.layer), ...(layer.graph?.layers ?? [])].flatMap(owners);
  return layer.innerFirst ? [...below, layer] : [layer, ...below];
}
