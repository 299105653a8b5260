/**
 * Declared against stored: settles the shape of every weight. The stored shape is the truth for totals; the shape that
 * the configuration implies fills in where nothing is stored, and is compared where something is.
 */

import type { Diagnostic } from "../diagnostics.ts";
import { ceilDivideDim, type Dim, floorDivideDim, multiplyDims, productOfDims } from "../ir/dim.ts";
import { bitsOf } from "../ir/dtype.ts";
import { type Layer, type LayerTable, scopedName } from "../ir/graph.ts";
import { type Model, walkLayers } from "../ir/model.ts";
import { countOf, formatShape, type Shape, type StaticShape } from "../ir/shape.ts";
import type { Packing, StoredTensor, Weight } from "../ir/tensor.ts";
import { maxModelElements } from "../limits.ts";
import type { LayerFacts } from "./infer-shapes.ts";

/** A weight with its shape settled. */
export interface ResolvedWeight {
  readonly weight: Weight;
  /** Logical shape, unpacked. */
  readonly shape: Shape;
  /** Shape it is held in: that of the stored tensor, or the packed form of `shape`. */
  readonly heldShape: Shape;
  readonly stored: StoredTensor | null;
  /** Logical elements; null when unknown. */
  readonly elements: number | null;
  /** Bytes as held; null when unknown. */
  readonly bytes: number | null;
}

