/** Names for people, and the modules of the network that was exported, from what exporters leave in a node. */

import type { ModuleRef } from "../../src/ir/graph.ts";
import { maxModuleDepth, maxModuleText } from "../../src/limits/pytorch.ts";
import type { OnnxNode } from "./proto.ts";

/** Where PyTorch's exporter notes the modules of a node. */
export const scopesKey = "pkg.torch.onnx.name_scopes";

/** What PyTorch puts in place of the modules of a node that it made itself. */
const noModule = "_empty_nn_module_stack_from_metadata_hook";

/** So many names of modules are remembered at a time: nodes of one module stand close together. */
const rememberedModules = 1000;

/** Modules of nodes that were met, by what their names begin with: nodes of one module share one list. */
export class KnownModules {
  private readonly lists = new Map<string, readonly ModuleRef[]>();
  private characters = 0;

  /** Those that a name stands in which begins with `around`, and a slash. */
  around(around: string): readonly ModuleRef[] {
    const known = this.lists.get(around);
    if (known) return known;
    if (this.lists.size === rememberedModules) this.lists.clear();
    const modules = this.withinText(modulesNamed(around));
    this.lists.set(around, modules);
    return modules;
  }

  private withinText(modules: readonly ModuleRef[]): readonly ModuleRef[] {
    for (const { path } of modules) this.characters += path.length;
    return this.characters <= maxModuleText ? modules : noModules;
  }
}

/** Modules around a node, outermost first; empty when nothing tells. */
export function modulesOf(node: OnnxNode, known: KnownModules = new KnownModules()): readonly ModuleRef[] {
  const scopes = node.metadata.get(scopesKey);
  if (scopes !== undefined) {
    const paths = pythonTexts(scopes).slice(0, -1).slice(0, maxModuleDepth);
    const classes = pythonTexts(node.metadata.get("pkg.torch.onnx.class_hierarchy") ?? "");
    return paths.flatMap((path, i) =>
      path === "" || path === noModule ? [] : [{ path, type: bareClass(classes[i]) }],
    );
  }
  const end = node.name.lastIndexOf("/");
  return end < 0 ? noModules : known.around(node.name.slice(0, end));
}

/** The module that PyTorch's newer exporter noted for a node, empty for the network itself; null where it noted none. */
export function moduleOf(node: OnnxNode): string | null {
  const scopes = node.metadata.get(scopesKey);
  if (scopes === undefined || scopes.includes(noModule)) return null;
  return modulesOf(node).at(-1)?.path ?? "";
}

const noModules: readonly ModuleRef[] = [];

function modulesNamed(around: string): readonly ModuleRef[] {
  const steps = around.split("/");
  return steps[0] === "" ? scriptModules(steps.slice(1, maxModuleDepth + 1)) : tensorFlowModules(steps);
}

/** `/layer1/layer1.0/conv1/Conv`: a step that goes on from the one before it stands for both. */
function scriptModules(steps: readonly string[]): readonly ModuleRef[] {
  let path = "";
  let before = "";
  return steps.map((step) => {
    path =
      before !== "" && step.startsWith(`${before}.`) ? path + step.slice(before.length) : joined(path, step);
    before = step;
    return { path, type: null };
  });
}

function joined(path: string, step: string): string {
  return path === "" ? step : `${path}.${step}`;
}

/** `StatefulPartitionedCall/model/dense/MatMul`: calls of the runtime are no part of the network. */
function tensorFlowModules(steps: readonly string[]): readonly ModuleRef[] {
  const real = steps
    .filter((step) => !/^(Stateful)?PartitionedCall(_\d+)?$/.test(step))
    .slice(0, maxModuleDepth);
  return real.map((_, i) => ({ path: real.slice(0, i + 1).join("/"), type: null }));
}

/** The texts of a Python list as `repr` writes it. */
export function pythonTexts(text: string): readonly string[] {
  return [...text.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/g)].map((match) =>
    (match[1] ?? match[2] ?? "").replace(/\\(.)/g, "$1"),
  );
}

function bareClass(name: string | undefined): string | null {
  if (name === undefined || name === "") return null;
  return name.slice(name.lastIndexOf(".") + 1);
}

/** Operations of Keras's layers that read a variable; where none of these is named, the layer itself reads it. */
const tensorFlowOperation =
  /\/(?:MatMul|BiasAdd|(?:separable_)?[Cc]onv\d[Dd](?:_transpose)?|depthwise|FusedBatchNorm\w*|Tensordot|Reshape|Cast|Neg|[Ee]insum(?:\/Einsum)?|batchnorm(?:\/\w+)?|mul|add|sub)(?:_\d+)?$/;

/** What ONNX Runtime's quantizers write in place of the exporter. */
export const quantizer = "onnx.quantize";

/** The name that a tensor had before ONNX Runtime's quantizers added to it. */
export function nameBefore(quantized: string): string {
  return quantized.replace(/_(quantized|DequantizeLinear_Output)$/, "");
}

/** What tensors of one module have in common: `conv1` of `conv1.weight`. Null when the name has no such part. */
export function ownerName(stored: string): string | null {
  const tensor = nameBefore(stored);
  const keras = /^(?:StatefulPartitionedCall\/)?(.+)\/ReadVariableOp(?:_\d+)?(?:\/resource)?(?::\d+)?$/.exec(
    tensor,
  )?.[1];
  if (keras !== undefined) return keras.replace(tensorFlowOperation, "");
  const torch =
    /^(.+?)\.(?:parametrizations\.\w+\.original\d*|(?:in_proj_)?weight|(?:in_proj_)?bias|gamma\w*|layer_scale(?:_\d+)?|beta|weight_bias|weight_[gv]|(?:weight|bias)_[ih]h(?:_l\d+)?(?:_reverse)?)$/.exec(
      tensor,
    );
  return torch?.[1] ?? null;
}
