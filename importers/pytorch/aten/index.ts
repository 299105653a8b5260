/** Every operator of exported programs that is known: one line a family. */

import type { AtenOp, AtenOps } from "../aten.ts";
import { numberOps } from "./numbers.ts";

const families: readonly AtenOps[] = [numberOps];

const known: ReadonlyMap<string, AtenOp> = new Map(families.flatMap((family) => Object.entries(family)));

/** The record for a target, whose type is it without namespace of namespaces and overload; undefined: not known. */
export function findOp(target: string, type: string): AtenOp | undefined {
  return known.get(target.replace(/^torch\.ops\./, "").replace(/\.default$/, "")) ?? known.get(type);
}

/** Names of all records, for tests and the coverage list; a name that two families have would be there twice. */
export function operatorNames(): readonly string[] {
  return families.flatMap((family) => Object.keys(family));
}

export function canonicalNames(): ReadonlySet<string> {
  return new Set([...known.values()].map((op) => op.operator));
}
