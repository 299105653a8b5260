/** Shapes that were measured when a model ran (`shapes.zip` of a set), beside those that we claim. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildGraph } from "../../../importers/onnx/graph.ts";
import type { OnnxGraph } from "../../../importers/onnx/proto.ts";
import { readOnnxModel } from "../../../importers/onnx/read-model.ts";
import { TensorTable } from "../../../importers/onnx/tensor-table.ts";
import type { ByteSource } from "../../../src/io/byte-source.ts";
import { memorySource } from "../../../src/io/memory.ts";
import type { Dim } from "../../../src/ir/dim.ts";
import { formatExpression } from "../../../src/ir/format-expression.ts";
import type { Graph, Layer } from "../../../src/ir/graph.ts";
import type { Model } from "../../../src/ir/model.ts";
import type { Shape } from "../../../src/ir/shape.ts";
import { substitute, symbolsOf } from "../../../src/ir/symbolic-dim.ts";
import { operators } from "../../../src/operators/index.ts";
import { inferShapes } from "../../../src/passes/infer-shapes.ts";
import { openZip } from "../../../src/wire/zip.ts";
import { onnxFixtures } from "./fixture-files.ts";

/** Shape of each node's output by its name; null: what came out was no tensor. */
export type Measured = Readonly<Record<string, readonly number[] | null>>;

/** Shapes of the arrays that were fed: in the order of the graph's inputs, or by their names. */
export type Fed = readonly (readonly number[])[] | Named;
type Named = Readonly<Record<string, readonly number[]>>;

export interface Comparison {
  /** Values of which we claim the measured shape, in every size. */
  readonly known: number;
  /** Values of which we know a part, or nothing. */
  readonly unknown: readonly string[];
  /** A size or a rank that is not the measured one, and values that we do not have. */
  readonly wrong: readonly string[];
}

/** `bound`: with the sizes of the run from the start, by rules alone. `named`: as the file is, sizes put in at the end. */
export type Way = "bound" | "named";

export async function readMeasured(set: string): Promise<Readonly<Record<string, Measured>>> {
  const zip = await openZip(memorySource(readFileSync(join(onnxFixtures, set, "shapes.zip")), "shapes.zip"));
  const entry = zip.find("shapes.json");
  if (!entry) throw new Error("shapes.json is not in the archive");
  const source = await zip.openEntry(entry);
  return JSON.parse(new TextDecoder().decode(await source.read(0, source.size)));
}

/** Holds every value of the main graph against what was measured. */
export async function compareMeasured(
  bytes: ByteSource,
  fed: Fed,
  measured: Measured,
  way: Way,
): Promise<Comparison> {
  const { model, names } = await readNamed(bytes);
  const sizes = sizesOf(model, fed);
  const claimed = claimedShapes(way === "bound" ? withInputs(model, fed) : model, names);
  const unknown: string[] = [];
  const wrong: string[] = [];
  let known = 0;
  for (const [name, truth] of Object.entries(measured)) {
    if (truth === null) continue;
    const claim = claimed.get(name);
    const shape = claim?.map((dim) =>
      dim === null || typeof dim === "number" ? dim : substitute(dim, sizes),
    );
    const text = `${name}: ${claim ? formatShape(claim) : claim}, measured ${JSON.stringify(truth)}`;
    if (claim === undefined || contradicts(shape ?? null, truth)) wrong.push(text);
    else if (shape?.every((dim) => typeof dim === "number")) known += 1;
    else unknown.push(text);
  }
  return { known, unknown, wrong };
}

/** Shapes of the values of the main graph by their names; an output that nothing is known of is null. */
function claimedShapes(model: Model, names: readonly (readonly string[])[]): ReadonlyMap<string, Shape> {
  const shapes = inferShapes(model, operators);
  // What a Constant node holds is a stored tensor.
  const found = new Map<string, Shape>(model.tensors.map(({ path, shape }) => [path, shape]));
  for (const [i, layer] of model.graph.layers.entries())
    for (const [output, name] of (names[i] ?? []).entries())
      found.set(name, shapes.layers.get(layer)?.calls[0]?.types[output]?.shape ?? null);
  return found;
}

/** The model before names of outputs are lost: those of layer `i` of the main graph are `names[i]`. */
async function readNamed(
  bytes: ByteSource,
): Promise<{ readonly model: Model; readonly names: readonly (readonly string[])[] }> {
  const ignore = (): void => {};
  const onnx = await readOnnxModel(bytes, ignore);
  const table = new TensorTable(ignore);
  const { graph, facts } = buildGraph(onnx, onnx.graph as OnnxGraph, table, ignore);
  const model: Model = {
    file: { name: bytes.name, size: bytes.size, format: "onnx", variant: "onnx" },
    producer: { framework: null, version: null },
    name: bytes.name,
    type: "Graph",
    kind: "graph",
    trainable: null,
    freezing: "enclosing",
    graph,
    weights: [],
    tensors: table.tensors,
    optimizer: null,
  };
  const names = graph.layers.map((layer) => facts.get(layer)?.node?.outputs ?? []);
  return { model, names };
}

function inputsOf(model: Model, fed: Fed): readonly (readonly [Layer, readonly number[]])[] {
  const inputs = model.graph.layers.filter(({ operator }) => operator === "Input");
  return inputs.flatMap((layer, i) => {
    const given = Array.isArray(fed) ? fed[i] : (fed as Named)[layer.name];
    return given ? [[layer, given] as const] : [];
  });
}

/** Sizes that the inputs name, those that nobody named included. */
function sizesOf(model: Model, fed: Fed): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const [{ calls }, given] of inputsOf(model, fed)) {
    for (const [axis, dim] of (calls[0]?.declaredTypes?.[0]?.shape ?? []).entries()) {
      if (dim === null || typeof dim === "number") continue;
      const names = new Set<string>();
      symbolsOf(dim, names);
      for (const name of names) sizes.set(name, given[axis] ?? 0);
    }
  }
  return sizes;
}

function withInputs(model: Model, fed: Fed): Model {
  const given = new Map(inputsOf(model, fed));
  const { layers, ...graph } = withoutDeclared(model.graph);
  const bound = layers.map((layer, i) => {
    const shape = given.get(model.graph.layers[i] as Layer);
    const dtype = layer.calls[0]?.declaredTypes?.[0]?.dtype ?? null;
    return shape ? { ...layer, calls: [{ inputs: [], declaredTypes: [{ dtype, shape }] }] } : layer;
  });
  return { ...model, graph: { ...graph, layers: bound } };
}

export function withoutDeclared(graph: Graph): Graph {
  return {
    ...graph,
    layers: graph.layers.map((layer) => ({
      ...layer,
      ...(layer.subgraphs && {
        subgraphs: layer.subgraphs.map((sub) => ({ ...sub, graph: withoutDeclared(sub.graph) })),
      }),
      calls: layer.calls.map(({ declaredTypes, ...call }) =>
        layer.operator === "Input" && declaredTypes ? { ...call, declaredTypes } : call,
      ),
    })),
  };
}

function contradicts(shape: Shape, truth: readonly number[]): boolean {
  if (shape === null) return false;
  return shape.length !== truth.length || shape.some((dim, i) => typeof dim === "number" && dim !== truth[i]);
}

function formatShape(shape: Shape): string {
  return shape === null
    ? "?"
    : `[${shape.map((dim: Dim) => (dim === null ? "?" : formatExpression(dim))).join(", ")}]`;
}
