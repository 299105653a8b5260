/** Buffers that their names tell, where another format leaves open what its tensors are. */

import { type Classified, classify } from "./classify.ts";
import { groupModules } from "./modules.ts";
import type { NamedTensor } from "./state-dict.ts";

const buffers: ReadonlySet<string> = new Set(["constant", "statistic", "bookkeeping"]);

/** Most tensors have one of these names: of them only a causal mask (1, 1, n, n) is no parameter. `onnx::MatMul_12` is no name. */
function isPlain({ name, shape }: NamedTensor): boolean {
  const local = name.slice(name.lastIndexOf(".") + 1);
  return local === "weight" || name.startsWith("onnx::") || (local === "bias" && shape.length !== 4);
}

function moduleOf({ name }: NamedTensor): string {
  return name.slice(0, Math.max(0, name.lastIndexOf(".")));
}

/**
 * Tensors of floating point that are buffers by the rules for names in state dicts (`inv_freq`, `final_logits_bias`), by their
 * names, with what they are and how sure that is; and those of which the rules say that the name is a buffer's as often as a
 * parameter's (`filt`). All names of a model are needed, since some rules look at those beside.
 */
export function knownBuffers(tensors: readonly NamedTensor[]): ReadonlyMap<string, Classified> {
  const found = new Map<string, Classified>();
  const open = new Set(tensors.filter((tensor) => !isPlain(tensor) && /^b?float/.test(tensor.dtype)));
  const modules = new Set([...open].map(moduleOf));
  const beside = tensors.filter((tensor) => modules.has(moduleOf(tensor)));
  for (const module of groupModules(beside, ".")) {
    for (const { local, tensor } of module.members) {
      if (!open.has(tensor)) continue;
      const rule = classify(local, tensor, module, null, "");
      if (buffers.has(rule.class) || rule.class === "unclassified") found.set(tensor.name, rule);
    }
  }
  return found;
}
