/** Biases that ONNX Runtime's quantizer stores anew for a further use, since the scale of a bias follows that of its input. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import { sameShape } from "../../src/ir/shape.ts";
import type { Weight } from "../../src/ir/tensor.ts";
import { nameBefore, quantizer } from "./names.ts";
import type { OnnxModel } from "./proto.ts";
import { reportRepeated } from "./repeated-weights.ts";
import type { Facts } from "./static-values.ts";
import type { TensorTable } from "./tensor-table.ts";

/** Lets all layers of one kernel have the bias of the first, where the others are named after it and a number. */
export function settleQuantizedBiases(
  onnx: OnnxModel,
  facts: Facts,
  table: TensorTable,
  report: (diagnostic: Diagnostic) => void,
): void {
  if (onnx.producerName !== quantizer) return;
  const firsts = new Map<number, Weight>();
  const kernels = new Set<number>();
  const copies = new Set<number>();
  for (const draft of facts.keys()) {
    const learned = draft.weights.filter(({ class: kind }) => kind === "parameter");
    const [kernel, bias, ...others] = learned;
    if (kernel?.tensor === undefined || bias?.tensor === undefined || others.length > 0) continue;
    const first = firsts.get(kernel.tensor);
    if (!first) firsts.set(kernel.tensor, bias);
    else if (first.tensor !== bias.tensor && isAgain(first, bias, table)) {
      draft.weights = draft.weights.map((weight) =>
        weight === bias ? { ...bias, name: first.name, tensor: first.tensor as number } : weight,
      );
      copies.add(bias.tensor);
      kernels.add(kernel.tensor);
      table.settle(bias.tensor, "unused");
    }
  }
  reportRepeated(copies, kernels.size, table, report);
}

/** `conv.bias0_quantized` beside `conv.bias_quantized`, in whichever order they are used. */
function isAgain(first: Weight, bias: Weight, table: TensorTable): boolean {
  if (first.tensor === undefined || bias.tensor === undefined) return false;
  const [one, other] = [table.get(first.tensor), table.get(bias.tensor)];
  if (one.dtype !== other.dtype || !sameShape(one.shape, other.shape)) return false;
  const names = [nameBefore(one.path), nameBefore(other.path)].sort((a, b) => a.length - b.length);
  const [short = "", long = ""] = names;
  const numbered = (name: string): string => name.replace(/\d+$/, "");
  return (
    short !== long &&
    (long.startsWith(short) ? /^\d+$/.test(long.slice(short.length)) : numbered(short) === numbered(long))
  );
}
