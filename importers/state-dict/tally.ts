/** What the rules decided, summed up for the notes. */

import { counted } from "../../src/counted.ts";
import type { Diagnostic } from "../../src/diagnostics.ts";
import { elementsOf } from "../../src/ir/shape.ts";
import { type Classified, classify } from "./classify.ts";
import type { Member, Module } from "./modules.ts";
import { methodOf, type PackedWeight } from "./packed.ts";
import type { Recognized } from "./recognize.ts";
import type { NamedTensor, StateDict } from "./state-dict.ts";
import type { Storage } from "./storage.ts";

/** What the rules decided, counted as stored tensors. */
export class Tally {
  private readonly storage: Storage;
  private readonly dict: StateDict;
  private readonly seen = new Set<number>();
  private readonly likely = { parameters: 0, elements: 0, buffers: 0 };
  private readonly open = { tensors: 0, elements: 0, first: "" };
  private readonly packed = { tensors: 0, elements: 0, first: "" };

  constructor(storage: Storage, dict: StateDict) {
    this.storage = storage;
    this.dict = dict;
  }

  /** The class of a member; a weight whose packing is known is a parameter. */
  classify(
    member: Member,
    module: Module,
    recognized: Recognized | null,
    packed: PackedWeight | null,
  ): Classified {
    const kind: Classified =
      packed && !member.tensor.class
        ? { class: "parameter", certainty: "certain" }
        : classify(member.local, member.tensor, module, recognized, methodOf(this.dict.quantization));
    const index = this.storage.indexOf.get(member.tensor) ?? 0;
    if (!this.seen.has(index)) {
      this.seen.add(index);
      this.count(kind, member.tensor);
    }
    return kind;
  }

  private count(kind: Classified, tensor: NamedTensor): void {
    const elements = elementsOf(tensor.stored ?? tensor.shape) ?? 0;
    if (kind.class === "unclassified") {
      const open = kind.packed ? this.packed : this.open;
      if (open.tensors === 0) open.first = tensor.name;
      open.tensors += 1;
      open.elements += elements;
    } else if (kind.certainty === "likely" && kind.class === "parameter") {
      this.likely.parameters += 1;
      this.likely.elements += elements;
    } else if (kind.certainty === "likely") this.likely.buffers += 1;
  }

  /** What there is to say, once every tensor has its class. `recognized`: some classes of modules are. */
  diagnostics(recognized: boolean): Diagnostic[] {
    const { likely, open, packed } = this;
    const found: Diagnostic[] = [];
    const marked = recognized
      ? "; classes with ~ are recognised from names and shapes, not read from the file"
      : "";
    const flags = this.dict.tensors.some(({ trainable }) => trainable !== undefined)
      ? "the file says which are trainable"
      : "which of them are trainable is not recorded";
    const reason = `it holds weights only; ${flags}${marked}`;
    found.push({ code: "config-missing", args: { reason }, at: "" });
    if (likely.parameters + likely.buffers > 0) {
      found.push({
        code: "names-guessed",
        args: {
          reason: `the file does not say what is a parameter and what a buffer; taken by names and types alone: ${counted(likely.parameters, "tensor")} (${counted(likely.elements, "element")}) as parameters, ${likely.buffers} as buffers`,
        },
        at: "",
      });
    }
    if (open.tensors > 0) {
      found.push({
        code: "tensors-unclassified",
        args: { tensors: open.tensors, elements: open.elements, first: open.first },
        at: "",
      });
    }
    if (packed.tensors > 0) {
      const method = methodOf(this.dict.quantization);
      found.push({ code: "weights-packed", args: { ...packed, method }, at: "" });
    }
    for (const { name, first } of this.storage.ties)
      found.push({ code: "weight-tied", args: { weight: name, same: first }, at: "" });
    return found;
  }
}
