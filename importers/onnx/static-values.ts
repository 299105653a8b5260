/** Which stored tensors a value is made of, where nothing that is fed to the model goes into it. */

import { maxOnnxStaticNodes } from "../../src/limits/onnx.ts";
import type { Draft, Found } from "./frame.ts";
import type { NodeFacts } from "./graph.ts";

export type Facts = ReadonlyMap<Draft, NodeFacts>;

/** Type of a layer without its domain. */
export function bareType(draft: Draft): string {
  return draft.source.type.slice(draft.source.type.lastIndexOf(".") + 1);
}

export function makerOf({ source, level }: Found): Draft | undefined {
  return source.kind === "value" ? level.layers[source.layer] : undefined;
}

/** Describes a tensor and hands none of its elements on. */
const describing = new Set(["Shape", "Size", "NonZero", "ArgMax", "ArgMin"]);

/** Layers of their own, whose operands are theirs, also where the exporter could have worked out what they give. */
const computing = /^(Fused)?(MatMul|Gemm|Conv|ConvTranspose)$/;

const bounded = /^(Clip|Max)$/;

/** A number bounded from below and spread over what it divides, as `torch.nn.functional.normalize` writes it. */
function isNorm(found: Found | undefined, facts: Facts): boolean {
  const maker = found && makerOf(found);
  const first = maker && bareType(maker) === "Expand" ? facts.get(maker)?.slots[0]?.found : found;
  const before = first && makerOf(first);
  return before !== undefined && bounded.test(bareType(before));
}

/** Slots that say how, not what: sizes, axes, scales. */
function isOperand(draft: Draft, index: number, slots: NodeFacts["slots"], facts: Facts): boolean {
  const port = slots[index]?.port;
  if (port?.class === "constant" || port?.class === "quantization") return false;
  // A weight is divided by its norm, which was worked out of it.
  if (index === 1 && bareType(draft) === "Div" && isNorm(slots[1]?.found, facts)) return false;
  return !(
    index > 0 && /^(Reshape|Slice|Expand|Tile|Unsqueeze|Squeeze|Gather\w*|Pad)$/.test(bareType(draft))
  );
}

/** Elements stay what they are, whatever sizes a run gives them. */
const rearranging = new Set(["Reshape", "Squeeze", "Unsqueeze"]);

/** Inputs that decide what elements a layer gives. */
function decidingSlots(draft: Draft, slots: NodeFacts["slots"]): NodeFacts["slots"] {
  return rearranging.has(bareType(draft)) ? slots.slice(0, 1) : slots;
}

const fixed = new WeakMap<Facts, ReadonlySet<Draft>>();

/**
 * Layers that nothing fed to the model goes into. Layers stand after what they need, so one look at each tells; asking
 * anew for each value would walk back to the inputs every time.
 */
function fixedLayers(facts: Facts): ReadonlySet<Draft> {
  const known = fixed.get(facts);
  if (known) return known;
  const found = new Set<Draft>();
  for (const [draft, { slots }] of facts) {
    if (slots.length === 0 || draft.subgraphs) continue;
    const all = decidingSlots(draft, slots).every((slot) => {
      const maker = makerOf(slot.found);
      return slot.found.source.kind === "tensor" || (maker !== undefined && found.has(maker));
    });
    if (all) found.add(draft);
  }
  fixed.set(facts, found);
  return found;
}

/**
 * Indices of the tensors whose elements go into the value; null when an input of the graph does as well, or a value that
 * is drawn or made up, or more nodes than a weight is written with.
 */
export function staticTensors(found: Found, facts: Facts): readonly number[] | null {
  if (found.source.kind === "tensor") return found.source.tensor < 0 ? [] : [found.source.tensor];
  const made = makerOf(found);
  // Of nearly every value of a graph.
  if (!made || !fixedLayers(facts).has(made)) return null;
  const tensors = new Set<number>();
  const seen = new Set<Draft>();
  const open: { readonly found: Found; readonly operand: boolean }[] = [{ found, operand: true }];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { source } = at.found;
    if (source.kind === "tensor") {
      if (at.operand && source.tensor >= 0) tensors.add(source.tensor);
      continue;
    }
    const maker = makerOf(at.found);
    const slots = maker && facts.get(maker)?.slots;
    if (!maker || !slots || !fixedLayers(facts).has(maker)) return null;
    if (seen.has(maker)) continue;
    seen.add(maker);
    if (seen.size > maxOnnxStaticNodes) return null;
    for (const [i, slot] of decidingSlots(maker, slots).entries()) {
      const type = bareType(maker);
      const operand =
        at.operand && isOperand(maker, i, slots, facts) && !describing.has(type) && !computing.test(type);
      open.push({ found: slot.found, operand });
    }
  }
  return [...tensors];
}

/** Whether nothing that is fed to the model goes into what a layer gives. */
export function isStatic(draft: Draft, facts: Facts): boolean {
  if (!fixedLayers(facts).has(draft)) return false;
  const slots = facts.get(draft)?.slots ?? [];
  return decidingSlots(draft, slots).every(({ found }) => staticTensors(found, facts) !== null);
}
