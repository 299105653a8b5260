/**
 * Classes of modules, recognised from what they own. A state dict holds no classes, so this is never more than a good
 * reading of names and shapes: where two classes of torch.nn own the same, the answer is the word for both, or none.
 */

import { type StaticShape, sameShape } from "../../src/ir/shape.ts";
import type { Module } from "./modules.ts";

/** Class as torch.nn has it; `Norm` is LayerNorm, GroupNorm or a BatchNorm without statistics. */
export interface Recognized {
  readonly type: string;
  /** Canonical roles by own name; others keep their names. */
  readonly roles: Readonly<Record<string, string>>;
}

const kernel = { weight: "kernel", bias: "bias" } as const;
const norm = {
  weight: "gamma",
  bias: "beta",
  running_mean: "moving-mean",
  running_var: "moving-variance",
  _mean: "moving-mean",
  _variance: "moving-variance",
} as const;

/** What a module is, or `null`. `transposed` has the last path steps of modules that are surely transformers' Conv1D. */
export function recognize(module: Module, transposed: ReadonlySet<string>): Recognized | null {
  const shapeOf = (name: string): StaticShape | undefined => module.byLocal.get(name)?.shape;
  const recurrent = recurrentType(module, shapeOf);
  if (recurrent !== null) return { type: recurrent, roles: {} };
  if (shapeOf("in_proj_weight")?.length === 2 || shapeOf("q_proj_weight")?.length === 2)
    return { type: "MultiheadAttention", roles: {} };
  if (shapeOf("running_mean")?.length === 1 && shapeOf("running_var")?.length === 1)
    return { type: "BatchNorm", roles: norm };
  // PaddlePaddle's names.
  if (shapeOf("_mean")?.length === 1 && shapeOf("_variance")?.length === 1)
    return { type: "BatchNorm", roles: norm };
  const weight = shapeOf("weight") ?? normalizedWeight(shapeOf);
  if (weight === undefined) return null;
  const bias = shapeOf("bias");
  // Over several axes only LayerNorm learns a scale and a shift for each place.
  if (bias !== undefined && bias.length > 1 && sameShape(bias, weight))
    return { type: "LayerNorm", roles: norm };
  if (bias !== undefined && bias.length !== 1) return null;
  const name = ownName(module.path);
  if (weight.length === 1) return vectorType(weight, bias, name);
  if (weight.length === 2) return matrixType(weight, bias, name, transposed);
  if (weight.length >= 3 && weight.length <= 5) return convType(weight, bias, module.path);
  return null;
}

/** The last step that is no number: modules in a list are named after it. */
function ownName(path: string): string {
  const steps = path.split(".");
  return steps.findLast((step) => !/^\d+$/.test(step)) ?? "";
}

export function lastStep(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}

/** Whether a module is transformers' Conv1D, a linear layer with its kernel turned: only its bias tells. */
export function isTransposedLinear(module: Module): boolean {
  const weight = module.byLocal.get("weight")?.shape;
  const bias = module.byLocal.get("bias")?.shape;
  return weight?.length === 2 && bias?.length === 1 && weight[0] !== weight[1] && bias[0] === weight[1];
}

/** The shape of a weight that is kept as direction and length (weight_norm). */
function normalizedWeight(shapeOf: (name: string) => StaticShape | undefined): StaticShape | undefined {
  if (shapeOf("weight_g") && shapeOf("weight_v")) return shapeOf("weight_v");
  if (shapeOf("weight_orig")) return shapeOf("weight_orig");
  const pair = shapeOf("parametrizations.weight.original0") && shapeOf("parametrizations.weight.original1");
  return pair ?? shapeOf("parametrizations.weight.original");
}

/** Rows of the input weight over the width of the state: 4 gates, 3, or none. */
function recurrentType(module: Module, shapeOf: (name: string) => StaticShape | undefined): string | null {
  const suffix = module.byLocal.has("weight_ih_l0") ? "_l0" : "";
  const input = shapeOf(`weight_ih${suffix}`);
  const state = shapeOf(`weight_hh${suffix}`);
  if (input?.length !== 2 || state?.length !== 2 || input[0] !== state[0]) return null;
  const width = shapeOf("weight_hr_l0")?.[1] ?? state[1] ?? 0;
  const gates = (input[0] ?? 0) / width;
  const type = gates === 4 ? "LSTM" : gates === 3 ? "GRU" : gates === 1 ? "RNN" : null;
  return type === null ? null : suffix === "" ? `${type}Cell` : type;
}

function vectorType(weight: StaticShape, bias: StaticShape | undefined, name: string): Recognized | null {
  if (bias !== undefined && bias[0] !== weight[0]) return null;
  if (/prelu/i.test(name) && bias === undefined) return { type: "PReLU", roles: {} };
  if (/rms_?norm/i.test(name) && bias === undefined) return { type: "RMSNorm", roles: norm };
  if (/group_?norm|^gn(_|\d|$)/i.test(name)) return { type: "GroupNorm", roles: norm };
  // Most networks of today call an RMSNorm `layernorm`, and it has no bias either.
  if (/layer_?norm|^ln(_|\d|$)/i.test(name)) return { type: bias ? "LayerNorm" : "Norm", roles: norm };
  // A lone vector can be a norm, a slope of PReLU or a scale of a layer: only a name that says so makes it a norm.
  return bias !== undefined || /norm/i.test(name) ? { type: "Norm", roles: norm } : null;
}

function matrixType(
  weight: StaticShape,
  bias: StaticShape | undefined,
  name: string,
  transposed: ReadonlySet<string>,
): Recognized | null {
  if (bias === undefined) {
    const embedding =
      /(^|_)emb(ed(dings?|_?tokens|_?positions)?)?(_|\d|$)|embed(ding)?s?$|^wt?pe$|^wte$|^shared$|(^|_)tokens?$/i;
    return embedding.test(name)
      ? { type: "Embedding", roles: { weight: "embeddings" } }
      : { type: "Linear", roles: kernel };
  }
  const square = weight[0] === weight[1];
  if (square && transposed.has(name) && bias[0] === weight[0]) return { type: "Conv1D", roles: kernel };
  if (bias[0] === weight[0]) return { type: "Linear", roles: kernel };
  return bias[0] === weight[1] ? { type: "Conv1D", roles: kernel } : null;
}

/**
 * `[out, in / groups, ...]` for a convolution, `[in, out / groups, ...]` for a transposed one. A bias tells them apart
 * unless the kernel is square; without one the far more frequent class is taken, but where a name speaks against it.
 */
function convType(weight: StaticShape, bias: StaticShape | undefined, path: string): Recognized | null {
  const rank = weight.length - 2;
  const open = bias === undefined || weight[0] === weight[1];
  if (open && /(^|[._])(up(conv|sampl|scal|\b|_|\d)|deconv|trans(posed?|_?conv)|tconv)/i.test(path))
    return null;
  if (bias === undefined || bias[0] === weight[0]) return { type: `Conv${rank}d`, roles: kernel };
  const [channels = 0, perGroup = 0] = weight;
  const groups = (bias[0] ?? 0) / (perGroup || 1);
  return groups >= 1 && Number.isInteger(groups) && channels % groups === 0
    ? { type: `ConvTranspose${rank}d`, roles: kernel }
    : null;
}
