/**
 * Models that the file has no name for: each generation of Keras makes up its own. Standalone Keras counts from
 * `sequential_1`, tf.keras and Keras 3 from `sequential` (tf-keras 2.21, Keras 2.3.1 and 3.15.1).
 */

import type { Report, ReportLayer } from "../report/report.ts";
import type { KerasStyle } from "./summary-options.ts";

/** The report with the names that the Keras of `style` would give. */
export function withMadeUpNames(report: Report, style: KerasStyle): Report {
  const counted = style === "keras2.2" || style === "keras2.3";
  const nameFor = (place: number): string =>
    counted ? `sequential_${place + 1}` : place === 0 ? "sequential" : `sequential_${place}`;
  const { unnamed } = report.model;
  if (unnamed === undefined && !hasUnnamed(report.layers)) return report;
  return {
    ...report,
    model: { ...report.model, name: unnamed === undefined ? report.model.name : nameFor(unnamed) },
    layers: rename(report.layers, nameFor),
  };
}

/** Only models of Keras have any. */
function hasUnnamed(layers: readonly ReportLayer[]): boolean {
  for (let i = 0; i < layers.length; i++) {
    const { unnamed, layers: inside } = layers[i] as ReportLayer;
    if (unnamed !== undefined || (inside && hasUnnamed(inside))) return true;
  }
  return false;
}

/** The same list when nothing in it has a made-up name. */
function rename(layers: readonly ReportLayer[], nameFor: (place: number) => string): readonly ReportLayer[] {
  const names = new Map<string, string>();
  let changed = false;
  const inner = layers.map((layer) => {
    const below = layer.layers && rename(layer.layers, nameFor);
    if (layer.unnamed !== undefined) names.set(layer.name, nameFor(layer.unnamed));
    if (below !== layer.layers) changed = true;
    return below === layer.layers || below === undefined ? layer : { ...layer, layers: below };
  });
  if (names.size === 0) return changed ? inner : layers;
  return inner.map((layer) => ({
    ...layer,
    name: names.get(layer.name) ?? layer.name,
    calls: layer.calls.map((call) => ({
      ...call,
      inputs: call.inputs.map((input) => ({ ...input, layer: names.get(input.layer) ?? input.layer })),
    })),
  }));
}
