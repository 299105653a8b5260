/**
 * What an ONNX file says, as plain data: the messages of onnx.proto (IR versions 1 to 14) with payloads left where they
 * are. Names are as written; an empty text and an absent one are the same.
 */

import type { DType } from "../../src/ir/dtype.ts";

export interface OnnxModel {
  readonly irVersion: number | null;
  readonly producerName: string;
  readonly producerVersion: string;
  readonly domain: string;
  readonly modelVersion: number | null;
  /** As written: a domain may come twice, and "" and "ai.onnx" are the same one. Absent in files of IR 1 and 2. */
  readonly opsets: readonly OnnxOpset[];
  readonly graph: OnnxGraph | null;
  readonly metadata: Metadata;
  readonly functions: readonly OnnxFunction[];
  readonly training: readonly OnnxTraining[];
  readonly configurations: readonly { readonly name: string; readonly devices: number }[];
}

export interface OnnxOpset {
  readonly domain: string;
  readonly version: number;
}

/**
 * metadata_props. A value of more than `maxOnnxMetadataBytes` (`maxOnnxSignatureBytes`), and every stack trace, is cut and ends in `cutMark`. Of a key
 * that comes twice the last value counts.
 */
export type Metadata = ReadonlyMap<string, string>;

export const cutMark = "\u2026";

export type Pair = readonly [key: string, value: string];

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly sparseInitializers: readonly OnnxSparseTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly valueInfo: readonly OnnxValue[];
  /** Which tensors hold the scale and the zero point of another: `SCALE_TENSOR`, `ZERO_POINT_TENSOR`. */
  readonly quantization: readonly OnnxQuantization[];
  readonly metadata: Metadata;
}

export interface OnnxQuantization {
  readonly tensor: string;
  readonly parameters: readonly Pair[];
}

export interface OnnxNode {
  /** "" for an optional one that is left out: positions count. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  readonly overload: string;
  readonly attributes: readonly OnnxAttribute[];
  readonly metadata: Metadata;
}

/** `reference` is the attribute of the function around it that gives the value. */
export type OnnxAttribute = { readonly name: string; readonly reference?: string } & AttributeValue;

export type AttributeValue =
  | { readonly kind: "float" | "int"; readonly value: number }
  /** `bytes` is the length as written; of more than `maxOnnxStringBytes` only the beginning is here. */
  | { readonly kind: "string"; readonly value: string; readonly bytes: number }
  | { readonly kind: "tensor"; readonly value: OnnxTensor }
  | { readonly kind: "sparse-tensor"; readonly value: OnnxSparseTensor }
  | { readonly kind: "graph"; readonly value: OnnxGraph }
  | { readonly kind: "type"; readonly value: OnnxType | null }
  /** `count` is that of the file; of numbers and texts only the first `maxOnnxAttributeValues` are kept. */
  | { readonly kind: "floats" | "ints"; readonly values: readonly number[]; readonly count: number }
  | { readonly kind: "strings"; readonly values: readonly string[]; readonly count: number }
  | { readonly kind: "tensors"; readonly values: readonly OnnxTensor[]; readonly count: number }
  | { readonly kind: "sparse-tensors"; readonly values: readonly OnnxSparseTensor[]; readonly count: number }
  | { readonly kind: "graphs"; readonly values: readonly OnnxGraph[]; readonly count: number }
  | { readonly kind: "types"; readonly values: readonly (OnnxType | null)[]; readonly count: number }
  /** A reference, or a kind of value that is newer than this reader. */
  | { readonly kind: "none" };

/** The field of TensorProto that the elements are in. */
export type PayloadField =
  | "raw_data"
  | "float_data"
  | "int32_data"
  | "int64_data"
  | "uint64_data"
  | "double_data"
  | "string_data";

export interface OnnxTensor {
  readonly name: string;
  /** `opaque` for UNDEFINED and for types that are newer than this reader, with a diagnostic. */
  readonly dtype: DType;
  /** Logical: also types of 2, 4 and 6 bits count elements, not bytes. */
  readonly dims: readonly number[];
  /**
   * Bytes of the payload in this file (a varint field is smaller or larger than its elements are in memory), or in the
   * file that it is in; where that one gives no length, what dims and type come to.
   */
  readonly bytes: number;
  /** Of raw_data in this file; `null` for every other payload. */
  readonly offset: number | null;
  /** `null` when there is no payload in this file. */
  readonly field: PayloadField | null;
  /** Elements the payload has room for; `null` where that takes reading it (varints), or another file. */
  readonly storedElements: number | null;
  /**
   * In C order: of whole numbers and booleans up to `maxOnnxIntegerValues`, of real numbers (float16, bfloat16, float32,
   * float64) up to `maxOnnxFloatValues`. Past 2^53 the nearest safe integer. `null` when not read.
   */
  readonly values: readonly number[] | null;
  readonly external: OnnxExternal | null;
  /** A piece of a larger tensor, which no known writer uses. */
  readonly segment?: { readonly begin: number; readonly end: number };
  readonly metadata: Metadata;
}

/** data_location EXTERNAL. `location` is a relative path by the file's own word, and not to be trusted. */
export interface OnnxExternal {
  readonly location: string;
  /** Bytes; `null` when not written: from the start, to the end. */
  readonly offset: number | null;
  readonly length: number | null;
  readonly checksum: string | null;
}

export interface OnnxSparseTensor {
  /** Of the elements that are not zero, in one dimension; its name is that of the whole. */
  readonly values: OnnxTensor;
  readonly indices: OnnxTensor | null;
  readonly dims: readonly number[];
}

export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType | null;
  readonly metadata: Metadata;
}

export type OnnxType =
  | {
      readonly kind: "tensor" | "sparse-tensor";
      /** `opaque` when it is not stated. */
      readonly dtype: DType;
      /** `null`: unknown rank. */
      readonly shape: readonly OnnxDim[] | null;
    }
  | { readonly kind: "sequence" | "optional"; readonly element: OnnxType | null }
  | { readonly kind: "map"; readonly key: DType | null; readonly value: OnnxType | null }
  | { readonly kind: "opaque"; readonly domain: string; readonly name: string };

/**
 * A size, a dim_param, or `null` for unknown. A negative dim_value is what several writers mean by unknown. Zero is kept:
 * it is also the true size of left-out `roi` and `scales` tensors, so whoever knows the use has to tell.
 */
export type OnnxDim = number | string | null;

export interface OnnxFunction {
  readonly name: string;
  readonly domain: string;
  readonly overload: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Names of attributes without a default. */
  readonly attributes: readonly string[];
  readonly attributeDefaults: readonly OnnxAttribute[];
  readonly nodes: readonly OnnxNode[];
  readonly opsets: readonly OnnxOpset[];
  readonly valueInfo: readonly OnnxValue[];
  readonly metadata: Metadata;
}

export interface OnnxTraining {
  readonly initialization: OnnxGraph | null;
  readonly algorithm: OnnxGraph | null;
  readonly initializationBindings: readonly Pair[];
  readonly updateBindings: readonly Pair[];
}
