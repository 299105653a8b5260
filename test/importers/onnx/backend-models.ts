/**
 * The backend tests of the onnx package, with every declared type but those of the inputs taken away: what our rules
 * infer beside what the models declare, and what onnx and onnxruntime infer (fixtures/onnx/backend).
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Model } from "../../../src/ir/model.ts";
import type { TensorType } from "../../../src/ir/tensor.ts";
import { operators } from "../../../src/operators/index.ts";
import { inferShapes } from "../../../src/passes/infer-shapes.ts";
import { readModel } from "../../../src/public/inspect.ts";
import { expectedOf, onnxFixtures, openZipped } from "./fixture-files.ts";
import { withoutDeclared } from "./measured-shapes.ts";
import { contradictsDeclared, type StatedType, sameAsDeclared, saysDeclared } from "./stated-type.ts";

interface Case {
  readonly ops: readonly string[];
  readonly outputs: Readonly<Record<string, StatedType>>;
  readonly onnx: Readonly<Record<string, StatedType | null>> | null;
}

export interface BackendResult {
  readonly name: string;
  /** Operators in the model, those of other domains with their domain in front. */
  readonly ops: readonly string[];
  /** By output: whether we, or onnx, find every type and size that the model declares. */
  readonly outputs: readonly {
    readonly ours: boolean;
    readonly onnx: boolean;
    /** We find a type or a size that is not the declared one. */
    readonly contradicts: boolean;
    readonly text: string;
  }[];
}

/** How many models of a kind are solved: those of which every output has its declared type and size. */
export interface PeerCount {
  readonly models: number;
  readonly onnx: number;
  readonly ort: number;
}

/** What fixtures/build/onnx/backend.py counts of onnx's own inference and of onnxruntime's symbolic one. */
export interface PeerTable {
  readonly versions: Readonly<Record<string, string>>;
  readonly all: { readonly all: PeerCount };
  readonly operators: Readonly<Record<string, PeerCount>>;
  readonly contradicts: { readonly onnx: readonly string[]; readonly ort: readonly string[] };
}

export function readPeerTable(): PeerTable {
  const path = join(onnxFixtures, "backend/table.json");
  return JSON.parse(readFileSync(path, "utf8"));
}

/** Runs them all, or those that have one of the operators. */
export async function runBackend(wanted?: readonly string[]): Promise<readonly BackendResult[]> {
  const open = await openZipped("backend");
  const expected: Readonly<Record<string, Case>> = expectedOf("backend").models ?? {};
  const results: BackendResult[] = [];
  for (const [name, { ops, outputs, onnx }] of Object.entries(expected)) {
    if (wanted && !ops.some((op) => wanted.includes(op))) continue;
    const { model } = await readModel(await open(name));
    const types = outputTypes(model);
    const compared = Object.entries(outputs).map(([output, stated], i) => ({
      ours: sameAsDeclared(types[i], stated),
      onnx: saysDeclared(onnx?.[output], stated),
      contradicts: contradictsDeclared(types[i], stated),
      text: `${name} ${output}: ${JSON.stringify(stated)} / ${JSON.stringify(types[i])}`,
    }));
    results.push({ name, ops, outputs: compared });
  }
  return results;
}

function outputTypes(model: Model): readonly (TensorType | undefined)[] {
  const graph = withoutDeclared(model.graph);
  const facts = inferShapes({ ...model, graph }, operators);
  return graph.outputs.map((ref) => {
    const layer = graph.layers[ref.layer];
    return layer && facts.layers.get(layer)?.calls[ref.call]?.types[ref.output];
  });
}
