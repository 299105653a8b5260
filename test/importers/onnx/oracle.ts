/** What onnx-proto, which decodes whole files with protobufjs, and our reader say of the same bytes, in one form. */

import { onnx } from "onnx-proto";
import { dataTypes } from "../../../importers/onnx/data-type.ts";
import type {
  OnnxAttribute,
  OnnxFunction,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  OnnxSparseTensor,
  OnnxTensor,
  OnnxType,
  OnnxValue,
} from "../../../importers/onnx/proto.ts";

type Wide = number | { toString(): string } | null | undefined;

/** Protobuf's numbers of 64 bits come as objects; past 2^53 the nearest safe integer. */
function number(value: Wide): number {
  const exact = Number(value ?? 0);
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, exact));
}

const numbers = (values: readonly Wide[] | null | undefined): number[] => (values ?? []).map(number);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

// Ours ---------------------------------------------------------------------------------------------------------

export function ours(model: OnnxModel): unknown {
  return {
    ir: model.irVersion ?? 0,
    producer: [model.producerName, model.producerVersion, model.domain, model.modelVersion ?? 0],
    opsets: model.opsets,
    metadata: [...model.metadata],
    graph: model.graph && ourGraph(model.graph),
    functions: model.functions.map(ourFunction),
    training: model.training.map((t) => ({
      initialization: t.initialization && ourGraph(t.initialization),
      algorithm: t.algorithm && ourGraph(t.algorithm),
      bindings: [t.initializationBindings, t.updateBindings],
    })),
  };
}

function ourFunction(f: OnnxFunction): unknown {
  return {
    name: [f.domain, f.name],
    values: [f.inputs, f.outputs, f.attributes],
    nodes: f.nodes.map(ourNode),
    opsets: f.opsets,
  };
}

function ourGraph(graph: OnnxGraph): unknown {
  return {
    name: graph.name,
    nodes: graph.nodes.map(ourNode),
    initializers: graph.initializers.map(ourTensor),
    sparse: graph.sparseInitializers.map(ourSparse),
    values: [graph.inputs, graph.outputs, graph.valueInfo].map((values) => values.map(ourValue)),
    quantization: graph.quantization,
  };
}

function ourNode({ name, opType, domain, inputs, outputs, attributes }: OnnxNode): unknown {
  return { name, opType, domain, inputs, outputs, attributes: attributes.map(ourAttribute) };
}

function ourAttribute(a: OnnxAttribute): unknown {
  const label = [a.name, a.reference ?? ""];
  switch (a.kind) {
    case "float":
    case "int":
    case "string":
      return [...label, a.kind, a.value];
    case "floats":
    case "ints":
    case "strings":
      return [...label, a.kind, a.values];
    case "tensor":
      return [...label, a.kind, ourTensor(a.value)];
    case "sparse-tensor":
      return [...label, a.kind, ourSparse(a.value)];
    case "graph":
      return [...label, a.kind, ourGraph(a.value)];
    case "type":
      return [...label, a.kind, a.value && ourType(a.value)];
    case "tensors":
      return [...label, a.kind, a.values.map(ourTensor)];
    case "sparse-tensors":
      return [...label, a.kind, a.values.map(ourSparse)];
    case "graphs":
      return [...label, a.kind, a.values.map(ourGraph)];
    case "types":
      return [...label, a.kind, a.values.map((type) => type && ourType(type))];
    case "none":
      return [...label, a.kind];
  }
}

function ourTensor(tensor: OnnxTensor): unknown {
  const { name, dtype, dims, field, values, external } = tensor;
  return {
    name,
    type: dataTypes.get(dtype),
    dims,
    // An empty payload may be written or not.
    field: tensor.bytes === 0 || external ? null : field,
    raw: field === "raw_data" ? tensor.bytes : 0,
    stored: field !== "raw_data" && !external ? (tensor.storedElements ?? "varints") : 0,
    values: external || !codecs[dataTypes.get(dtype) ?? 0] ? null : values,
    external: external?.location ?? null,
  };
}

function ourSparse({ values, indices, dims }: OnnxSparseTensor): unknown {
  return { values: ourTensor(values), indices: indices && ourTensor(indices), dims };
}

function ourValue({ name, type }: OnnxValue): unknown {
  return { name, type: type && ourType(type) };
}

