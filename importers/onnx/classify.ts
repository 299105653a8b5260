/**
 * What the stored tensors of a graph are: decided by the slots that consume them, or by the exporter's own word where it
 * left one. A float that no rule tells apart stays unclassified and is reported.
 */

import type { Diagnostic } from "../../src/diagnostics.ts";
import { countOf } from "../../src/ir/shape.ts";
import type { StoredTensor, TensorClass, Weight } from "../../src/ir/tensor.ts";
import { onlyConsumer } from "./consumers.ts";
import type { Draft, Found } from "./frame.ts";
import type { NodeFacts, Slot } from "./graph.ts";
import { ownerName } from "./names.ts";
import type { PortRecord } from "./op.ts";
import { bareType, type Facts, isStatic, makerOf, staticTensors } from "./static-values.ts";
import type { TensorTable } from "./tensor-table.ts";

/** The exporter's word on a tensor, by its name. */
export type StatedKinds = ReadonlyMap<string, "parameter" | "buffer" | "constant">;

/** Hands on what it gets, as far as its elements are concerned. */
const transparent = new Set([
  "Identity",
  "Cast",
  "CastLike",
  "Transpose",
  "Reshape",
  "Squeeze",
  "Unsqueeze",
  "Flatten",
  "DequantizeLinear",
  "QuantizeLinear",
]);

/** A constant operand of these is a bias or a scale when the other operand comes from one of `affine`. */
const arithmetic = new Set(["Add", "Sub", "Mul", "Div", "Sum", "QLinearAdd", "QLinearMul"]);
const affine = new Set([
  "MatMul",
  "Gemm",
  "Conv",
  "ConvTranspose",
  "MatMulInteger",
  "ConvInteger",
  "MatMulNBits",
  "FusedMatMul",
  "FusedConv",
  "QLinearMatMul",
  "QLinearConv",
  "QGemm",
  "DynamicQuantizeMatMul",
  "MatMulIntegerToFloat",
  "Einsum",
  "BatchNormalization",
  "InstanceNormalization",
  "LayerNormalization",
  "MeanVarianceNormalization",
  "LpNormalization",
]);
/** Where a decomposed normalization ends: its scale and shift follow. */
const normalizing = new Set(["Div", "Mul"]);
const roots = new Set(["Sqrt", "Reciprocal", "Pow", "ReduceL2", "Clip", "Max"]);

const rank: Readonly<Record<TensorClass, number>> = {
  parameter: 7,
  statistic: 6,
  bookkeeping: 5,
  optimizer: 4,
  quantization: 3,
  constant: 2,
  unclassified: 1,
  unused: 0,
};

interface Claim {
  readonly draft: Draft;
  readonly slot: Slot;
  readonly tensor: number;
  /** The layer only prepares the tensor for another. */
  readonly passes: boolean;
}

/** Sets the weights of every layer, and the class of every tensor that is no layer's weight. */
export function classifyTensors(
  facts: Facts,
  table: TensorTable,
  stated: StatedKinds,
  report: (diagnostic: Diagnostic) => void,
): void {
  const classes = new Map<number, TensorClass>();
  const passed = new Set<number>();
  const claims: Claim[] = [];
  for (const [draft, { slots }] of facts) {
    const handsOn = transparent.has(bareType(draft));
    const prepares = !handsOn && isStatic(draft, facts);
    for (const [i, slot] of slots.entries()) {
      const { class: port } = slot.port;
      const passes = handsOn
        ? port !== "quantization" && port !== "constant"
        : prepares && port === undefined && !(isMatrix(draft) && i === 1);
      for (const tensor of staticTensors(slot.found, facts) ?? []) {
        table.markUsed(tensor);
        const word = stated.get(table.get(tensor).path);
        // What only hands a tensor on says nothing of it, unless nobody else does.
        if (passes && classes.has(tensor)) continue;
        const found =
          passes && word === undefined
            ? passingClass(handsOn, table.get(tensor))
            : classOf({ draft, slot, index: tensor }, { facts, table, stated });
        const before = classes.get(tensor);
        if (before === undefined || (!passes && passed.delete(tensor)) || rank[found] > rank[before])
          classes.set(tensor, found);
        if (passes) passed.add(tensor);
        claims.push({ draft, slot, tensor, passes });
      }
    }
    claims.push(...attributeClaims(draft, facts, classes, table));
  }
  giveWeights(claims, facts, classes, table);
  giveGenerated(facts, table, report);
  settle(classes, table, report);
}

