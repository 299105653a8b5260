/** The class that a slot gives to a stored tensor, with what the exporter says of the tensor and what its name tells. */

import { countOf } from "../../src/ir/shape.ts";
import type { StoredTensor, TensorClass } from "../../src/ir/tensor.ts";
import { affinityOf, isVector, shiftsOneColumn } from "./affine.ts";
import type { Draft } from "./frame.ts";
import type { Slot } from "./graph.ts";
import { nameBefore, ownerName } from "./names.ts";
import { bareType, type Facts, makerOf, staticTensors } from "./static-values.ts";
import type { TensorTable } from "./tensor-table.ts";

/** What the exporter left to say of the tensors. */
export interface Stated {
  /** By the name of the tensor; `unknown`: it is written the same way whether it was learned or not. */
  readonly kinds: ReadonlyMap<string, "parameter" | "buffer" | "constant" | "unknown">;
  /** By path of a module: how many of its own parameters and buffers bear no tensor's name, since they were worked out. */
  readonly gone: ReadonlyMap<string, { readonly parameters: number; readonly buffers: number }>;
  /** Where the program's signature lists its parameters: modules that have lost some of their own. */
  readonly losing: readonly string[] | null;
  /** Traced by PyTorch's older exporter, which says nothing of the tensors and leaves them their names. */
  readonly traced: boolean;
  /** By the name of the tensor, where it alone tells: buffers of PyTorch, and names that parameters have as well. */
  readonly buffers: ReadonlyMap<string, TensorClass>;
}

export interface Around {
  readonly facts: Facts;
  readonly table: TensorTable;
  readonly stated: Stated;
  /** Taken for learned by what is computed with them alone. */
  readonly likely: Set<number>;
  /** No parameters, by their names alone. */
  readonly named: Set<number>;
  /** Vectors without a name of the program's, by the module that they are used in. */
  readonly worked: Map<string, Set<number>>;
}

const matrices: ReadonlySet<string> = new Set(["MatMul", "FusedMatMul", "TransposeMatMul", "Einsum"]);

export function isMatrix(draft: Draft): boolean {
  return matrices.has(bareType(draft));
}

export interface Asked {
  readonly draft: Draft;
  readonly slot: Slot;
  readonly index: number;
  /** Nothing that is fed to the model goes into what the layer gives. */
  readonly prepares: boolean;
}

/** What a tensor is by one of the slots that take it. */
export function classOf({ draft, slot, index, prepares }: Asked, around: Around): TensorClass {
  const { facts, table, stated, likely } = around;
  const { port, found } = slot;
  const tensor = table.get(index);
  const word = stated.kinds.get(nameBefore(tensor.path));
  if (word === "parameter" || word === "constant") return word;
  if (word === "unknown") return "unclassified";
  const real = /^(float|bfloat|complex)/.test(tensor.dtype);
  if (word === "buffer")
    return port.class === "statistic" ? "statistic" : real ? "constant" : bufferOf(tensor);
  if (port.class === "quantization" || port.class === "constant" || port.class === "statistic")
    return port.class;
  if (real && scalesIntegers(draft, facts)) return "quantization";
  if (real && word === undefined && !canBeLearned(draft, slot, tensor, stated)) return "constant";
  const buffer = stated.buffers.get(tensor.path);
  if (buffer !== undefined) {
    if (buffer !== "unclassified") around.named.add(index);
    return buffer;
  }
  const made = found.source.kind === "value";
  const packed =
    port.logical !== undefined ||
    /^u?int(8|4|2)$/.test(tensor.dtype) ||
    (/^u?int(16|32)$/.test(tensor.dtype) && (made || /bias/.test(port.name)));
  const named = ownerName(tensor.path) !== null;
  const single = (countOf(tensor.shape) ?? 0) <= 1;
  // Worked out in a module that has lost buffers on the way, and no parameters.
  const gone = stated.gone.get(draft.modules?.at(-1)?.path ?? "");
  if (gone && gone.parameters === 0 && real && !named && !single) return "unclassified";
  const rank = tensor.shape.length;
  // A table of single numbers: quantiles, noise levels, or weights of things that are counted.
  if (real && rank === 1 && !single && !named && bareType(draft) === "Gather") return "unclassified";
  if (port.class === "parameter") {
    if (!(real || packed) || (!named && isNeutral(draft, port.name, tensor))) return "constant";
    if (isLiteralZeros(tensor)) return "constant";
    if (made && single && !named) return "constant";
    if (hasOwnName(slot, tensor, stated)) likely.add(index);
    return "parameter";
  }
  if (isMatrix(draft)) {
    if (!(real || packed) || (single && rank < 2)) return "constant";
    // Positions times frequencies, or a weight that is kept as two vectors.
    if (prepares && !named && tensor.shape.at(-2) === 1) return "unclassified";
    // A matrix of one column, or numbers to take a mean with (the bins of a distribution over distances).
    if ((!named && rank < 2) || hasOwnName(slot, tensor, stated)) likely.add(index);
    return "parameter";
  }
  if (named && (real || packed)) return "parameter";
  if (real && rank > 0 && single && shiftsOneColumn(draft, facts, table)) {
    likely.add(index);
    return "parameter";
  }
  if (single || !(real || (packed && (made || bareType(draft).startsWith("QLinear"))))) return "constant";
  return made && isComputed(slot, around) ? "unclassified" : vectorClass(draft, tensor, index, around);
}

