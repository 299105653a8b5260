/** Whether a stored vector is the bias or the scale of the layer before it, by the arithmetic between them. */

import { countOf } from "../../src/ir/shape.ts";
import type { StoredTensor } from "../../src/ir/tensor.ts";
import { onlyConsumer } from "./consumers.ts";
import type { Draft } from "./frame.ts";
import { bareType, type Facts, makerOf, staticTensors } from "./static-values.ts";
import type { TensorTable } from "./tensor-table.ts";

/** Hands on what it gets, as far as its elements are concerned. */
export const transparent: ReadonlySet<string> = new Set([
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
/** Exporters write group normalization with these, and put its own scale and shift behind them. */
const bareNormalizing = new Set(["InstanceNormalization", "MeanVarianceNormalization", "LpNormalization"]);
/** Where a decomposed normalization ends: its scale and shift follow. */
const normalizing = new Set(["Div", "Mul"]);
const roots = new Set(["Sqrt", "Reciprocal", "Pow", "ReduceL2", "Clip", "Max"]);

/**
 * `learned`: the bias of a layer that has none yet, or the scale and the shift of a normalization. `likely`: one more scale or
 * shift after those, or a pair of them by itself, as learned ones are; a buffer would look the same.
 */
export type Affinity = "learned" | "likely";

/** What a vector is to the layer before it; null when it is nothing of the kind. */
export function affinityOf(
  draft: Draft,
  tensor: StoredTensor,
  facts: Facts,
  table: TensorTable,
): Affinity | null {
  if (!arithmetic.has(bareType(draft)) || !isVector(tensor.shape)) return null;
  const elements = countOf(tensor.shape);
  return affinityBehind(draft, facts, table) ?? (isPaired(draft, elements, facts, table) ? "likely" : null);
}

/** Whether a layer adds to what a product with a single column gives: the bias of a layer with one output has one element. */
export function shiftsOneColumn(draft: Draft, facts: Facts, table: TensorTable): boolean {
  const [product, other] = runningInputs(draft, facts);
  if (!/^(Add|Sub)$/.test(bareType(draft)) || !product || other || !/MatMul$/.test(bareType(product)))
    return false;
  const source = facts.get(product)?.slots.at(-1)?.found.source;
  const shape = source?.kind === "tensor" && source.tensor >= 0 ? table.get(source.tensor).shape : undefined;
  return shape !== undefined && shape.length > 0 && (shape.length === 1 || shape.at(-1) === 1);
}

export function isVector(shape: readonly number[]): boolean {
  return shape.filter((size) => size > 1).length === 1;
}

/** Looked at before a layer: a scale, a shift and what changes the layout, each between two that quantize and undo it. */
const maxSteps = 12;

/** Goes back over the arithmetic before a layer, as far as it is one layer's. */
export function affinityBehind(draft: Draft, facts: Facts, table: TensorTable): Affinity | null {
  let at: Draft | undefined = draft;
  // Scales and shifts that stand between the layer and this one.
  let between = 0;
  for (let steps = 0; at && steps < maxSteps; steps++) {
    const running: readonly Draft[] = runningInputs(at, facts);
    const [before, other] = running;
    if (at !== draft && other && !normalizing.has(bareType(at))) return null;
    if (at !== draft && other && running.some((maker) => isRoot(maker, facts)))
      return between < 2 ? "learned" : "likely";
    if (at !== draft && storedSizes(at, facts, table).some((size) => size !== 1)) between += 1;
    at = before;
    if (at && affine.has(bareType(at))) {
      const first = bareNormalizing.has(bareType(at)) ? between < 2 : between === 0 && !hasBias(at, facts);
      return first && isTracedWith(at, draft) ? "learned" : "likely";
    }
    if (at && !transparent.has(bareType(at)) && !arithmetic.has(bareType(at))) return null;
  }
  return null;
}

/**
 * Not in different modules of PyTorch, which traces a layer's own bias where it traces the layer: what is added to the logits
 * outside may be a buffer (BART's `final_logits_bias`).
 */
function isTracedWith(layer: Draft, draft: Draft): boolean {
  const [own, other] = [layer.modules?.at(-1)?.path, draft.modules?.at(-1)?.path];
  return own === undefined || other === undefined || own === other || own.includes("/");
}

/** A root, or one that the scale of the normalization was put into already. */
function isRoot(draft: Draft, facts: Facts): boolean {
  if (roots.has(bareType(draft))) return true;
  const running = bareType(draft) === "Mul" ? runningInputs(draft, facts) : [];
  return running.length === 1 && running[0] !== undefined && roots.has(bareType(running[0]));
}

function hasBias(draft: Draft, facts: Facts): boolean {
  return facts.get(draft)?.slots.some(({ port }) => port.name === "bias" || port.name === "beta") === true;
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
