/** A graph as a table shows it: layers that are no rows of their own are put into those that are. */

import type { Diagnostic } from "../diagnostics.ts";
import { InvalidOptionError } from "../errors.ts";
import type { Graph, Layer, LayerTable, ModuleRef } from "../ir/graph.ts";
import { type Model, walkLayers } from "../ir/model.ts";
import { identityOf, type TensorType, type Weight } from "../ir/tensor.ts";
import type { Analysis } from "./analyze.ts";
import { FirstCalls, isFurther } from "./first-calls.ts";
import { foldRows, type Row } from "./fold-rows.ts";
import type { LayerFacts } from "./infer-shapes.ts";
import { growTree } from "./module-tree.ts";
import type { ResolvedWeight } from "./resolve-weights.ts";
import { RowLayers } from "./row-layers.ts";

export interface RowOptions {
  /** A row for every node, plumbing too. */
  readonly allNodes?: boolean | undefined;
  /**
   * `module`: a row for each module of the network that was exported, as a tree; `node`: a row for each operation. Programs of
   * PyTorch have modules by default, other graphs nodes.
   */
  readonly group?: "module" | "node" | undefined;
  /** How many levels the tree goes down; all by default. */
  readonly depth?: number | undefined;
}

export interface RowView {
  readonly model: Model;
  readonly analysis: Analysis;
  /** What was asked for and cannot be shown. */
  readonly diagnostics: readonly Diagnostic[];
  /** The program of a network, where the rows are its modules. */
  readonly network: Graph | null;
}

/** Files of these kinds have a node for every step of the computation, and so many that are no layers to anybody. */
const nodeDialects = new Set(["onnx", "pytorch"]);

/**
 * The model with rows as its layers, and what is known of them. Sums stay: every weight is in some row, and the ledger is
 * that of the file. Models of layers come back as they are.
 * @throws InvalidOptionError for a group or depth that is none.
 */
export function groupRows(model: Model, analysis: Analysis, options: RowOptions): RowView {
  checkOptions(options);
  const nodes =
    model.kind === "graph" && model.graph.layers.some(({ source }) => nodeDialects.has(source.dialect));
  // What has weights only has a row for each module that owns some.
  const owners = model.kind === "weights-only" && options.group === "module";
  const named = namesModules(model.graph.layers);
  const missing = { code: "modules-missing", args: { layers: model.graph.layers.length }, at: "" } as const;
  const diagnostics = options.group === "module" && !named ? [missing] : [];
  if (!nodes && !owners) {
    if (options.group !== "module") withoutTree(options);
    return { model, analysis, diagnostics, network: null };
  }
  const grouping = new Grouping(analysis, options);
  const graph = grouping.group(model.graph, model.weights);
  const ofModel = [
    ...analysis.weights.ofModel.filter((one) => !grouping.placed.has(one)),
    ...grouping.unplaced(model.graph, graph),
  ];
  return {
    diagnostics,
    network: grouping.isNetwork(model.graph) ? model.graph : null,
    model: { ...model, graph, weights: ofModel.map(({ weight }) => weight) },
    analysis: {
      ...analysis,
      shapes: { layers: inFrontOf(analysis.shapes.layers, grouping.known.facts) },
      weights: {
        ...analysis.weights,
        ofModel,
        byLayer: inFrontOf(analysis.weights.byLayer, grouping.known.weights),
      },
    },
  };
}

/** Modules around a layer, or around one of those that it runs. */
function namesModules(layers: readonly Layer[]): boolean {
  return layers.some(
    ({ modules = [], graph, subgraphs = [] }) =>
      modules.length > 0 || graph !== undefined || subgraphs.some((one) => namesModules(one.graph.layers)),
  );
}

/** Rows are layers of their own; those inside their subgraphs are the model's. */
function inFrontOf<Known>(layers: LayerTable<Known>, rows: LayerTable<Known>): LayerTable<Known> {
  return { get: (layer) => rows.get(layer) ?? layers.get(layer) };
}

class Grouping {
  readonly known = new RowLayers();
  /** Weights of the model that have come to be a module's. */
  readonly placed = new Set<ResolvedWeight>();
  private readonly analysis: Analysis;
  private readonly options: RowOptions;
  /** Rows of a program are those of its modules. */
  private showsTrees = false;
  /** Of the program that is being grouped. */
  private firsts: FirstCalls | null = null;

  constructor(analysis: Analysis, options: RowOptions) {
    this.analysis = analysis;
    this.options = options;
  }

  /** `around`: modules around a graph that a row runs; null for a whole program. */
  group(graph: Graph, spare: readonly Weight[], around: readonly ModuleRef[] | null = null): Graph {
    if (graph.layers.some(isProgram))
      return { ...graph, layers: graph.layers.map((layer) => this.program(layer)) };
    const { topology } = graph;
    const { depth: levels, allNodes } = this.options;
    const program = isTraced(graph);
    const modules = this.showsModules(graph);
    if (!modules) withoutTree(this.options);
    const traced = program && modules;
    this.showsTrees ||= traced;
    if (around === null) this.firsts = traced ? this.firstCalls(graph) : null;
    // The tree leaves plumbing out itself, so that no module is lost that has nothing else.
    const folded = foldRows(graph, this.analysis, allNodes === true || traced || topology === "layers");
    const opens = graph.layers.some(({ subgraphs }) => subgraphs !== undefined);
    const rows = opens ? { ...folded, rows: folded.rows.map((row) => this.opened(row, traced)) } : folded;
    const spares = new Set(traced ? spare : []);
    const unread = this.analysis.weights.ofModel.filter(({ weight }) => spares.has(weight));
    const depth = modules ? (levels ?? Number.POSITIVE_INFINITY) : 0;
    const options = {
      depth,
      topology,
      traced,
      around: around ?? [],
      spare: unread,
      firsts: this.firsts,
    };
    const tree = growTree(rows, options, this.known);
    const left = new Set(tree.left);
    for (const one of unread) if (!left.has(one)) this.placed.add(one);
    const inputs = tree.layers.flatMap((layer, i) =>
      layer.operator === "Input" ? [{ layer: i, call: 0, output: 0 }] : [],
    );
    const outputs = rows.outputs.flatMap((ref) => tree.place(ref) ?? []);
    return { ...graph, layers: tree.layers, inputs, outputs };
  }