/** Of several tensors of more than one number, so that none of them is what the layer gets. */
function isComputed({ found }: Slot, { facts, table }: Around): boolean {
  const parts = staticTensors(found, facts) ?? [];
  return parts.filter((part) => (countOf(table.get(part).shape) ?? 0) > 1).length > 1;
}

/**
 * Of a vector that is an operand of arithmetic. What was worked out in a module of which only parameters are gone is made of
 * them; what was joined in one of which buffers are gone too is partly those (zeros between biases of queries and values).
 */
function vectorClass(
  draft: Draft,
  tensor: StoredTensor,
  index: number,
  { facts, table, stated, likely, worked }: Around,
): TensorClass {
  const module = draft.modules?.at(-1)?.path ?? "";
  const gone = stated.gone.get(module);
  if (gone && gone.parameters > 0 && isVector(tensor.shape)) {
    if (gone.buffers === 0) {
      worked.set(module, (worked.get(module) ?? new Set()).add(index));
      return "unclassified";
    }
    if (/^(cat|concat)(_\d+)?$/.test(tensor.path)) return "unclassified";
  }
  const affinity = affinityOf(draft, tensor, facts, table);
  if (affinity === "likely") likely.add(index);
  return affinity === null ? "unclassified" : "parameter";
}

/** Vectors worked out in a module are its parameters that are gone, when there are no more of them than of those. */
export function settleWorked({ stated, worked }: Around, classes: Map<number, TensorClass>): void {
  for (const [module, tensors] of worked) {
    if (tensors.size > (stated.gone.get(module)?.parameters ?? 0)) continue;
    for (const index of tensors) if (classes.get(index) === "unclassified") classes.set(index, "parameter");
  }
}

/**
 * A tensor of a trace, taken as it is stored, that was given a name by hand: a parameter, or a buffer. Layers of torch.nn have
 * other names, and what the exporter made has one of its own.
 */
function hasOwnName({ found }: Slot, { path, dtype }: StoredTensor, { traced }: Stated): boolean {
  const direct = found.source.kind === "tensor" && /^b?float/.test(dtype);
  return traced && direct && ownerName(path) === null && !/^(onnx::|\/|\d+$)/.test(path);
}

const normalScale = /^(gamma|beta)$/;

/**
 * Whether a tensor that bears no name of the program's can be made of its parameters: of such as are gone. A normalization has
 * its own in its module, so that those of other modules went elsewhere, and what is neutral was made up by the exporter.
 */
function canBeLearned(draft: Draft, { port }: Slot, { values }: StoredTensor, { losing }: Stated): boolean {
  if (losing === null) return true;
  if (losing.length === 0) return false;
  if (!normalScale.test(port.name)) return true;
  const neutral = port.name === "gamma" ? 1 : 0;
  if (values && values.length > 0 && values.every((value) => value === neutral)) return false;
  const module = draft.modules?.at(-1)?.path;
  if (module === undefined) return true;
  return losing.some(
    (lost) =>
      lost === module || lost.startsWith(`${module}.`) || (lost !== "" && module.startsWith(`${lost}.`)),
  );
}

/**
 * A scale of ones or a shift of zeros: how a normalization that learned none is written, by exporters that normalize groups
 * with another operator, and by TensorFlow, whose literal constants are called so. Quantized, all of them are one number.
 */
function isNeutral(draft: Draft, role: string, { path, values, dtype }: StoredTensor): boolean {
  if (!values || values.length === 0) return false;
  const type = bareType(draft);
  const literal = type === "BatchNormalization" && /\/Const(_\d+)?:\d+$/.test(path);
  if (type !== "InstanceNormalization" && !literal) return false;
  const neutral = /^u?int/.test(dtype) ? values[0] : role === "gamma" ? 1 : 0;
  return values.every((value) => value === neutral);
}

/** What `tf.zeros` of a fixed shape is called: a kernel that a layer makes up for the shape of the state that it gives. */
function isLiteralZeros({ path, values }: StoredTensor): boolean {
  return /\/zeros(_like)?(_\d+)?:\d+$/.test(path) && (values ?? []).every((value) => value === 0);
}

/** Scales of weights: times that of an input, measured when the model runs, or times the sums of a product of integers. */
function scalesIntegers(draft: Draft, facts: Facts): boolean {
  if (bareType(draft) !== "Mul") return false;
  return (facts.get(draft)?.slots ?? []).some(({ found }) => {
    const maker = makerOf(found);
    const cast = maker && bareType(maker) === "Cast" ? facts.get(maker)?.slots[0] : undefined;
    const origin = cast ? makerOf(cast.found) : maker;
    return origin && /^(DynamicQuantizeLinear|MatMulInteger|ConvInteger)$/.test(bareType(origin));
  });
}

/** Of a tensor that goes into one that is worked out ahead, nothing tells. */
export function passingClass(
  handsOn: boolean,
  { dtype, shape }: StoredTensor,
  { losing }: Stated,
): TensorClass {
  return !handsOn && losing?.length !== 0 && /^b?float/.test(dtype) && (countOf(shape) ?? 0) > 1
    ? "unclassified"
    : "constant";
}

function bufferOf(tensor: StoredTensor): TensorClass {
  return /(^|\.)num_batches_tracked$/.test(tensor.path) ? "bookkeeping" : "constant";
}
