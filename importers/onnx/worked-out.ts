/** Weights that PyTorch's exporters worked out of others: the file holds the result, and how many numbers the network learned can differ. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import { listNames } from "./doubt.ts";
import { signature } from "./exporter-word.ts";
import { rulesKey } from "./folded.ts";
import { nameBefore, ownerName } from "./names.ts";
import type { OnnxGraph, OnnxModel } from "./proto.ts";
import { bareType, type Facts } from "./static-values.ts";
import type { TensorTable } from "./tensor-table.ts";

type Report = (diagnostic: Diagnostic) => void;

interface Read {
  readonly facts: Facts;
  readonly table: TensorTable;
  /** Modules of normalizations that are told to be folded. */
  readonly folded: ReadonlySet<string>;
}

/** Says so where the program's signature lists what is gone, or where names of weights tell. */
export function reportWorkedOut(onnx: OnnxModel, graph: OnnxGraph, read: Read, report: Report): void {
  const stated = signature(graph);
  if (stated.size > 0) reportLost(stated, read, report);
  else if (onnx.producerName === "pytorch") reportTraced(read, report);
}

const recurrent = /^(RNN|GRU|LSTM)$/;
/** Several of a recurrent layer become one tensor, of as many numbers. */
const ofRecurrent = /(^|\.)(weight|bias)_(ih|hh)(_l\d+)?(_reverse)?$/;

/**
 * Parameters of the program that no tensor bears the name of, where fewer tensors without such a name are used as weights: as
 * many are those parameters turned over. What normalizations lost that were folded is told by itself.
 */
function reportLost(
  stated: ReadonlyMap<string, string>,
  { facts, table, folded }: Read,
  report: Report,
): void {
  const tied = modulesOfTied(stated, facts);
  const lost = lostFrom(stated, table, folded).filter((name) => !tied.has(moduleOf(name)));
  const made = madeWeights(stated, facts);
  for (const [index, { path, unclaimed }] of table.tensors.entries())
    if (unclaimed === "unclassified" && !stated.has(nameBefore(path))) made.add(index);
  if (lost.length - tiedTables(stated, facts) <= made.size) return;
  const args = {
    lost: lost.length,
    tensors: made.size,
    elements: table.elementsOf(made),
    names: listNames(lost),
  };
  report({ code: "weights-worked-out", args, at: "" });
}

/** Parameters of the program that no tensor bears the name of, but those of recurrent layers and of folded normalizations. */
function lostFrom(
  stated: ReadonlyMap<string, string>,
  table: TensorTable,
  folded: ReadonlySet<string>,
): readonly string[] {
  const stored = new Set(table.tensors.map(({ path }) => nameBefore(path)));
  return [...stated].flatMap(([name, kind]) => {
    const told = stored.has(name) || ofRecurrent.test(name) || folded.has(moduleOf(name));
    return kind === "parameter" && !told ? [name] : [];
  });
}

/** `conv1` of `conv1.weight`. */
function moduleOf(parameter: string): string {
  return parameter.replace(/\.\w+$/, "");
}

/** Weights that bear no name of the program's, but those of recurrent layers. */
function madeWeights(stated: ReadonlyMap<string, string>, facts: Facts): Set<number> {
  const made = new Set<number>();
  for (const [draft, { slots }] of facts) {
    if (recurrent.test(bareType(draft)) && slots.length > 0) continue;
    for (const { tensor, name, class: kind } of draft.weights) {
      if (kind !== "parameter" || tensor === undefined || name.endsWith(".weight_bias")) continue;
      if (!stated.has(nameBefore(name))) made.add(tensor);
    }
  }
  return made;
}

/** Says so where more weights bear no name of the program's than parameters are gone: some are pieces of one, or the same again. */
export function reportExcess(graph: OnnxGraph, { facts, table, folded }: Read, report: Report): void {
  const stated = signature(graph);
  if (stated.size === 0) return;
  const lost = lostFrom(stated, table, folded);
  const made = madeWeights(stated, facts);
  if (made.size <= lost.length) return;
  const names = listNames([...made].map((index) => table.get(index).path));
  const args = { lost: lost.length, tensors: made.size, elements: table.elementsOf(made), names };
  report({ code: "weights-in-excess", args, at: "" });
}

/**
 * Modules that compute with a parameter of another one: of two names of one tensor, the exporter keeps one. A normalization that
 * was folded left them the kernel.
 */
function modulesOfTied(stated: ReadonlyMap<string, string>, facts: Facts): ReadonlySet<string> {
  const found = new Set<string>();
  for (const [{ modules, weights }, { node }] of facts) {
    const module = modules?.at(-1)?.path;
    if (module === undefined || /FuseBatchNorm/.test(node?.metadata.get(rulesKey) ?? "")) continue;
    for (const { name } of weights)
      if (stated.has(nameBefore(name)) && !name.startsWith(`${module}.`)) found.add(module);
  }
  return found;
}

/** Parameters that indices look up in and that are multiplied by: one matrix of two modules, of which one name is left. */
function tiedTables(stated: ReadonlyMap<string, string>, facts: Facts): number {
  const used = new Map<string, Set<string>>();
  for (const [draft, { slots }] of facts) {
    const use = bareType(draft) === "Gather" ? "table" : product.test(bareType(draft)) ? "matrix" : null;
    if (use === null || slots.length === 0) continue;
    for (const { name } of draft.weights) used.set(name, (used.get(name) ?? new Set()).add(use));
  }
  return [...used].filter(([name, uses]) => uses.size > 1 && stated.has(nameBefore(name))).length;
}

const product = /^(MatMul|Gemm)$/;
const madeUp = /^onnx::\w+_\d+$/;

/**
 * Kernels and biases that were traced keep their names, unless a normalization was folded into them, which renames both; for
 * those of products that is only so where they are taken turned over, as `nn.Linear` has them.
 */
function reportTraced({ facts, table }: Read, report: Report): void {
  const made = new Set<number>();
  for (const [draft, { node, view, slots }] of facts) {
    const type = bareType(draft);
    const [, kernel = "", bias = ""] = node?.inputs ?? [];
    const plain = /^Conv(Transpose)?$/.test(type) || (type === "Gemm" && view?.int("transB", 0) === 1);
    if (!plain || madeUp.test(kernel) === madeUp.test(bias)) continue;
    // Beside a kernel that another tool renamed nothing tells.
    if (madeUp.test(bias) && ownerName(kernel) === null) continue;
    const source = slots[madeUp.test(kernel) ? 1 : 2]?.found.source;
    if (source?.kind === "tensor" && source.tensor >= 0) made.add(source.tensor);
  }
  if (made.size === 0) return;
  const names = listNames([...made].map((index) => table.get(index).path));
  const args = { lost: 0, tensors: made.size, elements: table.elementsOf(made), names };
  report({ code: "weights-worked-out", args, at: "" });
}
