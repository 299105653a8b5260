/** TensorProto.DataType, by number. */

import type { DType } from "../../src/ir/dtype.ts";

const dtypes: readonly DType[] = [
  "opaque",
  "float32",
  "uint8",
  "int8",
  "uint16",
  "int16",
  "int32",
  "int64",
  "string",
  "bool",
  "float16",
  "float64",
  "uint32",
  "uint64",
  "complex64",
  "complex128",
  "bfloat16",
  "float8_e4m3fn",
  "float8_e4m3fnuz",
  "float8_e5m2",
  "float8_e5m2fnuz",
  "uint4",
  "int4",
  "float4_e2m1fn",
  "float8_e8m0fnu",
  "uint2",
  "int2",
  "float6_e2m3fn",
  "float6_e3m2fn",
];

/** `opaque` for 0, UNDEFINED, and for numbers that are newer than this list (ONNX 1.23). */
export function dtypeOf(code: number): DType {
  return dtypes[code] ?? "opaque";
}

/** The number of a DataType, for messages and tests. */
export const dataTypes: ReadonlyMap<DType, number> = new Map(dtypes.map((dtype, code) => [dtype, code]));
