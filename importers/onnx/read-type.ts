/** TypeProto and ValueInfoProto: what a value is declared to be. */

import { MalformedFileError } from "../../src/errors.ts";
import type { DType } from "../../src/ir/dtype.ts";
import { int, type MessageShape, message, messages } from "../../src/wire/protobuf-shape.ts";
import { dtypeOf } from "./data-type.ts";
import type { OnnxDim, OnnxType, OnnxValue } from "./proto.ts";
import {
  type Draft,
  metadataField,
  nameField,
  noMetadata,
  type ReadContext,
  trimmed,
} from "./read-context.ts";

interface TypeDraft {
  type: OnnxType | null;
}

type TensorType = Extract<OnnxType, { readonly shape: unknown }>;

interface TensorTypeDraft {
  kind: TensorType["kind"];
  dtype: DType;
  shape: readonly OnnxDim[] | null;
}

export type TypeShape = MessageShape<TypeDraft, OnnxType | null>;
export type ValueShape = MessageShape<Draft<OnnxValue>, OnnxValue>;

function dimensionShape(context: ReadContext): MessageShape<{ dim: OnnxDim }, OnnxDim> {
  return {
    fields: {
      1: int("dim_value", (state, value) => {
        state.dim = value < 0 ? null : value;
      }),
      // A name that is empty names nothing.
      2: nameField(context, "dim_param", (state, value) => {
        state.dim = value === "" ? null : value;
      }),
    },
    start: () => ({ dim: null }),
    finish: ({ dim }, place) => {
      if (dim !== Number.MAX_SAFE_INTEGER) return dim;
      throw new MalformedFileError(`${context.file}: ${place.path()} is a dimension of 2^53 or more`, {
        file: context.file,
        at: place.path(),
      });
    },
  };
}

/** TypeProto.Tensor and TypeProto.SparseTensor, which have the same fields. */
function tensorTypeShape(
  context: ReadContext,
  kind: TensorType["kind"],
): MessageShape<TensorTypeDraft, TensorType> {
  const dimension = dimensionShape(context);
  const shape: MessageShape<OnnxDim[], readonly OnnxDim[]> = {
    fields: {
      1: messages(
        "dim",
        () => dimension,
        (dims, dim) => void dims.push(dim),
      ),
    },
    start: () => [],
    finish: trimmed,
  };
  return {
    fields: {
      1: int("elem_type", (state, code) => {
        state.dtype = dtypeOf(code);
      }),
      2: message(
        "shape",
        () => shape,
        (state, dims) => {
          state.shape = dims;
        },
      ),
    },
    start: () => ({ kind, dtype: "opaque", shape: null }),
    finish: (state) => state,
  };
}

/** TypeProto. Its fields exclude one another; of several the last one counts, as in every protobuf reader. */
export function typeShape(context: ReadContext): TypeShape {
  const tensor = tensorTypeShape(context, "tensor");
  const sparse = tensorTypeShape(context, "sparse-tensor");
  const wrapper: MessageShape<{ element: OnnxType | null }, OnnxType | null> = {
    fields: {
      1: message(
        "elem_type",
        () => type,
        (state, element) => {
          state.element = element;
        },
      ),
    },
    start: () => ({ element: null }),
    finish: ({ element }) => element,
  };
  const map: MessageShape<{ key: DType | null; value: OnnxType | null }, OnnxType> = {
    fields: {
      1: int("key_type", (state, code) => {
        state.key = dtypeOf(code);
      }),
      2: message(
        "value_type",
        () => type,
        (state, value) => {
          state.value = value;
        },
      ),
    },
    start: () => ({ key: null, value: null }),
    finish: ({ key, value }) => ({ kind: "map", key, value }),
  };
  const opaque: MessageShape<{ domain: string; name: string }, OnnxType> = {
    fields: {
      1: nameField(context, "domain", (state, domain) => {
        state.domain = domain;
      }),
      2: nameField(context, "name", (state, name) => {
        state.name = name;
      }),
    },
    start: () => ({ domain: "", name: "" }),
    finish: ({ domain, name }) => ({ kind: "opaque", domain, name }),
  };
  const type: TypeShape = {
    fields: {
      1: message(
        "tensor_type",
        () => tensor,
        (s, found) => {
          s.type = found;
        },
      ),
      4: message(
        "sequence_type",
        () => wrapper,
        (s, element) => {
          s.type = { kind: "sequence", element };
        },
      ),
      5: message(
        "map_type",
        () => map,
        (s, found) => {
          s.type = found;
        },
      ),
      7: message(
        "opaque_type",
        () => opaque,
        (s, found) => {
          s.type = found;
        },
      ),
      8: message(
        "sparse_tensor_type",
        () => sparse,
        (s, found) => {
          s.type = found;
        },
      ),
      9: message(
        "optional_type",
        () => wrapper,
        (s, element) => {
          s.type = { kind: "optional", element };
        },
      ),
    },
    start: () => ({ type: null }),
    finish: (state) => state.type,
  };
  return type;
}

export function valueShape(context: ReadContext, type: TypeShape): ValueShape {
  return {
    fields: {
      1: nameField(context, "name", (value, name) => {
        value.name = name;
      }),
      2: message(
        "type",
        () => type,
        (value, found) => {
          value.type = found;
        },
      ),
      4: metadataField(),
    },
    start: () => ({ name: "", type: null, metadata: noMetadata }),
    finish: (value) => value,
  };
}