export interface WeightFacts {
  /** Of layers that have any. */
  readonly byLayer: LayerTable<readonly ResolvedWeight[]>;
  readonly ofModel: readonly ResolvedWeight[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Settles all weights of a model. `shapes` are the facts of infer-shapes. */
export function resolveWeights(model: Model, shapes: LayerTable<LayerFacts>): WeightFacts {
  const diagnostics: Diagnostic[] = [];
  const byLayer = new Map<Layer, readonly ResolvedWeight[]>();
  const anythingStored = model.tensors.length > 0;
  const bounded = boundTotal(diagnostics);
  const shared = shapesOfShared(model, shapes);
  walkLayers(model.graph.layers, (layer) => {
    if (layer.weights.length === 0) return;
    const at = scopedName(layer.scope, layer.name);
    const roles = shapes.get(layer)?.weights;
    const failed = shapes.get(layer)?.failed === true;
    const built = failed || (roles !== undefined && Object.keys(roles).length > 0);
    const resolved = layer.weights
      // A layer that was never built owns nothing yet.
      .filter(
        (weight) =>
          weight.tensor !== undefined ||
          weight.shape !== undefined ||
          built ||
          anythingStored ||
          shared.has(weight.shared),
      )
      .map((weight) => {
        const implied = shared.get(weight.shared) ?? roles?.[weight.role] ?? (failed ? null : undefined);
        return resolve(weight, implied, model, at, diagnostics);
      })
      .filter((weight) => weight !== null)
      .map((weight) => bounded(weight, at));
    byLayer.set(layer, resolved);
  });
  const ofModel = model.weights
    .map((weight) => resolve(weight, undefined, model, "", diagnostics))
    .filter((weight) => weight !== null)
    .map((weight) => bounded(weight, ""));
  return { byLayer, ofModel, diagnostics };
}

/** One layer in several places is built in the first that knows its shapes, and has those everywhere. */
function shapesOfShared(
  model: Model,
  shapes: LayerTable<LayerFacts>,
): ReadonlyMap<number | undefined, Shape> {
  const known = new Map<number | undefined, Shape>();
  walkLayers(model.graph.layers, (layer) => {
    for (const { shared, shape, role } of layer.weights) {
      const implied = shape ?? shapes.get(layer)?.weights[role] ?? null;
      if (shared !== undefined && !known.has(shared) && isStatic(implied)) known.set(shared, implied);
    }
  });
  return known;
}

function isStatic(shape: Shape): boolean {
  return shape?.every((dim) => typeof dim === "number") ?? false;
}

/** A weight with which the model would be too large to count exactly has an unknown shape, and is reported. */
function boundTotal(diagnostics: Diagnostic[]): (resolved: ResolvedWeight, at: string) => ResolvedWeight {
  let total = 0;
  return (resolved, at) => {
    const { elements, shape } = resolved;
    if (elements !== null && total + elements <= maxModelElements) {
      total += elements;
      return resolved;
    }
    if (!isStatic(shape)) return resolved;
    const reason = `weight ${resolved.weight.name} is left out, with it the model would have more than ${maxModelElements} elements`;
    diagnostics.push({ code: "shape-suspicious", args: { shape: formatShape(shape), reason }, at });
    const { stored } = resolved;
    return {
      ...resolved,
      shape: null,
      heldShape: stored?.shape ?? null,
      elements: null,
      bytes: stored?.bytes ?? null,
    };
  };
}

function resolve(
  weight: Weight,
  implied: Shape | undefined,
  model: Model,
  at: string,
  diagnostics: Diagnostic[],
): ResolvedWeight | null {
  const stored = weight.tensor === undefined ? null : (model.tensors[weight.tensor] ?? null);
  if (stored !== null && weight.view) return viewOf(weight, weight.view, stored);
  const declared = weight.shape ?? implied ?? null;
  const packed = weight.packing ? pack(declared, weight.packing) : declared;
  if (stored === null) {
    if (weight.counted === false) return null;
    // Not stored and nothing derived: in a file that stores weights such a layer was never built.
    if (declared === null && implied === undefined && model.tensors.length > 0) return null;
    if (!isStatic(declared)) {
      diagnostics.push({ code: "weight-shape-unknown", args: { weight: weight.name }, at });
    } else if (model.tensors.length > 0 && weight.archived !== false) {
      diagnostics.push({
        code: "weight-not-stored",
        args: { weight: weight.name, declared: formatShape(declared) },
        at,
      });
    }
  } else if (packed !== null && !fits(weight, declared, stored.shape)) {
    diagnostics.push({
      code: "declared-stored-mismatch",
      args: { weight: weight.name, declared: formatShape(packed), stored: formatShape(stored.shape) },
      at,
    });
  }
  const held: Shape = stored ? stored.shape : packed;
  const agrees = stored !== null && fits(weight, declared, stored.shape);
  const shape = logicalShape(weight, declared, stored, agrees);
  return {
    weight,
    shape,
    heldShape: held,
    stored,
    elements: countOf(shape),
    bytes: stored ? stored.bytes : bytesOf(held, weight),
  };
}

/** A view adds what is stored, not what it shows: the others who see the same tensor then add nothing. */
function viewOf(weight: Weight, view: StaticShape, stored: StoredTensor): ResolvedWeight {
  const elements = countOf(stored.shape);
  return { weight, shape: view, heldShape: stored.shape, stored, elements, bytes: stored.bytes };
}

function logicalShape(weight: Weight, declared: Shape, stored: StoredTensor | null, agrees: boolean): Shape {
  if (!stored) return declared;
  if (!weight.packing) return stored.shape;
  // The packed axis may have been padded, so the declared shape is the exact one where it fits.
  if (agrees && countOf(declared) !== null) return declared;
  return unpack(stored.shape, weight.packing);
}

function bytesOf(shape: Shape, weight: Weight): number | null {
  const elements = countOf(shape);
  const bits = weight.dtype === null ? null : bitsOf(weight.dtype);
  return elements === null || bits === null ? null : Math.ceil((elements * bits) / 8);
}

/** Shape of a weight once packed. */
export function pack(shape: Shape, packing: Packing): Shape {
  if (shape === null) return null;
  const packed = (dim: Dim): Dim => ceilDivideDim(multiplyDims(dim, packing.per ?? 1), packing.values);
  if (packing.flat) return [packed(productOfDims(shape)), 1];
  const flat = shape.map((dim, i): Dim => (i === at(packing.axis, shape) ? packed(dim) : dim));
  return packing.transposed ? [...flat].reverse() : flat;
}

function unpack(stored: StaticShape, packing: Packing): Shape {
  const unpacked = (dim: number): Dim => floorDivideDim(multiplyDims(dim, packing.values), packing.per ?? 1);
  if (packing.flat) return [unpacked(stored[0] ?? 0), ...stored.slice(1)];
  const ordered = packing.transposed ? [...stored].reverse() : stored;
  return ordered.map((dim, i) => (i === at(packing.axis, ordered) ? unpacked(dim) : dim));
}

function at(axis: number, shape: readonly unknown[]): number {
  return axis < 0 ? shape.length + axis : axis;
}

/**
 * Whether a stored shape is that of the declared one. Packed along whichever axis: Keras 3.14 packs int4 along another
 * axis than 3.11 to 3.13 did. Kernels of more than two axes are packed as matrices, so there only the count can tell.
 */
function fits(weight: Weight, declared: Shape, stored: StaticShape): boolean {
  const { packing } = weight;
  if (!packing) return compatible(declared, stored);
  if (declared === null) return false;
  if (packing.padded) {
    const room = ((countOf(stored) ?? 0) * packing.values) / (packing.per ?? 1);
    return (countOf(declared) ?? Number.POSITIVE_INFINITY) <= room;
  }
  if (packing.flat) return compatible(pack(declared, packing), stored);
  if (declared.length === stored.length) {
    return declared.some((_, axis) => {
      const packed = pack(declared, { ...packing, axis });
      return packed !== null && compatible(packed, stored);
    });
  }
  const logical = countOf(declared);
  const room = ((countOf(stored) ?? 0) * packing.values) / (packing.per ?? 1);
  return logical === null || (logical <= room && logical > room - Math.max(...stored) * packing.values);
}

/** Same rank, and equal wherever the declared shape is known. */
function compatible(declared: Shape, stored: StaticShape): boolean {
  return (
    declared !== null &&
    declared.length === stored.length &&
    declared.every((dim, i) => typeof dim !== "number" || dim === stored[i])
  );
}