/** Lists of numbers in attributes that a record tells the class of. */
function attributeClaims(
  draft: Draft,
  facts: Facts,
  classes: Map<number, TensorClass>,
  table: TensorTable,
): readonly Claim[] {
  const { node, op } = facts.get(draft) ?? {};
  if (!node || !op?.stored) return [];
  const claims: Claim[] = [];
  const view = viewOf(facts, draft);
  for (const { name, class: stored } of op.stored(view)) {
    const held = view.tensor(name);
    if (!held && view.count(name) === 0) continue;
    const path = `${draft.name}/${name}`;
    const dtype = view.ints(name) ? "int64" : view.texts(name) ? "string" : "float32";
    const index = held ? table.add(path, held) : table.addNumbers(path, dtype, view.count(name), null);
    if (index === null) continue;
    table.markUsed(index);
    classes.set(index, stored);
    if (stored === "parameter")
      claims.push({ draft, slot: attributeSlot(name, index), tensor: index, passes: false });
  }
  return claims;
}

/** A tensor is the weight of the layers that compute with it; of one that prepares it only where there are none. */
function giveWeights(
  claims: readonly Claim[],
  facts: Facts,
  classes: ReadonlyMap<number, TensorClass>,
  table: TensorTable,
): void {
  const owned = new Set(claims.filter(({ passes }) => !passes).map(({ tensor }) => tensor));
  for (const claim of claims) {
    if (claim.passes && owned.has(claim.tensor)) continue;
    own(claim, facts.get(claim.draft), classes, table);
  }
}

/** Weights that the model fills in itself when it runs, as old test models do to be small. */
function giveGenerated(facts: Facts, table: TensorTable, report: (diagnostic: Diagnostic) => void): void {
  const known = new Map<Draft, number>();
  for (const [draft, { slots }] of facts) {
    for (const { port, found } of slots) {
      const role = port.class ?? (isMatrix(draft) ? "parameter" : undefined);
      const maker = generatorOf(found, facts);
      if (!maker || transparent.has(bareType(draft))) continue;
      const source = facts.get(maker)?.slots[0]?.found.source;
      const shape =
        source?.kind === "tensor" && source.tensor >= 0 ? table.get(source.tensor).values : undefined;
      if (!shape || shape.some((size) => size < 0)) continue;
      const shifts = isVector(shape) && arithmetic.has(bareType(draft)) && comesFromAffine(draft, facts);
      const kind = role ?? (shifts ? "parameter" : null);
      if (kind !== "parameter" && kind !== "statistic") continue;
      const shared = known.get(maker) ?? known.size;
      const name = facts.get(maker)?.node?.outputs[0] || maker.name;
      if (!known.has(maker))
        report({
          code: "weight-generated",
          args: { weight: name, shape: `(${shape.join(", ")})` },
          at: draft.name,
        });
      known.set(maker, shared);
      const trainable = kind === "parameter" ? null : false;
      const made = { name, role: port.name, class: kind, trainable, shape, shared, archived: false };
      draft.weights = [...draft.weights, { ...made, dtype: "float32" }];
      draft.kind = "layer";
    }
  }
}

/** The node that fills in a value, through what only hands it on. */
function generatorOf(found: Found, facts: Facts): Draft | null {
  let maker = makerOf(found);
  for (let steps = 0; maker && steps < 8 && transparent.has(bareType(maker)); steps++) {
    const first: Slot | undefined = facts.get(maker)?.slots[0];
    maker = first && makerOf(first.found);
  }
  return maker && bareType(maker) === "ConstantOfShape" ? maker : null;
}

function viewOf(facts: Facts, draft: Draft): NonNullable<NodeFacts["view"]> {
  return facts.get(draft)?.view as NonNullable<NodeFacts["view"]>;
}

