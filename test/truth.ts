/** Compares a report with what a real framework measured (fixtures/build/measure.py). */

import type { Report, ReportLayer, ReportWeight } from "../src/report/report.ts";

export type MeasuredShape =
  | "?"
  | readonly (number | null)[]
  | {
      readonly list?: readonly MeasuredShape[];
      readonly tuple?: readonly MeasuredShape[];
      readonly dict?: Readonly<Record<string, MeasuredShape>>;
    };

export interface MeasuredWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly trainable: boolean;
}

export interface MeasuredLayer {
  readonly name: string;
  readonly type: string;
  readonly outputShape: MeasuredShape;
  readonly params: number;
  readonly built: boolean;
  readonly trainable: boolean;
  readonly weights: readonly MeasuredWeight[];
  readonly layers?: readonly MeasuredLayer[];
}

export interface Measured {
  readonly oracle: string;
  readonly model: { readonly name: string; readonly type: string };
  readonly totals: {
    readonly parameters: number;
    readonly trainable: number;
    readonly nonTrainable: number;
    readonly optimizer: number | null;
  };
  readonly layers: readonly MeasuredLayer[];
}

/** Flat shapes of a measured output; dicts by sorted key, as Keras flattens them. */
export function flatShapes(shape: MeasuredShape): readonly (string | readonly (number | null)[])[] {
  if (shape === "?") return ["?"];
  if (Array.isArray(shape)) return [shape as readonly (number | null)[]];
  const held = shape as Exclude<MeasuredShape, string | readonly (number | null)[]>;
  if (held.dict) {
    return Object.entries(held.dict)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([, value]) => flatShapes(value));
  }
  return (held.list ?? held.tuple ?? []).flatMap(flatShapes);
}

/** Differences between a report and a measurement, one line each; none when they agree. */
export function differences(report: Report, measured: Measured): string[] {
  const found: string[] = [];
  const expect = (what: string, ours: unknown, theirs: unknown): void => {
    if (JSON.stringify(ours) !== JSON.stringify(theirs)) {
      found.push(`${what}: ${JSON.stringify(ours)}, measured ${JSON.stringify(theirs)}`);
    }
  };
  if (report.model.kind === "weights-only") {
    // Without architecture there are weights and nothing else to compare.
    const ours = report.layers.flatMap(allWeights).concat(report.model.weights);
    expect(
      "weights",
      shapesOf(ours.map((w) => w.storedShape ?? [])),
      shapesOf(measuredWeights(measured.layers)),
    );
    return found;
  }
  for (const key of ["trainable", "nonTrainable"] as const) {
    expect(`held ${key}`, heldTotal(report, key === "trainable"), measured.totals[key]);
  }
  const converted =
    report.producer.version?.startsWith("1.") === true && !measured.oracle.startsWith("keras 1.");
  compareLayers(report.layers, measured.layers, "", { expect, converted });
  return found;
}

function shapesOf(shapes: readonly (readonly number[])[]): readonly string[] {
  return shapes.map((shape) => JSON.stringify(shape)).sort();
}

/** Shapes of all measured weights; those of a nested model are listed by the model already. */
function measuredWeights(layers: readonly MeasuredLayer[]): readonly (readonly number[])[] {
  const byName = new Map(
    layers.flatMap((layer) => layer.weights).map((weight) => [weight.name, weight.shape]),
  );
  return [...byName.values()];
}

/** What Keras holds: packed weights by their stored shape, helpers of quantisation included. */
function heldTotal(report: Report, trainable: boolean): number {
  const seen = new Set<unknown>();
  let sum = 0;
  const add = (weights: readonly ReportWeight[]): void => {
    for (const weight of weights) {
      const identity = identityOf(weight);
      if (seen.has(identity) || (weight.trainable !== false) !== trainable) continue;
      seen.add(identity);
      sum += heldElements(weight);
    }
  };
  const visit = (layer: ReportLayer): void => {
    add(layer.weights);
    layer.layers?.forEach(visit);
  };
  add(report.model.weights);
  report.layers.forEach(visit);
  return sum;
}

function heldElements(weight: ReportWeight): number {
  return (weight.storedShape ?? weight.shape ?? []).reduce<number>(
    (product, dim) => product * (typeof dim === "number" ? dim : 0),
    1,
  );
}

function allWeights(layer: ReportLayer): readonly ReportWeight[] {
  const all = [...layer.weights, ...(layer.layers ?? []).flatMap(allWeights)];
  return [...new Map(all.map((weight) => [identityOf(weight), weight])).values()];
}

function identityOf(weight: ReportWeight): unknown {
  return weight.stored ?? weight.shared ?? weight;
}

interface Comparison {
  readonly expect: (what: string, ours: unknown, theirs: unknown) => void;
  /** The oracle is a newer Keras that fused or transposed what Keras 1 stored: only counts can be compared. */
  readonly converted: boolean;
}

function compareLayers(
  ours: readonly ReportLayer[],
  theirs: readonly MeasuredLayer[],
  scope: string,
  comparison: Comparison,
): void {
  // A name that each Keras makes up is whatever the oracle made up.
  const names = ours.map((layer, i) =>
    layer.unnamed === undefined ? layer.name : (theirs[i]?.name ?? layer.name),
  );
  comparison.expect(
    `${scope}layers`,
    names,
    theirs.map((layer) => layer.name),
  );
  for (const measured of theirs) {
    const layer = ours[names.indexOf(measured.name)];
    if (layer) compareLayer(layer, measured, `${scope}${measured.name} (${measured.type})`, comparison);
  }
}

function compareLayer(layer: ReportLayer, measured: MeasuredLayer, at: string, comparison: Comparison): void {
  const { expect } = comparison;
  const shapes = layer.outputShapes.length === 0 ? ["?"] : layer.outputShapes.map((shape) => shape ?? "?");
  // A shape we have where the framework has no call to read it from is more, not other.
  if (measured.outputShape !== "?") expect(`${at} output`, shapes, flatShapes(measured.outputShape));
  if (comparison.converted) {
    expect(`${at} params`, layer.params, measured.params);
    return;
  }
  const weights = allWeights(layer);
  // Keras 3 lists no trainable weights for a frozen layer, and yet counts those of its parts in the model's totals.
  const flag = (trainable: boolean | null): string =>
    measured.trainable ? (trainable === false ? " N" : " T") : "";
  expect(
    `${at} weights`,
    weights.map((w) => `${JSON.stringify(w.storedShape ?? w.shape)}${flag(w.trainable)}`).sort(),
    measured.weights.map((w) => `${JSON.stringify(w.shape)}${flag(w.trainable)}`).sort(),
  );
  if (measured.layers && layer.layers) {
    // Keras gives the operations of a nested model no rows.
    const rows = layer.layers.filter((row) => row.kind !== "operation");
    compareLayers(rows, measured.layers, `${at}/`, comparison);
  }
}
