/** Every tensor that an ONNX file stores: initializers, constants, and lists of numbers in attributes. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import type { DType } from "../../src/ir/dtype.ts";
import { bitsOf } from "../../src/ir/dtype.ts";
import { countOf } from "../../src/ir/shape.ts";
import type { StoredTensor, TensorClass } from "../../src/ir/tensor.ts";
import { maxModelElements } from "../../src/limits.ts";
import type { OnnxAttribute, OnnxTensor } from "./proto.ts";

interface Entry {
  tensor: StoredTensor;
  used: boolean;
}

export class TensorTable {
  readonly #entries: Entry[] = [];
  readonly #paths = new Set<string>();
  /** How often a path was asked for, of those that were more than once. */
  readonly #again = new Map<string, number>();
  /** A function that is called twice still stores its tensors once. */
  readonly #known = new Map<OnnxTensor | OnnxAttribute, number | null>();
  readonly #report: (diagnostic: Diagnostic) => void;
  #elements = 0;

  constructor(report: (diagnostic: Diagnostic) => void) {
    this.#report = report;
  }

  /** Index of the tensor, or null (reported) when it would make the file too large to count exactly. */
  add(name: string, tensor: OnnxTensor, shape: readonly number[] = tensor.dims): number | null {
    const known = this.#known.get(tensor);
    if (known !== undefined) return known;
    const bits = bitsOf(tensor.dtype) ?? 0;
    const elements = countOf(shape) ?? Number.POSITIVE_INFINITY;
    const bytes = bits === 0 ? tensor.bytes : Math.ceil((elements * bits) / 8);
    const index = this.#push(name, tensor.dtype, shape, elements, bytes, tensor.values);
    this.#known.set(tensor, index);
    return index;
  }

  /** Numbers of an attribute. */
  addNumbers(
    name: string,
    dtype: DType,
    count: number,
    values: readonly number[] | null,
    shape?: readonly number[],
  ): number | null {
    const bytes = Math.ceil((count * (bitsOf(dtype) ?? 0)) / 8);
    return this.#push(name, dtype, shape ?? [count], count, bytes, values);
  }

  /** What a Constant node holds; undefined for an attribute of which none is made, a sparse tensor among them. */
  addConstant(name: string, attribute: OnnxAttribute): number | null | undefined {
    if (attribute.kind === "tensor") return this.add(name, attribute.value);
    const known = this.#known.get(attribute);
    if (known !== undefined) return known;
    const index = this.#addValue(name, attribute);
    if (index !== undefined) this.#known.set(attribute, index);
    return index;
  }

  #addValue(name: string, attribute: OnnxAttribute): number | null | undefined {
    switch (attribute.kind) {
      case "int":
      case "float":
        return this.addNumbers(name, numberType(attribute.kind), 1, [attribute.value], []);
      case "ints":
      case "floats":
        return this.addNumbers(name, numberType(attribute.kind), attribute.count, attribute.values);
      case "string":
        return this.addNumbers(name, "string", 1, null, []);
      case "strings":
        return this.addNumbers(name, "string", attribute.count, null);
      default:
        return undefined;
    }
  }

  /** Whether it has been added; one that was left out counts as well. */
  knows(stored: OnnxTensor | OnnxAttribute): boolean {
    return this.#known.has(stored);
  }

  get(index: number): StoredTensor {
    return this.#entries[index]?.tensor as StoredTensor;
  }

  /** Of those tensors together. */
  elementsOf(tensors: Iterable<number>): number {
    let sum = 0;
    for (const index of tensors) sum += countOf(this.get(index).shape) ?? 0;
    return sum;
  }

  markUsed(index: number): void {
    const entry = this.#entries[index];
    if (entry) entry.used = true;
  }

  isUsed(index: number): boolean {
    return this.#entries[index]?.used === true;
  }

  /** Says what an unclaimed tensor is. */
  settle(index: number, unclaimed: TensorClass): void {
    const entry = this.#entries[index];
    if (entry) entry.tensor = { ...entry.tensor, unclaimed };
  }

  get tensors(): readonly StoredTensor[] {
    return this.#entries.map((entry) => entry.tensor);
  }

  #push(
    name: string,
    dtype: DType,
    shape: readonly number[],
    elements: number,
    bytes: number,
    values: readonly number[] | null,
  ): number | null {
    const path = this.#unique(name);
    if (!(this.#elements + elements <= maxModelElements)) {
      const reason = `with it the file would have more than ${maxModelElements} elements; it is left out`;
      this.#report({ code: "shape-suspicious", args: { shape: `(${shape.join(", ")})`, reason }, at: path });
      return null;
    }
    this.#elements += elements;
    // No size depends on a number without end, as masks of attention have it, and JSON could not hold it.
    const known =
      values !== null && values.length === elements && values.every(Number.isFinite) ? { values } : {};
    this.#entries.push({
      tensor: { path, dtype, shape, bytes, unclaimed: "unused", ...known },
      used: false,
    });
    return this.#entries.length - 1;
  }

  #unique(name: string): string {
    const { size } = this.#paths;
    if (this.#paths.add(name).size > size) return name;
    const seen = this.#again.get(name) ?? 1;
    this.#again.set(name, seen + 1);
    return this.#unique(`${name}#${seen + 1}`);
  }
}

function numberType(kind: "int" | "ints" | "float" | "floats"): "int64" | "float32" {
  return kind.startsWith("int") ? "int64" : "float32";
}
