/** Scales, zero points, indices and code books of quantised weights, by their names and by what they stand beside. */

import { bitsOf, type DType } from "../../src/ir/dtype.ts";
import { elementsOf } from "../../src/ir/shape.ts";
import type { Module } from "./modules.ts";
import { isPackedName } from "./packed.ts";
import { lastStep } from "./recognize.ts";
import type { NamedTensor } from "./state-dict.ts";

interface Tensor {
  readonly local: string;
  readonly tensor: NamedTensor;
  readonly module: Module;
  /** `quant_method` of the model's configuration, "" when there is none. */
  readonly method: string;
}

/** Whole numbers and truth values. */
export function isWhole(dtype: DType): boolean {
  return dtype === "bool" || /^u?int/.test(dtype);
}

/** Types that nothing is trained in: a weight of such a type has been quantised. */
function isNarrow(dtype: DType): boolean {
  const bits = bitsOf(dtype);
  return dtype !== "bool" && bits !== null && (bits <= 8 || isWhole(dtype));
}

const besideNarrow =
  /^(weight_)?(scales?|biases|zeros?|zero_points?|qzeros|g_idx)$|^weight_(scale_inv|scale_2|global_scale|shape|format)$|^(input|k|v|q|output)_(scale|scale_ub|global_scale|zero_point)$|^SCB$/;

/** Whether a tensor is what a quantised weight beside it is scaled with or looked up in. */
export function isQuantizationHelper({ local, module, tensor, method }: Tensor): boolean {
  if (/\.(absmax|quant_map|nested_absmax|nested_quant_map|quant_state\.\w+)$/.test(local)) return true;
  if (local.endsWith("_scales") && module.byLocal.has(local.replace(/_scales$/, "_blocks"))) return true;
  if (local === "scale" || local === "zero_point") {
    if (module.byLocal.has("scale") && module.byLocal.has("zero_point")) return true;
  }
  // As graphs of torch.ao have them: `fc_scale_0`, `fc_zero_point_0`.
  const pair = /^(\w+)_(?:scale|zero_point)_(\d+)$/.exec(local);
  if (pair && ["scale", "zero_point"].every((one) => module.byLocal.has(`${pair[1]}_${one}_${pair[2]}`)))
    return true;
  // As torchao flattens its tensors: `_weight_qdata`, `_weight_scale`.
  const beside = /^(_\w+?)_(scale|zero_point)$/.exec(local)?.[1];
  if (beside !== undefined && module.byLocal.has(`${beside}_qdata`)) return true;
  // As quanto does: `weight._data`, `weight._scale`.
  if (/^_(scale|shift)$/.test(local) && lastStep(module.path) === "weight") return true;
  // And what goes into a module of quanto and comes out of it has a scale each.
  if (/^(input|output)_scale$/.test(local) && elementsOf(tensor.shape) === 1) {
    if (module.byLocal.has("input_scale") && module.byLocal.has("output_scale")) return true;
  }
  if (method !== "" && isCodeBook(local, module)) return true;
  if (!besideNarrow.test(local)) return false;
  // Scales of a cache of keys and values stand in a module without weights.
  if (method !== "" && elementsOf(tensor.shape) === 1) return true;
  return module.members.some(
    (member) =>
      (isPackedName(member.local) || /(^|_)weight$/.test(member.local)) && isNarrow(member.tensor.dtype),
  );
}

/** What quantisers whose numbers are not unpacked here look them up in: AQLM, VPTQ, HIGGS, ExLlamaV2, Marlin. */
function isCodeBook(local: string, { path, byLocal }: Module): boolean {
  if (/(^|_)centroids$/.test(lastStep(path))) return true;
  if (local === "s") return byLocal.has("B");
  if (local === "scales") return byLocal.has("codes") || byLocal.has("tables");
  if (/^weight_(scale|bias)$/.test(local)) return byLocal.has("indices");
  return /^(codebooks|tables2?|q_scale(_max)?|scale_packed)$/.test(local);
}
