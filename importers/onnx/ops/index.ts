/** Every ONNX operator that is known: one line a family. */

import type { OnnxOp, OnnxOps } from "../op.ts";
import { activationOps } from "./activation.ts";
import { attentionOps } from "./attention.ts";
import { controlOps } from "./control.ts";
import { convolutionOps } from "./convolution.ts";
import { createOps } from "./create.ts";
import { elementwiseOps } from "./elementwise.ts";
import { indexOps } from "./indexing.ts";
import { joinOps } from "./join.ts";
import { linearOps } from "./linear.ts";
import { microsoftAttentionOps } from "./microsoft-attention.ts";
import { microsoftFusedOps } from "./microsoft-fused.ts";
import { microsoftLayoutOps } from "./microsoft-layout.ts";
import { microsoftMiscOps } from "./microsoft-misc.ts";
import { microsoftQuantizedOps } from "./microsoft-quantized.ts";
import { microsoftSearchOps } from "./microsoft-search.ts";
import { microsoftStateOps } from "./microsoft-states.ts";
import { mlOps } from "./ml.ts";
import { normalizationOps } from "./normalization.ts";
import { poolingOps } from "./pooling.ts";
import { qonnxOps } from "./qonnx.ts";
import { quantizedOps } from "./quantized.ts";
import { randomOps } from "./random.ts";
import { recurrentOps } from "./recurrent.ts";
import { reduceOps } from "./reduce.ts";
import { resizeOps } from "./resize.ts";
import { sequenceOps } from "./sequence.ts";
import { shapeOps } from "./shape.ts";
import { signalOps } from "./signal.ts";
import { textOps } from "./text.ts";

const families: readonly OnnxOps[] = [
  activationOps,
  attentionOps,
  controlOps,
  convolutionOps,
  createOps,
  elementwiseOps,
  indexOps,
  joinOps,
  linearOps,
  microsoftAttentionOps,
  microsoftFusedOps,
  microsoftLayoutOps,
  microsoftMiscOps,
  microsoftQuantizedOps,
  microsoftSearchOps,
  microsoftStateOps,
  mlOps,
  normalizationOps,
  poolingOps,
  qonnxOps,
  quantizedOps,
  randomOps,
  recurrentOps,
  reduceOps,
  resizeOps,
  sequenceOps,
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

/** Names of all records, for tests and the coverage list; a name that two families have would be there twice. */
export function operatorNames(): readonly string[] {
  return families.flatMap((family) => Object.keys(family));
}

export function canonicalNames(): ReadonlySet<string> {
  return new Set([...known.values()].map((op) => op.operator));
}
