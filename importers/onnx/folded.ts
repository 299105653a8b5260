/** What an exporter did to weights that the file still lets one know: normalizations that are gone, copies of matrices. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import { signature } from "./exporter-word.ts";
import type { Draft, Found } from "./frame.ts";
import { moduleOf, modulesOf, nameBefore, ownerName, quantizer } from "./names.ts";
import type { OnnxGraph, OnnxModel } from "./proto.ts";
import type { Stated } from "./slot-class.ts";
import { bareType, type Facts, makerOf, staticTensors } from "./static-values.ts";
import type { TensorTable } from "./tensor-table.ts";

type Report = (diagnostic: Diagnostic) => void;

/** Where PyTorch's exporter notes how it rewrote a node. */
export const rulesKey = "pkg.onnxscript.rewriter.rule_name";

/**
 * Reports batch normalizations that went into weights: by the program's signature, else by the names of the weights. Gives those
 * of the signature.
 */
export function reportFolded(
  onnx: OnnxModel,
  graph: OnnxGraph,
  facts: Facts,
  table: TensorTable,
  report: Report,
): ReadonlySet<string> {
  const stated = signature(graph);
  if (stated.size > 0) return reportStated(graph, stated, table, report);
  for (const [exporter, names] of Object.entries(exporterNames))
    if (onnx.producerName === exporter || onnx.producerName === quantizer)
      reportNamed(names, facts, table, report);
  return new Set();
}

/**
 * Batch normalizations of the exported program of which no tensor is left: they went into the weights before them, and
 * the node that is left bears their name. Its bias has their channels.
 */
function reportStated(
  graph: OnnxGraph,
  stated: ReadonlyMap<string, string>,
  table: TensorTable,
  report: Report,
): ReadonlySet<string> {
  const stored = new Map(table.tensors.map(({ path, shape }) => [nameBefore(path), shape]));
  const folded = new Map<string, { readonly channels: number; readonly hadBias: boolean }>();
  for (const node of graph.nodes) {
    const rules = node.metadata.get(rulesKey) ?? "";
    const module = modulesOf(node).at(-1)?.path;
    const bias = stored.get(node.inputs[2] ?? "");
    if (!/FuseBatchNorm/.test(rules) || module === undefined || bias?.length !== 1) continue;
    if (stated.get(`${module}.running_mean`) !== "buffer" || stored.has(`${module}.running_mean`)) continue;
    const hadBias = stated.has(`${ownerName(node.inputs[1] ?? "")}.bias`);
    folded.set(module, { channels: bias[0] ?? 0, hadBias });
  }
  const modules = new Set(folded.keys());
  if (folded.size === 0) return modules;
  const args = { modules: folded.size, parameters: 0, statistics: 0, left: 0 };
  for (const [module, { channels, hadBias }] of folded) {
    args.statistics += 2 * channels;
    args.left += hadBias ? 0 : channels;
    for (const part of ["weight", "bias"])
      if (stated.get(`${module}.${part}`) === "parameter") args.parameters += channels;
  }
  report({ code: "normalization-folded", args, at: "" });
  return modules;
}

interface FoldedNames {
  readonly weight: RegExp;
  readonly bias: RegExp;
}

/**
 * Names of the weight and the bias of a convolution that a normalization was folded into. TorchScript's exporter names both
 * after their use and a number exactly then: of 124 exports of 88 networks, 123 have as many such pairs as the network has
 * normalizations, and the other leaves out a part of its network.
 */
const exporterNames: Readonly<Record<string, FoldedNames>> = {
  pytorch: { weight: /^onnx::\w+_\d+$/, bias: /^onnx::\w+_\d+$/ },
  tf2onnx: { weight: /_weights_fused_bn$/, bias: /_bias_fused_bn$/ },
};

const convolution = /^(Nhwc)?(Fused|QLinear)?Conv(Transpose|Integer)?$/;

/** Names of the kernel and the bias of a convolution, before they were quantized; of integers, the bias is added by another node. */
function namesOfConvolution(
  type: string,
  inputs: readonly string[],
): { readonly kernel: string; readonly bias: string | null } {
  const [kernel, bias] = type.includes("QLinear") ? [3, 8] : [1, 2];
  const nameAt = (index: number): string => nameBefore(inputs[index] ?? "");
  return { kernel: nameAt(kernel), bias: type.endsWith("Integer") ? null : nameAt(bias) };
}

function reportNamed(names: FoldedNames, facts: Facts, table: TensorTable, report: Report): void {
  const channels = new Map<string, number>();
  for (const [draft, { node, slots }] of facts) {
    const type = bareType(draft);
    if (!convolution.test(type)) continue;
    const { kernel, bias } = namesOfConvolution(type, node?.inputs ?? []);
    if (!names.weight.test(kernel) || (bias !== null && !names.bias.test(bias))) continue;
    const found = slots.find(({ port }) => port.name === (bias === null ? "kernel" : "bias"))?.found;
    const [index] = (found && staticTensors(found, facts)) ?? [];
    if (index !== undefined) channels.set(kernel, table.get(index).shape[0] ?? 0);
  }
  if (channels.size === 0) return;
  const all = [...channels.values()].reduce((a, b) => a + b, 0);
  const args = { modules: channels.size, parameters: 2 * all, statistics: 2 * all };
  report({ code: "normalization-likely-folded", args, at: "" });
}

/**
 * A last matrix without a name of the network's that has the sizes of a table turned over: exporters turn matrices over when
 * they write the file, and so store a table that is also the last matrix twice. Where the table bears the name of the module that the
 * matrix is used in, it is that one, and the copy counts for nothing; else nothing but the payload would tell.
 */
