/** Every ONNX operator that is known: one line a family. */

import type { OnnxOp, OnnxOps } from "../op.ts";
import { activationOps } from "./activation.ts";
import { createOps } from "./create.ts";
import { elementwiseOps } from "./elementwise.ts";
import { indexOps } from "./indexing.ts";
import { joinOps } from "./join.ts";
import { linearOps } from "./linear.ts";
import { randomOps } from "./random.ts";
import { reduceOps } from "./reduce.ts";
import { shapeOps } from "./shape.ts";
import { signalOps } from "./signal.ts";
import { textOps } from "./text.ts";

const families: readonly OnnxOps[] = [
  activationOps,
  createOps,
  elementwiseOps,
  indexOps,
  joinOps,
  linearOps,
  randomOps,
  reduceOps,
  shapeOps,
  signalOps,
  textOps,
];

const known: ReadonlyMap<string, OnnxOp> = new Map(families.flatMap((family) => Object.entries(family)));

/** The record of an operator; undefined for one that is not known. */
export function findOp(domain: string, opType: string): OnnxOp | undefined {
  return known.get(isStandard(domain) ? opType : `${domain}.${opType}`);
}

/** Both spellings of the standard domain. */
export function isStandard(domain: string): boolean {
  return domain === "" || domain === "ai.onnx";
}

/** Names of all records, for tests and the coverage list. */
export function operatorNames(): readonly string[] {
  return [...known.keys()];
}

export function canonicalNames(): ReadonlySet<string> {
  return new Set([...known.values()].map((op) => op.operator));
}
