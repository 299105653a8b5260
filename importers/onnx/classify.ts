/**
 * What the stored tensors of a graph are: decided by the slots that consume them, or by the exporter's own word where it
 * left one. A float that no rule tells apart stays unclassified and is reported.
 */

import type { Diagnostic } from "../../src/diagnostics.ts";
import { countOf } from "../../src/ir/shape.ts";
import type { StoredTensor, TensorClass, Weight } from "../../src/ir/tensor.ts";
import type { Draft, Found } from "./frame.ts";
import type { NodeFacts, Slot } from "./graph.ts";
import { ownerName } from "./names.ts";
import type { PortRecord } from "./op.ts";
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
const arithmetic = new Set(["Add", "Sub", "Mul", "Div", "Sum"]);
const affine = new Set([
  "MatMul",
  "Gemm",
  "Conv",
  "ConvTranspose",
  "MatMulInteger",
  "ConvInteger",
  "MatMulNBits",
  "FusedMatMul",
  "Einsum",
  "BatchNormalization",
  "InstanceNormalization",
  "LayerNormalization",
  "MeanVarianceNormalization",
  "LpNormalization",
]);
/** Where a decomposed normalization ends: its scale and shift follow. */
const normalizing = new Set(["Div", "Mul", "Reciprocal"]);

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

/** Sets the weights of every layer, and the class of every tensor that is no layer's weight. */
export function classifyTensors(
  facts: ReadonlyMap<Draft, NodeFacts>,
  table: TensorTable,
  stated: StatedKinds,
  report: (diagnostic: Diagnostic) => void,
): void {
  const classes = new Map<number, TensorClass>();
  const claims: { readonly draft: Draft; readonly slot: Slot; readonly tensor: number }[] = [];
  for (const [draft, { slots, op, node }] of facts) {
    for (const slot of slots) {
      const direct = slot.found.source.kind === "tensor";
      if (!direct && slot.port.class !== "parameter" && slot.port.class !== "statistic" && !isMatrix(draft))
        continue;
      const tensor = traced(slot.found, facts);
      if (tensor === null) continue;
      table.markUsed(tensor);
      // What only hands a tensor on says nothing of it, unless nobody else does.
      const passes =
        transparent.has(bareType(draft)) &&
        slot.port.class !== "quantization" &&
        slot.port.class !== "constant";
      const found = passes ? "constant" : classOf(draft, slot, table.get(tensor), facts, stated);
      if (passes && classes.has(tensor)) continue;
      const before = classes.get(tensor);
      if (before === undefined || rank[found] > rank[before]) classes.set(tensor, found);
      if (!passes) claims.push({ draft, slot, tensor });
    }
    for (const { name, class: stored } of node && op?.stored ? op.stored(viewOf(facts, draft)) : []) {
      const view = viewOf(facts, draft);
      const tensorValue = view.tensor(name);
      const path = `${draft.name}/${name}`;
      const dtype = view.ints(name) ? "int64" : view.texts(name) ? "string" : "float32";
      const index = tensorValue
        ? table.add(path, tensorValue)
        : table.addNumbers(path, dtype, view.count(name), null);
      if (index === null || (!tensorValue && view.count(name) === 0)) continue;
      table.markUsed(index);
      classes.set(index, stored);
      if (stored === "parameter") claims.push({ draft, slot: attributeSlot(name, index), tensor: index });
    }
  }
  for (const claim of claims) own(claim, facts.get(claim.draft)?.view ?? null, classes, table);
  settle(classes, table, report);
}

function viewOf(facts: ReadonlyMap<Draft, NodeFacts>, draft: Draft): NonNullable<NodeFacts["view"]> {
  return facts.get(draft)?.view as NonNullable<NodeFacts["view"]>;
}

function attributeSlot(name: string, tensor: number): Slot {
  return {
    port: { name, class: "parameter" },
    found: { source: { kind: "tensor", tensor }, levels: 0, level: { layers: [], depth: 0 } },
  };
}

function bareType(draft: Draft): string {
  return draft.source.type.slice(draft.source.type.lastIndexOf(".") + 1);
}