  /** Weights that no row has come to hold, whatever a file says of its modules: totals are those of all. */
  unplaced(before: Graph, after: Graph): readonly ResolvedWeight[] {
    if (!this.showsTrees) return [];
    const held = new Set<unknown>();
    walkLayers(after.layers, ({ weights }) => {
      for (let i = 0; i < weights.length; i++) held.add(identityOf(weights[i] as Weight));
    });
    const found: ResolvedWeight[] = [];
    walkLayers(before.layers, (layer) => {
      if (layer.weights.length === 0) return;
      const read = this.analysis.weights.byLayer.get(layer) ?? [];
      for (let i = 0; i < read.length; i++) {
        const one = read[i] as ResolvedWeight;
        const { size } = held;
        if (held.add(identityOf(one.weight)).size > size) found.push(one);
      }
    });
    return found;
  }

  /** Null where no row is in a further call. */
  private firstCalls({ layers }: Graph): FirstCalls | null {
    let counted = false;
    let before: Layer["modules"];
    walkLayers(layers, ({ modules }) => {
      // Rows of a module share the list of those around them.
      if (modules !== before) counted ||= modules?.some(isFurther) === true;
      before = modules;
    });
    return counted ? new FirstCalls(layers, this.analysis.weights.byLayer) : null;
  }

  private showsModules(graph: Graph): boolean {
    const { group, allNodes } = this.options;
    return group === "module" || (group === undefined && allNodes !== true && isTraced(graph));
  }

  isNetwork(graph: Graph): boolean {
    return graph.modules !== undefined && isTraced(graph) && this.showsModules(graph);
  }

  /** A row with the graphs that it runs, its branches or its body, as models inside it. */
  private opened(row: Row, traced: boolean): Row {
    if (!row.layer.subgraphs) return row;
    const { subgraphs, ...layer } = row.layer;
    const inside: ResolvedWeight[] = [];
    const layers = subgraphs.map(({ name, graph }): Layer => {
      const grouped = this.group(graph, [], layer.modules ?? []);
      walkLayers(grouped.layers, (inner) => {
        for (const one of this.known.weights.get(inner) ?? []) inside.push(one);
      });
      const branch: Layer = {
        name,
        source: { dialect: layer.source.dialect, type: traced ? "GraphModule" : "Graph" },
        kind: "model",
        operator: traced ? "GraphModule" : "Graph",
        attributes: {},
        scope: "",
        trainable: null,
        weights: [],
        calls: [],
        graph: grouped,
      };
      return this.known.known(branch, this.resultsOf(graph), []);
    });
    const graph: Graph = { topology: "layers", layers, inputs: [], outputs: [] };
    return { ...row, layer: { ...layer, graph }, inside };
  }

  /** What a graph gives, as facts of the row that stands for it. */
  private resultsOf({ layers, outputs }: Graph): LayerFacts {
    const types = outputs.map(({ layer, call, output }): TensorType => {
      const made = layers[layer];
      const facts = made && this.analysis.shapes.layers.get(made);
      return facts?.calls[call]?.types[output] ?? { dtype: null, shape: null };
    });
    const structure = types.length === 1 ? 0 : { list: [...types.keys()] };
    return { calls: [{ types, structure }], built: null, weights: {}, failed: false };
  }

  /** One of several programs of a package. */
  private program(layer: Layer): Layer {
    if (!layer.graph) return layer;
    const grouped = { ...layer, graph: this.group(layer.graph, []) };
    const { shapes, weights } = this.analysis;
    return this.known.known(grouped, shapes.layers.get(layer), weights.byLayer.get(layer) ?? []);
  }
}

/** A program of PyTorch. */
function isTraced({ layers, topology }: Graph): boolean {
  return layers.some(({ source }) => source.dialect === "pytorch") && topology === "functional";
}

function isProgram({ source, operator, graph }: Layer): boolean {
  return source.dialect === "pytorch" && operator === "Model" && graph !== undefined;
}

/** @throws InvalidOptionError for a depth where there is no tree. */
function withoutTree({ depth }: RowOptions): void {
  if (depth !== undefined) throw new InvalidOptionError("depth is that of a tree: it goes with group module");
}

function checkOptions({ group, depth }: RowOptions): void {
  if (group !== undefined && group !== "module" && group !== "node")
    throw new InvalidOptionError(`group is ${JSON.stringify(group)}: ask for "module" or "node"`);
  if (depth === undefined || (Number.isSafeInteger(depth) && depth > 0)) return;
  throw new InvalidOptionError(`depth is ${depth}: give a whole number of levels from 1`);
}