function ourType(type: OnnxType): unknown {
  if (type.kind === "sequence" || type.kind === "optional")
    return [type.kind, type.element && ourType(type.element)];
  if (type.kind === "map")
    return [type.kind, type.key && dataTypes.get(type.key), type.value && ourType(type.value)];
  if (type.kind === "tensor" || type.kind === "sparse-tensor")
    return [type.kind, dataTypes.get(type.dtype), type.shape];
  return null;
}

// Theirs -------------------------------------------------------------------------------------------------------

export function theirs(bytes: Uint8Array): unknown {
  const model = onnx.ModelProto.decode(bytes);
  return {
    ir: number(model.irVersion),
    producer: [model.producerName, model.producerVersion, model.domain, number(model.modelVersion)],
    opsets: theirOpsets(model.opsetImport),
    metadata: (model.metadataProps ?? []).map(pair),
    graph: model.graph ? theirGraph(model.graph) : null,
    functions: (model.functions ?? []).map((f) => ({
      name: [f.domain ?? "", f.name ?? ""],
      values: [f.input ?? [], f.output ?? [], f.attribute ?? []],
      nodes: (f.node ?? []).map(theirNode),
      opsets: theirOpsets(f.opsetImport),
    })),
    training: (model.trainingInfo ?? []).map((t) => ({
      initialization: t.initialization ? theirGraph(t.initialization) : null,
      algorithm: t.algorithm ? theirGraph(t.algorithm) : null,
      bindings: [(t.initializationBinding ?? []).map(pair), (t.updateBinding ?? []).map(pair)],
    })),
  };
}

function pair(entry: onnx.IStringStringEntryProto): readonly [string, string] {
  return [entry.key ?? "", entry.value ?? ""];
}

function theirOpsets(opsets: onnx.IOperatorSetIdProto[] | null | undefined): unknown {
  return (opsets ?? []).map((o) => ({ domain: o.domain ?? "", version: number(o.version) }));
}

function theirGraph(graph: onnx.IGraphProto): unknown {
  return {
    name: graph.name ?? "",
    nodes: (graph.node ?? []).map(theirNode),
    initializers: (graph.initializer ?? []).map(theirTensor),
    sparse: (graph.sparseInitializer ?? []).map(theirSparse),
    values: [graph.input, graph.output, graph.valueInfo].map((values) =>
      (values ?? []).map(({ name, type }) => ({ name: name ?? "", type: type ? theirType(type) : null })),
    ),
    quantization: (graph.quantizationAnnotation ?? []).map((q) => ({
      tensor: q.tensorName ?? "",
      parameters: (q.quantParameterTensorNames ?? []).map(pair),
    })),
  };
}

function theirNode(node: onnx.INodeProto): unknown {
  return {
    name: node.name ?? "",
    opType: node.opType ?? "",
    domain: node.domain ?? "",
    inputs: node.input ?? [],
    outputs: node.output ?? [],
    attributes: (node.attribute ?? []).map(theirAttribute),
  };
}

const kept = 4096;

function theirAttribute(a: onnx.IAttributeProto): unknown {
  const label = [a.name ?? "", a.refAttrName ?? ""];
  if (a.refAttrName) return [...label, "none"];
  const values: Readonly<Record<number, () => [string, unknown?]>> = {
    1: () => ["float", a.f ?? 0],
    2: () => ["int", number(a.i)],
    3: () => ["string", text(a.s ?? new Uint8Array())],
    4: () => ["tensor", theirTensor(a.t ?? {})],
    5: () => ["graph", theirGraph(a.g ?? {})],
    6: () => ["floats", (a.floats ?? []).slice(0, kept)],
    7: () => ["ints", numbers(a.ints).slice(0, kept)],
    8: () => ["strings", (a.strings ?? []).map(text).slice(0, kept)],
    9: () => ["tensors", (a.tensors ?? []).map(theirTensor)],
    10: () => ["graphs", (a.graphs ?? []).map(theirGraph)],
    11: () => ["sparse-tensor", theirSparse(a.sparseTensor ?? {})],
    12: () => ["sparse-tensors", (a.sparseTensors ?? []).map(theirSparse)],
    13: () => ["type", a.tp ? theirType(a.tp) : null],
    14: () => ["types", (a.typeProtos ?? []).map(theirType)],
  };
  return [...label, ...(values[a.type ?? 0]?.() ?? ["none"])];
}

