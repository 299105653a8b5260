/** Element types as PyTorch names them: by storage class in old forms, by dtype in new ones. */

import { bitsOf, type DType, isDType } from "../../src/ir/dtype.ts";

/** An element type, and how many bytes PyTorch gives to one element of it. */
export interface TorchType {
  readonly dtype: DType;
  readonly bytes: number;
}

const storageTypes: Readonly<Record<string, DType>> = {
  DoubleStorage: "float64",
  FloatStorage: "float32",
  HalfStorage: "float16",
  BFloat16Storage: "bfloat16",
  ByteStorage: "uint8",
  CharStorage: "int8",
  ShortStorage: "int16",
  IntStorage: "int32",
  LongStorage: "int64",
  BoolStorage: "bool",
  ComplexFloatStorage: "complex64",
  ComplexDoubleStorage: "complex128",
  // Quantised numbers are held as the whole numbers they are scaled from.
  QInt8Storage: "int8",
  QUInt8Storage: "uint8",
  QInt32Storage: "int32",
  // Two or four numbers a byte: the byte is what is stored.
  QUInt4x2Storage: "uint8",
  QUInt2x4Storage: "uint8",
  UntypedStorage: "uint8",
  _UntypedStorage: "uint8",
};

/** Names of dtypes that are no names of ours. */
const otherNames: Readonly<Record<string, DType>> = {
  double: "float64",
  float: "float32",
  half: "float16",
  short: "int16",
  int: "int32",
  long: "int64",
  cfloat: "complex64",
  cdouble: "complex128",
  chalf: "complex32",
  qint8: "int8",
  quint8: "uint8",
  qint32: "int32",
  quint4x2: "uint8",
  quint2x4: "uint8",
  bits8: "uint8",
  // Eight, four or two values a byte; PyTorch counts the bytes.
  bits1x8: "uint8",
  bits2x4: "uint8",
  bits4x2: "uint8",
  bits16: "uint16",
  // A pair a byte; PyTorch counts the pairs.
  float4_e2m1fn_x2: "uint8",
};

/** Elements in a byte of a storage, for the classes that have several. */
export function valuesPerByte(storage: string | null): number {
  if (storage === "torch.QUInt4x2Storage") return 2;
  return storage === "torch.QUInt2x4Storage" ? 4 : 1;
}

function typeOf(dtype: DType): TorchType {
  // Types below a byte are shells in PyTorch: one byte an element.
  return { dtype, bytes: Math.max(1, (bitsOf(dtype) ?? 8) / 8) };
}

/** Of `torch.FloatStorage`, `torch.cuda.FloatStorage` and `torch.storage.UntypedStorage`; `null` for any other name. */
export function storageTypeOf(name: string): TorchType | null {
  const [, base = ""] = /^torch(?:\.cuda|\.storage|\.sparse)?\.(\w+)$/.exec(name) ?? [];
  const dtype = Object.hasOwn(storageTypes, base) ? storageTypes[base] : undefined;
  return dtype === undefined ? null : typeOf(dtype);
}

/** Of `torch.float32`; `null` for any other name. */
export function dtypeOf(name: string): TorchType | null {
  const base = name.startsWith("torch.") ? name.slice(6) : "";
  if (Object.hasOwn(otherNames, base)) return typeOf(otherNames[base] as DType);
  return isDType(base) && base !== "string" && base !== "opaque" ? typeOf(base) : null;
}

const numpyKinds: Readonly<Record<string, DType>> = {
  f8: "float64",
  f4: "float32",
  f2: "float16",
  i8: "int64",
  i4: "int32",
  i2: "int16",
  i1: "int8",
  u8: "uint64",
  u4: "uint32",
  u2: "uint16",
  u1: "uint8",
  b1: "bool",
  c8: "complex64",
  c16: "complex128",
  // ml_dtypes writes bfloat16 as two bytes of nothing in particular.
  V2: "bfloat16",
};

/** Of `f4` or `<f4`; `null` for texts, objects and records. */
export function numpyTypeOf(code: string): TorchType | null {
  const base = code.replace(/^[<>|=]/, "");
  return Object.hasOwn(numpyKinds, base) ? typeOf(numpyKinds[base] as DType) : null;
}
