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
  const resolver = new Resolver(model, shapes);
  const byLayer = new Map<Layer, readonly ResolvedWeight[]>();
  walkLayers(model.graph.layers, (layer) => {
    if (layer.weights.length > 0) byLayer.set(layer, resolver.resolve(layer.weights, layer));
  });
  const ofModel = resolver.resolve(model.weights, null);
  return { byLayer, ofModel, diagnostics: resolver.diagnostics };
}

/** What weights of a layer, or of the model itself, come to. */
class Resolver {
  readonly diagnostics: Diagnostic[] = [];
  private readonly model: Model;
  private readonly shapes: LayerTable<LayerFacts>;
  private shared: ReadonlyMap<number, Shape> | null = null;
  private elements = 0;

  constructor(model: Model, shapes: LayerTable<LayerFacts>) {
    this.model = model;
    this.shapes = shapes;
  }

  resolve(weights: readonly Weight[], owner: Layer | null): readonly ResolvedWeight[] {
    const resolved = new Array<ResolvedWeight>(weights.length);
    let count = 0;
    for (const weight of weights) {
      // Most say their shape themselves.
      const implied = (weight.shape ?? null) === null ? this.implied(weight, owner) : undefined;
      if (owner !== null && !this.exists(weight, owner)) continue;
      const one = this.settle(weight, implied, owner);
      if (one !== null) resolved[count++] = this.bounded(one, owner);
    }
    resolved.length = count;
    return resolved;
  }

  /** Shape by the rule of its layer, or of another that has the same weight; null where a rule failed. */
  private implied(weight: Weight, owner: Layer | null): Shape | undefined {
    if (owner === null) return undefined;
    const facts = this.shapes.get(owner);
    const failed = facts?.failed === true;
    return this.sharedShape(weight) ?? facts?.weights[weight.role] ?? (failed ? null : undefined);
  }

  /** A layer that was never built owns nothing yet. */
  private exists(weight: Weight, owner: Layer): boolean {
    if (weight.tensor !== undefined || weight.shape !== undefined || this.model.tensors.length > 0)
      return true;
    const facts = this.shapes.get(owner);
    if (facts && (facts.failed || Object.keys(facts.weights).length > 0)) return true;
    return this.sharedShape(weight) !== undefined;
  }

  private sharedShape({ shared }: Weight): Shape | undefined {
    if (shared === undefined) return undefined;
    this.shared ??= shapesOfShared(this.model, this.shapes);
    return this.shared.get(shared);
  }

  private settle(weight: Weight, implied: Shape | undefined, owner: Layer | null): ResolvedWeight | null {
    const { tensors } = this.model;
    const stored = weight.tensor === undefined ? null : (tensors[weight.tensor] ?? null);
    if (stored !== null && weight.view) return viewOf(weight, weight.view, stored);
    const declared = weight.shape ?? implied ?? null;
    const packed = weight.packing ? pack(declared, weight.packing) : declared;
    const agrees = stored !== null && fits(weight, declared, stored.shape);
    if (stored === null) {
      if (weight.counted === false) return null;
      // Not stored and nothing derived: in a file that stores weights such a layer was never built.
      if (declared === null && implied === undefined && tensors.length > 0) return null;
      // Programs without their weights say all shapes themselves.
      if (tensors.length > 0 || !isStatic(declared)) this.sayMissing(weight, declared, owner);
    } else if (packed !== null && !agrees) {
      const shown = { declared: formatShape(packed), stored: formatShape(stored.shape) };
      const args = { weight: weight.name, ...shown };
      this.diagnostics.push({ code: "declared-stored-mismatch", args, at: placeOf(owner) });
    }
    const heldShape: Shape = stored ? stored.shape : packed;
    const shape = logicalShape(weight, declared, stored, agrees);
    const elements = countOf(shape);
    if (stored) return { weight, shape, heldShape, stored, elements, bytes: stored.bytes };
    const held = heldShape === shape ? elements : countOf(heldShape);
    return { weight, shape, heldShape, stored, elements, bytes: bytesOf(held, weight) };
  }

  private sayMissing(weight: Weight, declared: Shape, owner: Layer | null): void {
    const at = placeOf(owner);
    if (!isStatic(declared)) {
      this.diagnostics.push({ code: "weight-shape-unknown", args: { weight: weight.name }, at });
    } else if (this.model.tensors.length > 0 && weight.archived !== false) {
      const args = { weight: weight.name, declared: formatShape(declared) };
      this.diagnostics.push({ code: "weight-not-stored", args, at });
    }
  }

  /** A weight with which the model would be too large to count exactly has an unknown shape, and is reported. */
  private bounded(resolved: ResolvedWeight, owner: Layer | null): ResolvedWeight {
    const { elements, shape, stored } = resolved;
    if (elements !== null && this.elements + elements <= maxModelElements) {
      this.elements += elements;
      return resolved;
    }
    if (!isStatic(shape)) return resolved;
    const reason = `weight ${resolved.weight.name} is left out, with it the model would have more than ${maxModelElements} elements`;
    const args = { shape: formatShape(shape), reason };
    this.diagnostics.push({ code: "shape-suspicious", args, at: placeOf(owner) });
    const heldShape = stored?.shape ?? null;
    return { ...resolved, shape: null, heldShape, elements: null, bytes: stored?.bytes ?? null };
  }
}

function placeOf(owner: Layer | null): string {
  return owner === null ? "" : scopedName(owner.scope, owner.name);
}

/** One layer in several places is built in the first that knows its shapes, and has those everywhere. */
function shapesOfShared(model: Model, shapes: LayerTable<LayerFacts>): ReadonlyMap<number, Shape> {
  const known = new Map<number, Shape>();
  walkLayers(model.graph.layers, (layer) => {
    for (const { shared, shape, role } of layer.weights) {
      if (shared === undefined || known.has(shared)) continue;
      const implied = shape ?? shapes.get(layer)?.weights[role] ?? null;
      if (isStatic(implied)) known.set(shared, implied);
    }
  });
  return known;
}

function isStatic(shape: Shape): boolean {
  if (shape === null) return false;
  for (const dim of shape) if (typeof dim !== "number") return false;
  return true;
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

function bytesOf(elements: number | null, weight: Weight): number | null {
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
  if (declared?.length !== stored.length) return false;
  for (let i = 0; i < stored.length; i++) {
    const dim = declared[i];
    if (typeof dim === "number" && dim !== stored[i]) return false;
  }
  return true;
}
