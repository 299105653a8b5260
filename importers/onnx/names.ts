/** Names for people, and the modules of the network that was exported, from what exporters leave in a node. */

import type { ModuleRef } from "../../src/ir/graph.ts";
import type { OnnxNode } from "./proto.ts";

/** Where PyTorch's exporter notes the modules of a node. */
export const scopesKey = "pkg.torch.onnx.name_scopes";

/** What PyTorch puts in place of the modules of a node that it made itself. */
const noModule = "_empty_nn_module_stack_from_metadata_hook";

/** So many names of modules are remembered at a time: nodes of one module stand close together. */
const rememberedModules = 1000;

/**
 * Modules around a node, outermost first; empty when nothing tells. `known` are those of nodes before it, by what their names
 * begin with, so that nodes of one module share one list.
 */
export function modulesOf(
  node: OnnxNode,
  known: Map<string, readonly ModuleRef[]> = new Map(),
): readonly ModuleRef[] {
  const scopes = node.metadata.get(scopesKey);
  if (scopes !== undefined) {
    const paths = pythonTexts(scopes).slice(0, -1);
    const classes = pythonTexts(node.metadata.get("pkg.torch.onnx.class_hierarchy") ?? "");
    return paths.flatMap((path, i) =>
      path === "" || path === noModule ? [] : [{ path, type: bareClass(classes[i]) }],
    );
  }
  const end = node.name.lastIndexOf("/");
  if (end < 0) return noModules;
  const around = node.name.slice(0, end);
  let modules = known.get(around);
  if (!modules) {
    const steps = around.split("/");
    modules = steps[0] === "" ? scriptModules(steps.slice(1)) : tensorFlowModules(steps);
    if (known.size === rememberedModules) known.clear();
    known.set(around, modules);
  }
  return modules;
}

const noModules: readonly ModuleRef[] = [];

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
  const real = steps.filter((step) => !/^(Stateful)?PartitionedCall(_\d+)?$/.test(step));
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

/** What tensors of one module have in common: `conv1` of `conv1.weight`. Null when the name has no such part. */
export function ownerName(tensor: string): string | null {
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