function theirTensor(tensor: onnx.ITensorProto): unknown {
  const lists = {
    float_data: tensor.floatData,
    int32_data: tensor.int32Data,
    int64_data: tensor.int64Data,
    uint64_data: tensor.uint64Data,
    double_data: tensor.doubleData,
    string_data: tensor.stringData,
  };
  const raw = tensor.rawData ?? new Uint8Array();
  const [field, entries] = Object.entries(lists).find(([, list]) => list && list.length > 0) ?? [null, []];
  const dims = numbers(tensor.dims);
  const type = tensor.dataType ?? 0;
  const external = tensor.dataLocation === 1;
  const elements = dims.reduce((product, dim) => product * dim, 1);
  return {
    name: tensor.name ?? "",
    type,
    dims,
    field: external ? null : raw.length > 0 ? "raw_data" : field,
    raw: external ? 0 : raw.length,
    stored: external || raw.length > 0 ? 0 : storedBy(field, entries?.length ?? 0, type, elements),
    values: external ? null : theirValues(type, raw, field, (entries ?? []) as readonly Wide[], elements),
    external: external
      ? ((tensor.externalData ?? []).find(({ key }) => key === "location")?.value ?? "")
      : null,
  };
}

/** Long fields of varints are not read, so their number is not known. */
function storedBy(field: string | null, count: number, type: number, elements: number): number | string {
  const whole = [2, 3, 4, 5, 6, 7, 9, 12, 13, 21, 22, 25, 26].includes(type);
  const skipped = field?.includes("int") && elements > (whole ? 4096 : type === 10 || type === 16 ? 256 : 0);
  if (skipped) return "varints";
  return [14, 15, 21, 22, 25, 26].includes(type) ? elements : count;
}

type Codec = (bytes: DataView, i: number) => Wide;

const codecs: Readonly<Record<number, Codec>> = {
  1: (v, i) => v.getFloat32(i * 4, true),
  2: (v, i) => v.getUint8(i),
  3: (v, i) => v.getInt8(i),
  4: (v, i) => v.getUint16(i * 2, true),
  5: (v, i) => v.getInt16(i * 2, true),
  6: (v, i) => v.getInt32(i * 4, true),
  7: (v, i) => v.getBigInt64(i * 8, true),
  9: (v, i) => v.getUint8(i),
  11: (v, i) => v.getFloat64(i * 8, true),
  12: (v, i) => v.getUint32(i * 4, true),
  13: (v, i) => v.getBigUint64(i * 8, true),
};

/** Types whose values are worked out here: those that need no decoding of their own. The others are tested by hand. */
function theirValues(
  type: number,
  raw: Uint8Array,
  field: string | null,
  entries: readonly Wide[],
  elements: number,
): unknown {
  const codec = codecs[type];
  const cap = type === 1 || type === 11 ? 256 : 4096;
  if (!codec || elements > cap) return null;
  if (raw.length === 0) return field === null && elements > 0 ? null : numbers(entries);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const real = type === 1 || type === 11;
  return Array.from({ length: elements }, (_, i) => {
    const value = codec(view, i);
    return real ? value : number(value);
  });
}

function theirSparse(sparse: onnx.ISparseTensorProto): unknown {
  return {
    values: theirTensor(sparse.values ?? {}),
    indices: sparse.indices ? theirTensor(sparse.indices) : null,
    dims: numbers(sparse.dims),
  };
}

function theirType(type: onnx.ITypeProto): unknown {
  const tensor = (kind: string, t: onnx.TypeProto.ITensor): unknown => [
    kind,
    t.elemType ?? 0,
    t.shape ? (t.shape.dim ?? []).map(theirDim) : null,
  ];
  if (type.tensorType) return tensor("tensor", type.tensorType);
  if (type.sparseTensorType) return tensor("sparse-tensor", type.sparseTensorType);
  const inner = (t: onnx.ITypeProto | null | undefined): unknown => (t ? theirType(t) : null);
  if (type.sequenceType) return ["sequence", inner(type.sequenceType.elemType)];
  if (type.optionalType) return ["optional", inner(type.optionalType.elemType)];
  if (type.mapType) return ["map", type.mapType.keyType ?? 0, inner(type.mapType.valueType)];
  // Opaque is left out of the package's messages.
  return null;
}

function theirDim(dim: onnx.TensorShapeProto.IDimension): unknown {
  if (dim.dimParam) return dim.dimParam;
  if (dim.dimValue === null || dim.dimValue === undefined) return null;
  const value = number(dim.dimValue);
  // protobufjs 6 gives a field that is absent its default, which only its own property tells from a zero.
  return Object.hasOwn(dim, "dimValue") && value >= 0 ? value : null;
}
