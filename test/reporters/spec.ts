import { bitsOf, isDType } from "../../src/ir/dtype.ts";
import type { Structure } from "../../src/ir/graph.ts";
import { countOf } from "../../src/ir/shape.ts";
import type { Report, ReportLayer, ReportWeight } from "../../src/report/report.ts";

/** Models as fixtures/build/printer_facts.py writes them (see there), and the Reports that say the same. */
export interface LayerSpec {
  readonly n: string;
  readonly t: string;
  readonly k?: ReportLayer["kind"];
  readonly b?: boolean;
  readonly f?: boolean | null;
  readonly w?: readonly (readonly [
    shape: readonly (number | null)[],
    dtype: string | null,
    trainable: boolean | null,
    path: string | null,
  ])[];
  readonly c?: readonly (readonly [
    inputs: readonly (readonly [string, number, number])[],
    structure: unknown,
    shapes: readonly (readonly (number | null)[] | null)[],
  ])[];
  readonly s?: readonly (readonly (number | null)[])[];
  readonly L?: readonly LayerSpec[];
  readonly p?: "functional" | "sequential" | "layers";
}

export interface ModelSpec {
  readonly name?: string;
  readonly type?: string;
  readonly topology?: "functional" | "sequential" | "layers";
  readonly linear?: boolean;
  readonly kind?: "graph" | "weights-only";
}

export interface ReportSpec {
  readonly model?: ModelSpec;
  readonly layers: readonly LayerSpec[];
  readonly optimizer?: { readonly elements: number; readonly bytes: number } | null;
  readonly producer?: readonly [string | null, string | null];
}

export function reportOf(spec: ReportSpec): Report {
  const model = spec.model ?? {};
  const nothing = { tensors: 0, elements: 0, bytes: 0 };
  return {
    file: { name: "model.keras", size: 0, format: "keras", variant: "keras-v3-archive" },
    producer: { framework: spec.producer?.[0] ?? null, version: spec.producer?.[1] ?? null },
    model: {
      name: model.name ?? "model",
      type: model.type ?? "Functional",
      kind: model.kind ?? "graph",
      topology: model.topology ?? "functional",
      linear: model.linear ?? true,
      built: true,
      weights: [],
    },
    layers: spec.layers.map((layer) => layerOf(layer, "")),
    totals: {
      convention: "keras",
      classes: ["parameter", "statistic"],
      parameters: 0,
      trainable: 0,
      nonTrainable: 0,
      statistics: 0,
      optimizer: 0,
      bytes: 0,
      status: "complete",
    },
    ledger: {
      elements: 0,
      bytes: 0,
      classes: {
        parameter: nothing,
        statistic: nothing,
        bookkeeping: nothing,
        quantization: nothing,
        constant: nothing,
        optimizer: nothing,
        unused: nothing,
        unclassified: nothing,
      },
    },
    optimizer: spec.optimizer ? { name: "adam", built: true, ...spec.optimizer } : null,
    diagnostics: [],
  };
}

function layerOf(spec: LayerSpec, scope: string): ReportLayer {
  const calls = (spec.c ?? []).map(([inputs, structure, shapes]) => ({
    inputs: inputs.map(([layer, call, output]) => ({ layer, call, output })),
    outputStructure: structureOf(structure),
    outputShapes: shapes,
  }));
  const weights = (spec.w ?? []).map(weightOf);
  const layers = spec.L?.map((layer) => layerOf(layer, spec.n));
  return {
    name: spec.n,
    type: spec.t,
    kind: spec.k ?? "layer",
    operator: spec.t,
    scope,
    outputShapes: calls.at(-1)?.outputShapes ?? spec.s ?? [],
    params: [...weights, ...(layers ?? [])].reduce((sum, one) => sum + paramsOf(one), 0),
    trainable: 0,
    nonTrainable: 0,
    trainableFlag: spec.f === undefined ? true : spec.f,
    built: spec.b ?? true,
    connectedTo: calls.flatMap((call) => call.inputs.map((i) => `${i.layer}[${i.call}][${i.output}]`)),
    weights,
    calls,
    ...(layers && { layers }),
    ...(spec.p ? { topology: spec.p } : {}),
  };
}

/** All weights of a spec are parameters, and none is shared. */
function paramsOf(one: ReportWeight | ReportLayer): number {
  return "params" in one ? one.params : (one.elements ?? 0);
}

function weightOf([shape, dtype, trainable, path]: NonNullable<LayerSpec["w"]>[number]): ReportWeight {
  const elements = countOf(shape);
  const bits = (dtype !== null && isDType(dtype) ? bitsOf(dtype) : null) ?? 32;
  return {
    name: path ?? "w",
    role: "kernel",
    shape,
    dtype,
    class: "parameter",
    trainable,
    elements,
    bytes: elements === null ? null : (elements * bits) / 8,
    storedShape: path === null ? null : shape.map((dim) => dim ?? 0),
    stored: path,
  };
}

function structureOf(value: unknown): Structure {
  if (typeof value === "number") return value;
  const [kind, items] = Object.entries(value as object)[0] as ["list" | "tuple" | "dict", unknown[]];
  if (kind === "dict") {
    return {
      dict: items.map((entry) => [
        (entry as [string, unknown])[0],
        structureOf((entry as [string, unknown])[1]),
      ]),
    };
  }
  const parts = items.map(structureOf);
  return kind === "list" ? { list: parts } : { tuple: parts };
}

/** The first lines in which two texts differ, for a message that can be read. */
export function shortDiff(expected: string, actual: string, limit = 3): string {
  const [want, got] = [expected.split("\n"), actual.split("\n")];
  const lines: string[] = [];
  for (let i = 0; i < Math.max(want.length, got.length) && lines.length < limit; i++) {
    if (want[i] !== got[i]) {
      lines.push(`line ${i + 1}\n  want ${JSON.stringify(want[i])}\n  got  ${JSON.stringify(got[i])}`);
    }
  }
  return lines.join("\n");
}
