/** Every operator of exported programs that is known: one line a family. */

import type { AtenOp, AtenOps, NodeView } from "../aten.ts";
import { activationOps } from "./activation.ts";
import { comparisonOps } from "./comparison.ts";
import { controlOps } from "./control.ts";
import { convolutionOps } from "./convolution.ts";
import { copyOps } from "./copy.ts";
import { creationOps } from "./creation.ts";
import { elementwiseOps } from "./elementwise.ts";
import { gradientOps } from "./gradients.ts";
import { imageOps } from "./images.ts";
import { indexingOps } from "./indexing.ts";
import { joiningOps } from "./joining.ts";
import { linearOps } from "./linear.ts";
import { matrixOps } from "./matrices.ts";
import { normalizationOps } from "./normalization.ts";
import { numberOps } from "./numbers.ts";
import { poolingOps } from "./pooling.ts";
import { quantizedOps } from "./quantized.ts";
import { reductionOps } from "./reduction.ts";
import { sequenceOps } from "./sequences.ts";
import { viewOps } from "./views.ts";

const families: readonly AtenOps[] = [
  activationOps,
  controlOps,
  comparisonOps,
  convolutionOps,
  copyOps,
  creationOps,
  elementwiseOps,
  gradientOps,
  imageOps,
  indexingOps,
  joiningOps,
  linearOps,
  matrixOps,
  normalizationOps,
  numberOps,
  poolingOps,
  quantizedOps,
  reductionOps,
  sequenceOps,
  viewOps,
];

/** The record for a node; undefined: none describes it. `type`: its target without overload. */
export function findOp(node: NodeView, type: string): AtenOp | undefined {
  const name = node.target.replace(/^torch\.ops\./, "").replace(/\.default$/, "");
  return (opsOf(name) ?? opsOf(type))?.find((op) => op.applies?.(node) !== false);
}

/** Looked up as it comes: a program has some tens of operators, and a table of all these takes longer to make. */
function opsOf(name: string): readonly AtenOp[] | undefined {
  const family = families.find((ops) => Object.hasOwn(ops, name));
  return family && [family[name] ?? []].flat();
}

/** Names of all records, for tests and the coverage list; a name that two families have would be there twice. */
export function operatorNames(): readonly string[] {
  return families.flatMap((family) => Object.keys(family));
}

export function canonicalNames(): ReadonlySet<string> {
  return new Set(families.flatMap((family) => Object.values(family).flat()).map((op) => op.operator));
}
