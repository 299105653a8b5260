/**
 * The order in which Keras lists the layers of a functional model: by depth (distance from the outputs), deepest
 * first, ties by the order in which a walk from the outputs meets them. The same in Keras 2 (`_map_graph_network`)
 * and Keras 3 (`map_graph`), done here without recursion so that very deep graphs are fine.
 */

/** One call of a layer, as the order sees it. `parents` are indices of calls, in the order of the call's inputs. */
export interface OrderNode {
  readonly layer: number;
  readonly parents: readonly number[];
}

export interface Ordered {
  /** Layer numbers, in Keras's order. Layers that lead to no output are left out. */
  readonly layers: readonly number[];
  /** Calls that lead to an output. */
  readonly used: ReadonlySet<number>;
  /** Number of nodes at each depth is at most one: no branches. */
  readonly cycle: readonly number[];
}

/** Orders the layers that lead to `outputs` (calls), then adds `inputs` (layers) that lead nowhere. */
export function orderLayers(
  nodes: readonly OrderNode[],
  outputs: readonly number[],
  inputs: readonly number[],
): Ordered {
  const walked = walk(nodes, outputs);
  const nodeDepth = new Map<number, number>();
  const layerDepth = new Map<number, number>();
  for (const node of [...walked.finished].reverse()) {
    const { layer, parents } = nodes[node] as OrderNode;
    const depth = Math.max(nodeDepth.get(node) ?? 0, layerDepth.get(layer) ?? 0);
    layerDepth.set(layer, depth);
    nodeDepth.set(node, depth);
    for (const parent of parents) {
      nodeDepth.set(parent, Math.max(depth + 1, nodeDepth.get(parent) ?? 0));
    }
  }
  const met = walked.firstMet;
  for (const input of inputs) {
    if (layerDepth.has(input)) continue;
    layerDepth.set(input, 0);
    met.set(input, -1);
  }
  const layers = [...layerDepth.keys()].sort(
    (a, b) =>
      (layerDepth.get(b) as number) - (layerDepth.get(a) as number) || (met.get(a) ?? 0) - (met.get(b) ?? 0),
  );
  return { layers, used: new Set(walked.finished), cycle: walked.cycle };
}

interface Walked {
  /** Calls, inputs before what they feed. */
  readonly finished: readonly number[];
  readonly firstMet: Map<number, number>;
  readonly cycle: readonly number[];
}

function walk(nodes: readonly OrderNode[], outputs: readonly number[]): Walked {
  const finished: number[] = [];
  const state = new Map<number, "open" | "done">();
  const firstMet = new Map<number, number>();
  const cycle: number[] = [];
  for (const output of outputs) {
    const stack: { node: number; next: number }[] = [{ node: output, next: 0 }];
    while (stack.length > 0) {
      const top = stack[stack.length - 1] as { node: number; next: number };
      const node = nodes[top.node];
      if (node === undefined || (top.next === 0 && state.get(top.node) === "done")) {
        stack.pop();
        continue;
      }
      if (top.next === 0) {
        if (state.get(top.node) === "open") {
          cycle.push(node.layer);
          stack.pop();
          continue;
        }
        state.set(top.node, "open");
        if (!firstMet.has(node.layer)) firstMet.set(node.layer, firstMet.size);
      }
      const parent = node.parents[top.next];
      top.next += 1;
      if (parent !== undefined) {
        if (state.get(parent) === "open") cycle.push(node.layer);
        else if (state.get(parent) !== "done") stack.push({ node: parent, next: 0 });
        continue;
      }
      state.set(top.node, "done");
      finished.push(top.node);
      stack.pop();
    }
  }
  return { finished, firstMet, cycle };
}
