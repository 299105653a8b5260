/** Weights that PyTorch's newer exporter stores anew for each call of their module, where they are turned over or joined. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import type { Weight } from "../../src/ir/tensor.ts";
import { signature } from "./exporter-word.ts";
import type { Draft } from "./frame.ts";
import { ownerName } from "./names.ts";
import type { OnnxGraph } from "./proto.ts";
import { reportRepeated } from "./repeated-weights.ts";
import { bareType, type Facts } from "./static-values.ts";
import type { TensorTable } from "./tensor-table.ts";

/** Classes of modules that have one kernel. */
const withOneKernel = /^(Parametrized)?(Linear|Bilinear|Conv(Transpose)?[123]d)$/;
const kernelOps = /^(MatMul|Gemm|Conv|ConvTranspose)$/;
const recurrent = /^(LSTM|GRU|RNN)$/;

/**
 * Lets all calls of a module have the weights of the first. What is told apart by its place among the weights of the module, which
 * a key says, has no name of the program's; of one key and one shape there is but one.
 */
export function settleCalls(
  graph: OnnxGraph,
  facts: Facts,
  table: TensorTable,
  report: (diagnostic: Diagnostic) => void,
): void {
  const stated = signature(graph);
  const nodes = new Map<string, LayerNodes>();
  const firsts = new Map<string, number>();
  const modules = new Set<string>();
  const copies = new Set<number>();
  for (const draft of facts.keys()) {
    const module = draft.modules?.at(-1);
    if (!module || stated.size === 0 || draft.weights.length === 0) continue;
    const keyOf = keysOf(draft, module.path, module.type ?? "", stated, nodes);
    if (keyOf === null) continue;
    draft.weights = draft.weights.map((weight) => {
      const { tensor } = weight;
      const { path, shape, dtype } = tensor === undefined ? none : table.get(tensor);
      const place =
        tensor === undefined || ownerName(path) !== null || stated.has(path) ? null : keyOf(weight, shape);
      if (place === null || tensor === undefined) return weight;
      const key = JSON.stringify([module.path, place, dtype, shape]);
      const first = firsts.get(key) ?? tensor;
      firsts.set(key, first);
      if (first === tensor) return weight;
      modules.add(module.path);
      copies.add(tensor);
      table.settle(tensor, "unused");
      return { ...weight, name: table.get(first).path, tensor: first };
    });
  }
  reportRepeated(copies, modules.size, table, report);
}

const none = { path: "", shape: [], dtype: "float32" } as const;

type KeyOf = (weight: Weight, shape: readonly number[]) => string | null;

/** Of a recurrent module: its layers, and how many of its nodes came so far. */
interface LayerNodes {
  readonly layers: number;
  nodes: number;
}

function layersOf(path: string, stated: ReadonlyMap<string, string>): number {
  let layers = 0;
  while (stated.has(`${path}.weight_ih_l${layers}`)) layers += 1;
  return layers;
}

/** Which of its module's weights each of a layer's is; null where the class of the module does not tell. */
function keysOf(
  draft: Draft,
  path: string,
  type: string,
  stated: ReadonlyMap<string, string>,
  nodes: Map<string, LayerNodes>,
): KeyOf | null {
  const op = bareType(draft);
  if (recurrent.test(type) && op === type) {
    // A node a layer, those of one call after another.
    const known = nodes.get(path) ?? { layers: layersOf(path, stated), nodes: 0 };
    nodes.set(path, known);
    const { layers, nodes: node } = known;
    known.nodes += 1;
    return layers === 0 ? null : ({ role }) => `${node % layers} ${role}`;
  }
  if (!kernelOps.test(op) || draft.weights.filter(({ class: kind }) => kind === "parameter").length > 2)
    return null;
  if (withOneKernel.test(type)) return (_, { length }) => (length > 1 ? "kernel" : null);
  // Of queries, keys and values together; apart, they look alike.
  return type === "MultiheadAttention"
    ? (_, [rows = 0, columns]) => (columns === 3 * rows ? "projection" : null)
    : null;
}