function isMatrix(draft: Draft): boolean {
  return /^(Fused|Transpose)?MatMul$|^Einsum$/.test(bareType(draft));
}

/** The stored tensor behind a value, through what only hands it on. */
function traced(found: Found, facts: ReadonlyMap<Draft, NodeFacts>): number | null {
  let at: Found | undefined = found;
  for (let steps = 0; at && steps < 16; steps++) {
    if (at.source.kind === "tensor") return at.source.tensor >= 0 ? at.source.tensor : null;
    const maker: Draft | undefined = at.level.layers[at.source.layer];
    if (!maker || !transparent.has(bareType(maker))) return null;
    at = facts.get(maker)?.slots[0]?.found;
  }
  return null;
}

function classOf(
  draft: Draft,
  { port, found }: Slot,
  tensor: StoredTensor,
  facts: ReadonlyMap<Draft, NodeFacts>,
  stated: StatedKinds,
): TensorClass {
  const word = stated.get(tensor.path);
  if (word === "parameter") return "parameter";
  if (word === "constant") return "constant";
  const real = /^(float|bfloat|complex)/.test(tensor.dtype);
  if (word === "buffer")
    return port.class === "statistic" ? "statistic" : real ? "constant" : bufferOf(tensor);
  if (port.class === "quantization" || port.class === "constant" || port.class === "statistic")
    return port.class;
  const packed =
    found.source.kind === "value" || port.logical !== undefined || /^u?int(8|4|2)$/.test(tensor.dtype);
  if (port.class === "parameter") return real || packed ? "parameter" : "constant";
  if (isMatrix(draft)) return (real || packed) && tensor.shape.length >= 2 ? "parameter" : "constant";
  if (!real) return "constant";
  if ((countOf(tensor.shape) ?? 0) <= 1 && ownerName(tensor.path) === null) return "constant";
  if (ownerName(tensor.path) !== null) return "parameter";
  return isAffineOperand(draft, tensor, facts) ? "parameter" : "unclassified";
}

function bufferOf(tensor: StoredTensor): TensorClass {
  return /(^|\.)num_batches_tracked$/.test(tensor.path) ? "bookkeeping" : "constant";
}

/** Beside the output of a layer that such an operand belongs to, or of the end of a decomposed normalization. */
function isAffineOperand(draft: Draft, tensor: StoredTensor, facts: ReadonlyMap<Draft, NodeFacts>): boolean {
  if (!arithmetic.has(bareType(draft)) || tensor.shape.filter((size) => size > 1).length > 1) return false;
  for (const { found } of facts.get(draft)?.slots ?? []) {
    let maker = makerOf(found);
    for (let steps = 0; maker && steps < 4 && transparent.has(bareType(maker)); steps++) {
      const first: Slot | undefined = facts.get(maker)?.slots[0];
      maker = first && makerOf(first.found);
    }
    if (
      maker &&
      (affine.has(bareType(maker)) || normalizing.has(bareType(maker)) || arithmetic.has(bareType(maker)))
    )
      return true;
  }
  return false;
}

function makerOf({ source, level }: Found): Draft | undefined {
  return source.kind === "value" ? level.layers[source.layer] : undefined;
}

/** Gives a layer the weight it consumes, when it is one. */
function own(
  { draft, slot, tensor }: { readonly draft: Draft; readonly slot: Slot; readonly tensor: number },
  view: NodeFacts["view"],
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
    ...logicalOf(slot.port, view, stored),
  };
  draft.weights = [...draft.weights, weight];
  draft.kind = "layer";
}

/** Packed several to an element: the shape that is meant, and how many of its elements one stored one holds. */
function logicalOf(port: PortRecord, view: NodeFacts["view"], stored: StoredTensor): Partial<Weight> {
  const shape = view ? (port.logical?.(view, stored) ?? null) : null;
  const logical = countOf(shape);
  if (shape === null || logical === null) return {};
  const held = countOf(stored.shape) ?? 0;
  const values = [1, 2, 4, 8].find((count) => held * count >= logical);
  if (values === undefined) return {};
  return values === 1 ? { shape } : { shape, packing: { values, axis: 0 } };
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
