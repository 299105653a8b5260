/** Element types of results: by kind, or as a node states them. */

import type { DType } from "../ir/dtype.ts";
import type { JsonObject } from "../ir/graph.ts";
import { floatOf } from "./promotion.ts";
import { optionalDType } from "./tensor-rule.ts";

/**
 * "same": that of the operands; "float": fractions, of whole numbers float32; "real": of complex numbers their parts ("real-fraction": as fractions);
 * "wide": of whole numbers int64; "truth": bool, of uint8 uint8 (PyTorch's any and all).
 */
const kinds = ["same", "float", "bool", "real", "real-fraction", "int32", "wide", "truth"] as const;
export type ResultType = (typeof kinds)[number];

export function resultType(kind: ResultType, dtype: DType | null): DType | null {
  if (kind === "bool" || kind === "int32") return kind;
  if (kind === "float") return floatOf(dtype);
  if (kind === "truth") return dtype === null || dtype === "uint8" ? dtype : "bool";
  if (kind === "wide") return dtype === "bool" || dtype?.includes("int") ? "int64" : dtype;
  if (kind === "real-fraction") return resultType("real", floatOf(dtype));
  if (kind === "real" && dtype?.startsWith("complex")) return dtype === "complex128" ? "float64" : "float32";
  return dtype;
}

/** What a node may say of its result where it differs from the operator's: its kind, or its element type outright. */
export interface Stated {
  readonly result: ResultType | null;
  readonly dtype: DType | null;
}

export function readStated(raw: JsonObject): Stated {
  return { result: kinds.find((kind) => kind === raw.result) ?? null, dtype: optionalDType(raw) };
}

/** The stated type, else that of the stated kind, else of `kind`. */
export function statedType(stated: Stated, kind: ResultType, dtype: DType | null): DType | null {
  return stated.dtype ?? resultType(stated.result ?? kind, dtype);
}
