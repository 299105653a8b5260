/**
 * Element types, by the names that Keras, NumPy (ml_dtypes), ONNX and PyTorch share. `string` and `opaque` have no fixed
 * number of bits.
 */
export type DType =
  | "float64"
  | "float32"
  | "float16"
  | "bfloat16"
  | "float8_e4m3fn"
  | "float8_e4m3fnuz"
  | "float8_e5m2"
  | "float8_e5m2fnuz"
  | "float8_e8m0fnu"
  | "float6_e2m3fn"
  | "float6_e3m2fn"
  | "float4_e2m1fn"
  | "int64"
  | "int32"
  | "int16"
  | "int8"
  | "int4"
  | "int2"
  | "int1"
  | "uint64"
  | "uint32"
  | "uint16"
  | "uint8"
  | "uint4"
  | "uint2"
  | "uint1"
  | "bool"
  | "complex32"
  | "complex64"
  | "complex128"
  | "string"
  | "opaque";

const bits: Readonly<Record<DType, number | null>> = {
  float64: 64,
  float32: 32,
  float16: 16,
  bfloat16: 16,
  float8_e4m3fn: 8,
  float8_e4m3fnuz: 8,
  float8_e5m2: 8,
  float8_e5m2fnuz: 8,
  float8_e8m0fnu: 8,
  float6_e2m3fn: 6,
  float6_e3m2fn: 6,
  float4_e2m1fn: 4,
  int64: 64,
  int32: 32,
  int16: 16,
  int8: 8,
  int4: 4,
  int2: 2,
  int1: 1,
  uint64: 64,
  uint32: 32,
  uint16: 16,
  uint8: 8,
  uint4: 4,
  uint2: 2,
  uint1: 1,
  bool: 8,
  complex32: 32,
  complex64: 64,
  complex128: 128,
  string: null,
  opaque: null,
};

/** Bits per element, or `null` where the type does not fix it. */
export function bitsOf(dtype: DType): number | null {
  return bits[dtype];
}

export function isDType(name: string): name is DType {
  return Object.hasOwn(bits, name);
}
