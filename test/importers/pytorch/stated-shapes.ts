/** Shapes that an exported program states, against those that the rules work out without being told. */

import type { Dim } from "../../../src/ir/dim.ts";
import { sameDim } from "../../../src/ir/dim.ts";
import type { Graph, Layer } from "../../../src/ir/graph.ts";
import type { Model } from "../../../src/ir/model.ts";
import { substitute, symbolsOf } from "../../../src/ir/symbolic-dim.ts";
import type { TensorType } from "../../../src/ir/tensor.ts";
import { operators } from "../../../src/operators/index.ts";
import { inferShapes, type LayerFacts } from "../../../src/passes/infer-shapes.ts";

/** The model without what the file states of nodes that have a rule. What is not known of the others still counts. */
function unstated(graph: Graph, origin: Map<Layer, Layer>): Graph {
  const layers = graph.layers.map((layer): Layer => {
    const subgraphs = layer.subgraphs?.map((inner) => ({ ...inner, graph: unstated(inner.graph, origin) }));
    const kept = layer.operator === "Opaque" || layer.operator === "Input";
    const calls = layer.calls.map(({ declaredTypes, ...call }) =>
      kept && declaredTypes ? { ...call, declaredTypes } : call,
    );
    const stripped = { ...layer, calls, ...(subgraphs && { subgraphs }) };
    origin.set(stripped, layer);
    return stripped;
  });
  return { ...graph, layers };
}

export interface Compared {
  /** Outputs that rules gave in full, and all outputs of nodes with a rule. */
  readonly known: number;
  readonly outputs: number;
  /** What contradicts the file. */
  readonly wrong: readonly string[];
  /** What the rules leave open. */
  readonly open: readonly string[];
  /** What agrees for the sizes that PyTorch saw, not for all. */
  readonly guarded: readonly string[];
}

/** Works out every node with a rule from its inputs alone. */
export function compareWithStated(model: Model, seen: ReadonlyMap<string, number>): Compared {
  const origin = new Map<Layer, Layer>();
  const facts = inferShapes({ ...model, graph: unstated(model.graph, origin) }, operators);
  const wrong = facts.diagnostics.map((diagnostic) => JSON.stringify(diagnostic));
  const open: string[] = [];
  const guarded: string[] = [];
  let outputs = 0;
  let known = 0;
  for (const [layer, { calls }] of facts.layers) {
    const before = origin.get(layer);
    if (!before || before.operator === "Opaque" || before.operator === "Input") continue;
    for (const [i, stated] of (before.calls[0]?.declaredTypes ?? []).entries()) {
      if (!stated) continue;
      outputs += 1;
      const found = calls[0]?.types[i];
      const text = `${before.source.type} ${before.name} ${i}: ${describe(found)}, the file ${describe(stated)}`;
      const verdict = compare(found, stated, seen);
      if (verdict === "same") known += 1;
      else ({ open, wrong, guarded })[verdict].push(text);
    }
  }
  return { known, outputs, wrong, open, guarded };
}

type Verdict = "same" | "guarded" | "open" | "wrong";

function compare(
  found: TensorType | undefined,
  stated: TensorType,
  seen: ReadonlyMap<string, number>,
): Verdict {
  if (!found || found.shape === null || stated.shape === null) return "open";
  if (found.dtype !== null && found.dtype !== stated.dtype) return "wrong";
  if (found.shape.length !== stated.shape.length) return "wrong";
  const dims = found.shape.map((dim, i) => compareDims(dim, stated.shape?.[i] ?? null, seen));
  if (dims.includes("wrong")) return "wrong";
  if (dims.includes("open") || found.dtype === null) return "open";
  return dims.includes("guarded") ? "guarded" : "same";
}

/**
 * Expressions of other form are compared for the sizes that PyTorch saw, and for others: it states what holds on the way
 * that these sizes took, so that a difference for others is no fault of the rule's.
 */
function compareDims(a: Dim, b: Dim, seen: ReadonlyMap<string, number>): Verdict {
  if (a === null || b === null) return "open";
  if (sameDim(a, b)) return "same";
  const names = new Set([a, b].flatMap((dim) => (typeof dim === "number" ? [] : [...symbolsOf(dim)])));
  const sized = (dim: Dim, add: number): Dim =>
    dim === null || typeof dim === "number"
      ? dim
      : substitute(dim, new Map([...names].map((name) => [name, (seen.get(name) ?? 2) + add])));
  if (!sameDim(sized(a, 0), sized(b, 0))) return "wrong";
  return [16, 33, 64].every((add) => sameDim(sized(a, add), sized(b, add))) ? "same" : "guarded";
}

/** The sizes that PyTorch saw when it traced a program, by their names. */
export function seenSizes(json: string): ReadonlyMap<string, number> {
  const named = /"expr_str":\s*"Symbol\('(\w+)'[^"]*\)",\s*"hint":\s*\{\s*"as_int":\s*(\d+)/g;
  return new Map([...json.matchAll(named)].map(([, name = "", size]) => [name, Number(size)]));
}

function describe(type: LayerFacts["calls"][number]["types"][number] | undefined): string {
  return type ? `${type.dtype} ${JSON.stringify(type.shape)}` : "nothing";
}