function attributeSlot(name: string, tensor: number): Slot {
  return {
    port: { name, class: "parameter" },
    found: { source: { kind: "tensor", tensor }, levels: 0, level: { layers: [], depth: 0 } },
  };
}

function isMatrix(draft: Draft): boolean {
  return /^(Fused|Transpose)?MatMul$|^Einsum$/.test(bareType(draft));
}

function classOf(
  { draft, slot, index }: { readonly draft: Draft; readonly slot: Slot; readonly index: number },
  {
    facts,
    table,
    stated,
  }: { readonly facts: Facts; readonly table: TensorTable; readonly stated: StatedKinds },
): TensorClass {
  const { port, found } = slot;
  const tensor = table.get(index);
  const word = stated.get(tensor.path);
  if (word === "parameter") return "parameter";
  if (word === "constant") return "constant";
  const real = /^(float|bfloat|complex)/.test(tensor.dtype);
  if (word === "buffer")
    return port.class === "statistic" ? "statistic" : real ? "constant" : bufferOf(tensor);
  if (port.class === "quantization" || port.class === "constant" || port.class === "statistic")
    return port.class;
  const made = found.source.kind === "value";
  const packed =
    port.logical !== undefined ||
    /^u?int(8|4|2)$/.test(tensor.dtype) ||
    (/^u?int(16|32)$/.test(tensor.dtype) && (made || /bias/.test(port.name)));
  const named = ownerName(tensor.path) !== null;
  const single = (countOf(tensor.shape) ?? 0) <= 1;
  if (port.class === "parameter") {
    if (!(real || packed) || (!named && isNeutral(draft, port.name, tensor))) return "constant";
    return made && single && !named ? "constant" : "parameter";
  }
  if (isMatrix(draft)) return (real || packed) && tensor.shape.length >= 2 ? "parameter" : "constant";
  if (named && (real || packed)) return "parameter";
  if (single || !(real || (packed && (made || bareType(draft).startsWith("QLinear"))))) return "constant";
  return isAffineOperand(draft, tensor, facts, table) ? "parameter" : "unclassified";
}

/** A scale of ones or a shift of zeros: how a normalization that learned none is written. */
function isNeutral(draft: Draft, role: string, { values }: StoredTensor): boolean {
  if (!values || values.length === 0 || bareType(draft) !== "InstanceNormalization") return false;
  return values.every((value) => value === (role === "gamma" ? 1 : 0));
}

/** Of a tensor that goes into one that is worked out ahead, nothing tells. */
function passingClass(handsOn: boolean, { dtype, shape }: StoredTensor): TensorClass {
  return !handsOn && /^b?float/.test(dtype) && (countOf(shape) ?? 0) > 1 ? "unclassified" : "constant";
}

function bufferOf(tensor: StoredTensor): TensorClass {
  return /(^|\.)num_batches_tracked$/.test(tensor.path) ? "bookkeeping" : "constant";
}

/**
 * A vector that scales or shifts what a layer with weights or a normalization gives, or that does so together with another:
 * first a scale, then a shift of the same size, inside the network.
 */
function isAffineOperand(draft: Draft, tensor: StoredTensor, facts: Facts, table: TensorTable): boolean {
  if (!arithmetic.has(bareType(draft)) || !isVector(tensor.shape)) return false;
  const elements = countOf(tensor.shape);
  return comesFromAffine(draft, facts) || isPaired(draft, elements, facts, table);
}

function isVector(shape: readonly number[]): boolean {
  return shape.filter((size) => size > 1).length === 1;
}

/** Goes back over the arithmetic before a layer, as far as it is one layer's. */
function comesFromAffine(draft: Draft, facts: Facts): boolean {
  let at: Draft | undefined = draft;
  for (let steps = 0; at && steps < 8; steps++) {
    const running: readonly Draft[] = runningInputs(at, facts);
    const [before, other] = running;
    if (at !== draft && other && !normalizing.has(bareType(at))) return false;
    if (at !== draft && other && running.some((maker) => roots.has(bareType(maker)))) return true;
    at = before;
    if (at && affine.has(bareType(at))) return true;
    if (at && !transparent.has(bareType(at)) && !arithmetic.has(bareType(at))) return false;
  }
  return false;
}

