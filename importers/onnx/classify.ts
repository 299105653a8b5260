/**
 * What the stored tensors of a graph are: decided by the slots that consume them, or by the exporter's own word where it
 * left one. A float that no rule tells apart stays unclassified and is reported.
 */

import type { Diagnostic } from "../../src/diagnostics.ts";
import { countOf } from "../../src/ir/shape.ts";
import type { StoredTensor, TensorClass, Weight } from "../../src/ir/tensor.ts";
import { affinityBehind, isVector, transparent } from "./affine.ts";
import { reportDoubt } from "./doubt.ts";
import type { Draft, Found } from "./frame.ts";
import type { NodeFacts, Slot } from "./graph.ts";
import { nameBefore } from "./names.ts";
import type { PortRecord } from "./op.ts";
import { type Around, classOf, isMatrix, passingClass, type Stated, settleWorked } from "./slot-class.ts";
import { bareType, type Facts, isStatic, makerOf, staticTensors } from "./static-values.ts";
import type { TensorTable } from "./tensor-table.ts";

/** Tells sizes alone, so that what it gets may be anything. */
const describing = new Set(["Shape", "Size"]);

const weightiest: Readonly<Record<TensorClass, number>> = {
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
  stated: Stated,
  report: (diagnostic: Diagnostic) => void,
): void {
  const around: Around = {
    facts,
    table,
    stated,
    likely: new Set(),
    named: new Set(),
    worked: new Map(),
  };
  const { classes, claims } = claimTensors(around);
  settleWorked(around, classes);
  giveWeights(claims, facts, classes, table);
  giveGenerated(facts, table, report);
  settle(classes, table, report);
  const tensorAt = (index: number): StoredTensor => table.get(index);
  const learned = [...around.likely].filter((index) => classes.get(index) === "parameter");
  const buffers = [...around.named].filter((index) => classes.get(index) !== "parameter");
  reportDoubt("class-likely", learned.map(tensorAt), report);
  reportDoubt("class-by-name", buffers.map(tensorAt), report);
}

/** What each slot says of the tensors that it takes: of several, the class that ranks highest, and whose weight each is. */
function claimTensors(around: Around): {
  readonly classes: Map<number, TensorClass>;
  readonly claims: readonly Claim[];
} {
  const { facts, table, stated } = around;
  const classes = new Classes();
  const claims: Claim[] = [];
  for (const [draft, read] of facts) {
    const { slots } = read;
    const handsOn = transparent.has(bareType(draft)) || describing.has(bareType(draft));
    const prepares = !handsOn && isStatic(draft, facts);
    for (const [i, slot] of slots.entries()) {
      const { class: port } = slot.port;
      const passes = handsOn
        ? port !== "quantization" && port !== "constant"
        : prepares && port === undefined && !(isMatrix(draft) && i === 1);
      for (const tensor of staticTensors(slot.found, facts) ?? []) {
        table.markUsed(tensor);
        const word = stated.kinds.get(nameBefore(table.get(tensor).path));
        const found =
          passes && word === undefined
            ? passingClass(handsOn, table.get(tensor), stated)
            : classOf({ draft, slot, index: tensor, prepares }, around);
        if (classes.put(tensor, found, passes)) claims.push({ draft, slot, tensor, passes });
      }
    }
    for (const claim of attributeClaims(draft, read, classes.found, table)) claims.push(claim);
  }
  return { classes: classes.found, claims };
}

/** Classes of tensors while slots speak of them, one after the other. */
class Classes {
  readonly found: Map<number, TensorClass> = new Map();
  /** Those of which nobody has spoken but who hands them on. */
  private readonly passed = new Set<number>();

  /**
   * Notes that a slot takes a tensor for `found`. False when that has no weight: what only hands a tensor on says nothing of it,
   * unless nobody else does; of those, one that leaves it open is right.
   */
  put(tensor: number, found: TensorClass, passes: boolean): boolean {
    const before = this.found.get(tensor);
    if (passes && before !== undefined) {
      if (this.passed.has(tensor) && found === "unclassified") this.found.set(tensor, found);
      return false;
    }
    if (
      before === undefined ||
      (!passes && this.passed.delete(tensor)) ||
      weightiest[found] > weightiest[before]
    )
      this.found.set(tensor, found);
    if (passes) this.passed.add(tensor);
    return true;
  }
}

const noClaims: readonly Claim[] = [];

/** Lists of numbers in attributes that a record tells the class of. */
function attributeClaims(
  draft: Draft,
  { view, op }: NodeFacts,
  classes: Map<number, TensorClass>,
  table: TensorTable,
): readonly Claim[] {
  if (!view || !op?.stored) return noClaims;
  const claims: Claim[] = [];
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
      const shifts = isVector(shape) && affinityBehind(draft, facts, table) !== null;
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

function attributeSlot(name: string, tensor: number): Slot {
  return {
    port: { name, class: "parameter" },
    found: { source: { kind: "tensor", tensor }, levels: 0, level: { layers: [], depth: 0 } },
  };
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
  const open: StoredTensor[] = [];
  for (const [index, tensor] of table.tensors.entries()) {
    const found = classes.get(index);
    if (found === undefined) {
      if (table.isUsed(index)) table.settle(index, "constant");
      continue;
    }
    table.settle(index, found);
    if (found === "unclassified") open.push(tensor);
  }
  reportDoubt("class-ambiguous", open, report);
}
