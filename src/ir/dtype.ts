/** Element types, by the names Keras, NumPy and ONNX share. `string` and `opaque` have no fixed number of bits. */
export type DType =
  | "float64"
  | "float32"
  | "float16"
  | "bfloat16"
  | "float8_e4m3fn"
  | "float8_e5m2"
  | "int64"
  | "int32"
  | "int16"
  | "int8"
  | "int4"
  | "uint64"
  | "uint32"
  | "uint16"
  | "uint8"
  | "uint4"
  | "bool"
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
  float8_e5m2: 8,
  int64: 64,
  int32: 32,
  int16: 16,
  int8: 8,
  int4: 4,
  uint64: 64,
  uint32: 32,
  uint16: 16,
  uint8: 8,
  uint4: 4,
  bool: 8,
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
