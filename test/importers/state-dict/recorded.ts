/** State dicts with what PyTorch knows of them; fixtures/build/safetensors/state_dicts.py made them. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type StateDictModel, stateDictModel } from "../../../importers/state-dict/model.ts";
import type { NamedTensor, StateDict } from "../../../importers/state-dict/state-dict.ts";
import { bitsOf, type DType } from "../../../src/ir/dtype.ts";
import { elementsOf } from "../../../src/ir/shape.ts";

export interface Recorded {
  readonly model: string;
  readonly parameters: number;
  /** Name, dtype, shape, 1 for a parameter, class of the module that owns it. */
  readonly tensors: readonly (readonly [string, DType, readonly number[], 0 | 1, string])[];
}

const file = join(import.meta.dirname, "../../../fixtures/safetensors/state-dicts.jsonl");

export const recorded: readonly Recorded[] = readFileSync(process.env.STATE_DICTS ?? file, "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Recorded);

export function tensor(name: string, dtype: DType, shape: readonly number[]): NamedTensor {
  return { name, dtype, shape, bytes: ((elementsOf(shape) ?? 0) * (bitsOf(dtype) ?? 0)) / 8 };
}

export function modelOf(
  tensors: readonly NamedTensor[],
  name = "model",
  order: StateDict["order"] = "given",
): StateDictModel {
  return stateDictModel({
    file: { name: `${name}.test`, size: 0, format: "test", variant: "test" },
    producer: { framework: "pytorch", version: null },
    name,
    type: "state dict",
    dialect: "pytorch",
    tensors,
    order,
  });
}
