/** What inference finds out about layers, one entry a layer. */

import type { Layer } from "../ir/graph.ts";
import type { Shape } from "../ir/shape.ts";
import type { Inferred } from "../operators/operator.ts";

/** What is known of one layer after inference. */
export interface LayerFacts {
  /** By call; an entry with no types: nothing is known. */
  readonly calls: readonly Inferred[];
  /** Output for the shapes it was built with, when it has no calls. */
  readonly built: Inferred | null;
  /** Weight shapes by role. */
  readonly weights: Readonly<Record<string, Shape>>;
  /** Its rule failed at some call, so weights it has no shape for are unknown, and not absent. */
  readonly failed: boolean;
}

/** Before a rule has told; most layers of a graph of operations own none. */
export const noWeights: LayerFacts["weights"] = Object.freeze(Object.create(null));

/** Facts of one layer alone, which may still change. */
export interface OwnFacts {
  calls: readonly Inferred[];
  built: Inferred | null;
  weights: LayerFacts["weights"];
  failed: boolean;
  readonly shared: false;
}

/** Facts that alike layers have in common, each called once. */
export interface SharedFacts extends LayerFacts {
  readonly calls: readonly [Inferred];
  readonly shared: true;
}

export class FactsTable {
  readonly layers: Map<Layer, OwnFacts | SharedFacts> = new Map();

  /** Those of the layer, to be changed; empty ones at first, and a copy where others have the same. */
  of(layer: Layer): OwnFacts {
    const facts = this.layers.get(layer);
    if (facts?.shared === false) return facts;
    const { calls, built, weights, failed } = facts ?? {
      calls: [],
      built: null,
      weights: noWeights,
      failed: false,
    };
    const own: OwnFacts = { calls, built, weights, failed, shared: false };
    this.layers.set(layer, own);
    return own;
  }

  /** Sets what an alike layer was found to be. What is known of the layer already stays. */
  share(layer: Layer, facts: SharedFacts): void {
    const known = this.layers.get(layer);
    if (known === undefined && layer.calls.length === 1) this.layers.set(layer, facts);
    else if (facts.weights !== noWeights && (known?.weights ?? noWeights) === noWeights)
      this.of(layer).weights = facts.weights;
  }

  addCall(layer: Layer, result: Inferred): void {
    const facts = this.of(layer);
    facts.calls = [...facts.calls, result];
  }

  /** Results of a graph's run, by call. */
  setCalls(layer: Layer, calls: readonly Inferred[]): void {
    if (this.layers.get(layer)?.calls !== calls) this.of(layer).calls = calls;
  }
}
