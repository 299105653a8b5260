import type { Layer, LayerTable } from "../ir/graph.ts";
import type { Row } from "./fold-rows.ts";
import type { LayerFacts } from "./infer-shapes.ts";
import type { ResolvedWeight } from "./resolve-weights.ts";
import { argumentsOf, type Place } from "./row-arguments.ts";

/** One for all: most rows own none. */
const noWeights: Layer["weights"] = [];

/** Rows as layers, and what is known of those. */
export class RowLayers {
  readonly facts: LayerTable<LayerFacts>;
  readonly weights: LayerTable<readonly ResolvedWeight[]>;
  private readonly factsOf = new Map<Layer, LayerFacts>();
  private readonly weightsOf = new Map<Layer, readonly ResolvedWeight[]>();

  constructor() {
    this.facts = this.factsOf;
    this.weights = this.weightsOf;
  }

  row(row: Row, name: string, weights: readonly ResolvedWeight[], place: Place): Layer {
    const { layer, facts, inputs } = row;
    const calls = layer.calls.map((call, i) => ({ ...call, inputs: argumentsOf(inputs[i] ?? [], place) }));
    const shown: Layer = { ...layer, name, weights: plainWeights(weights), calls };
    return this.known(shown, facts, weights);
  }

  /** The layer, of which this is known. */
  known(layer: Layer, facts: LayerFacts | undefined, weights: readonly ResolvedWeight[]): Layer {
    if (facts) this.factsOf.set(layer, facts);
    if (weights.length > 0) this.weightsOf.set(layer, weights);
    return layer;
  }

  /** The layer, under a name that is not among `names`, where it is put. */
  uniquelyNamed(layer: Layer, names: Set<string>): Layer {
    let { name } = layer;
    const { size } = names;
    if (names.add(name).size > size) return layer;
    for (let i = 1; names.has(name); i++) name = `${layer.name}_${i}`;
    names.add(name);
    return this.known({ ...layer, name }, this.facts.get(layer), this.weights.get(layer) ?? []);
  }
}

export function plainWeights(weights: readonly ResolvedWeight[]): Layer["weights"] {
  return weights.length === 0 ? noWeights : weights.map(({ weight }) => weight);
}