export function settleCopies(facts: Facts, table: TensorTable, stated: Stated, report: Report): void {
  settleOwnCopies(facts, table, stated, report);
  const tables = tablesBySize(facts, table);
  if (tables.size === 0) return;
  const last = [...facts.keys()].findLast(isProduct);
  for (const [i, weight] of (last?.weights ?? []).entries()) {
    if (!last || weight.tensor === undefined) continue;
    const { path, shape, dtype } = table.get(weight.tensor);
    const other = tables.get(`${shape[0]} ${shape[1]}`);
    if (shape.length !== 2 || other === undefined || other === weight.tensor || ownerName(path) !== null)
      continue;
    const { path: same, dtype: kept } = table.get(other);
    if (ownerName(same) !== last.modules?.at(-1)?.path || dtype !== kept) {
      const elements = (shape[0] ?? 0) * (shape[1] ?? 0);
      report({ code: "weight-maybe-tied", args: { weight: path, other: same, elements }, at: last.name });
      continue;
    }
    last.weights = last.weights.with(i, { ...weight, name: same, tensor: other, view: [...shape] });
    table.settle(weight.tensor, "unused");
    report({ code: "weight-copied", args: { weight: path, same }, at: last.name });
  }
}

/**
 * Matrices of a module that stand beside its own weight, turned over: that is used elsewhere as well, as it is. Beside a parameter
 * of another name it takes that the module lost none, of which the matrix could be made instead.
 */
function settleOwnCopies(facts: Facts, table: TensorTable, stated: Stated, report: Report): void {
  const learned = learnedBySize(facts, table, stated);
  for (const [draft, { node }] of facts) {
    const [weight, ...others] = draft.weights;
    const module = draft.modules?.at(-1)?.path ?? (node && moduleOf(node));
    if (!isProduct(draft) || others.length > 0 || weight?.tensor === undefined || module == null) continue;
    const copy = table.get(weight.tensor);
    if (copy.shape.length !== 2 || ownerName(copy.path) !== null) continue;
    const alike = learned.get(module)?.get(sizeKey(copy.dtype, [...copy.shape].reverse()));
    const only = alike?.parameters.filter((index) => index !== weight.tensor) ?? [];
    const named = alike?.weight === weight.tensor ? undefined : alike?.weight;
    const own = named ?? (stated.gone.has(module) || only.length > 1 ? undefined : only[0]);
    if (own === undefined) continue;
    const kept = table.get(own);
    draft.weights = [{ ...weight, name: kept.path, tensor: own, view: [...copy.shape] }];
    table.settle(weight.tensor, "unused");
    report({ code: "weight-copied", args: { weight: copy.path, same: kept.path }, at: draft.name });
  }
}

/** Learned tensors of one module, of one type and size. */
interface Alike {
  /** The one with that name. */
  weight?: number;
  /** The first few that the exporter calls parameters: one is looked for that has no others beside it. */
  readonly parameters: number[];
}

const fewParameters = 3;

function learnedBySize(
  facts: Facts,
  table: TensorTable,
  { kinds }: Stated,
): ReadonlyMap<string, ReadonlyMap<string, Alike>> {
  const found = new Map<string, Map<string, Alike>>();
  for (const [module, tensors] of learnedByModule(facts)) {
    const sizes = new Map<string, Alike>();
    found.set(module, sizes);
    for (const [name, index] of tensors) {
      const { path, dtype, shape } = table.get(index);
      const key = sizeKey(dtype, shape);
      const alike = sizes.get(key) ?? { parameters: [] };
      sizes.set(key, alike);
      if (name === "weight") alike.weight = index;
      if (kinds.get(path) === "parameter" && alike.parameters.length < fewParameters)
        alike.parameters.push(index);
    }
  }
  return found;
}

function sizeKey(dtype: string, shape: readonly number[]): string {
  return `${dtype} ${shape.join(" ")}`;
}

/** Stored parameters by the module whose own they are, and by their name in it. */
function learnedByModule(facts: Facts): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const found = new Map<string, Map<string, number>>();
  for (const { weights } of facts.keys())
    for (const { name, tensor, class: kind } of weights) {
      if (kind !== "parameter" || tensor === undefined) continue;
      const [, module = "", own = ""] = /^(?:(.*)\.)?([^.]*)$/.exec(name) ?? [];
      found.set(module, (found.get(module) ?? new Map()).set(own, tensor));
    }
  return found;
}

/** As it stands, or quantized. */
function isStored(found: Found): boolean {
  const maker = makerOf(found);
  return maker === undefined || bareType(maker) === "DequantizeLinear";
}

/** Learned tables that indices look up in, by their sizes turned over. */
function tablesBySize(facts: Facts, table: TensorTable): ReadonlyMap<string, number> {
  const tables = new Map<string, number>();
  for (const [draft, { slots }] of facts) {
    const [first] = slots;
    if (!first || bareType(draft) !== "Gather" || !isStored(first.found)) continue;
    const [weight, ...others] = draft.weights.filter(({ class: kind }) => kind === "parameter");
    if (weight?.tensor === undefined || others.length > 0) continue;
    const { shape } = table.get(weight.tensor);
    if (shape.length === 2) tables.set(`${shape[1]} ${shape[0]}`, weight.tensor);
  }
  return tables;
}

function isProduct(draft: Draft): boolean {
  const learned = draft.weights.some(({ class: kind }) => kind === "parameter");
  return learned && /^(QLinear|Q)?(MatMul|Gemm|Einsum)(Integer|IntegerToFloat)?$/.test(bareType(draft));
}