/** Layers whose values go into a layer and are not known before the model runs. */
function runningInputs(draft: Draft, facts: Facts): readonly Draft[] {
  const slots = facts.get(draft)?.slots ?? [];
  return (transparent.has(bareType(draft)) ? slots.slice(0, 1) : slots).flatMap(({ found }) => {
    const maker = makerOf(found);
    return maker && staticTensors(found, facts) === null ? [maker] : [];
  });
}

/** A shift right after a scale of the same size, of which the scaled values are no input of the graph. */
function isPaired(draft: Draft, elements: number | null, facts: Facts, table: TensorTable): boolean {
  const scale = bareType(draft) === "Mul" ? draft : runningInputs(draft, facts)[0];
  if (!scale || bareType(scale) !== "Mul") return false;
  const shift = scale === draft ? onlyConsumer(scale, facts) : draft;
  if (!shift || bareType(shift) !== "Add") return false;
  const scaled = runningInputs(scale, facts);
  if (
    scaled.length !== 1 ||
    scaled[0]?.operator === "Input" ||
    transparent.has(scaled[0] ? bareType(scaled[0]) : "")
  )
    return false;
  return [scale, shift].every((layer) => storedSizes(layer, facts, table).includes(elements));
}

function storedSizes(draft: Draft, facts: Facts, table: TensorTable): readonly (number | null)[] {
  return (facts.get(draft)?.slots ?? []).flatMap(({ found }) => {
    const { source } = found;
    return source.kind === "tensor" && source.tensor >= 0 ? [countOf(table.get(source.tensor).shape)] : [];
  });
}

/** Gives a layer the weight it consumes, when it is one. */
function own(
  { draft, slot, tensor }: { readonly draft: Draft; readonly slot: Slot; readonly tensor: number },
  read: NodeFacts | undefined,
  classes: ReadonlyMap<number, TensorClass>,
  table: TensorTable,
): void {
  const found = classes.get(tensor);
  if (found !== "parameter" && found !== "statistic" && found !== "quantization") return;
  if (draft.weights.some((weight) => weight.tensor === tensor)) return;
  const stored = table.get(tensor);
  const weight: Weight = {
    name: stored.path,
    role: slot.port.name,
    class: found,
    trainable: found === "parameter" ? null : false,
    dtype: stored.dtype,
    tensor,
    ...logicalOf(slot.port, read, stored, table),
  };
  draft.weights = [...draft.weights, weight];
  draft.kind = "layer";
}

/** Packed several to an element: the shape that is meant, and how many of its elements one stored one holds. */
function logicalOf(
  port: PortRecord,
  read: NodeFacts | undefined,
  stored: StoredTensor,
  table: TensorTable,
): Partial<Weight> {
  if (!read?.view || !port.logical) return {};
  const valuesOf = (name: string): readonly number[] | null => {
    const source = read.slots.find((slot) => slot.port.name === name)?.found.source;
    return (source?.kind === "tensor" && source.tensor >= 0 && table.get(source.tensor).values) || null;
  };
  const shape = port.logical(read.view, stored, valuesOf);
  const logical = countOf(shape);
  if (shape === null || logical === null) return {};
  const held = countOf(stored.shape) ?? 0;
  const values = [1, 2, 4, 8].find((count) => held * count >= logical);
  if (values === undefined) return {};
  return held === logical ? { shape } : { shape, packing: { values, axis: 0, padded: true } };
}

function settle(
  classes: ReadonlyMap<number, TensorClass>,
  table: TensorTable,
  report: (diagnostic: Diagnostic) => void,
): void {
  const names: string[] = [];
  let elements = 0;
  for (const [index, tensor] of table.tensors.entries()) {
    const found = classes.get(index);
    if (found === undefined) {
      if (table.isUsed(index)) table.settle(index, "constant");
      continue;
    }
    table.settle(index, found);
    if (found !== "unclassified") continue;
    names.push(tensor.path);
    elements += countOf(tensor.shape) ?? 0;
  }
  if (names.length === 0) return;
  const args = { tensors: names.length, elements, names: names.slice(0, 5).join(", ") };
  report({ code: "class-ambiguous", args, at: "" });
}
