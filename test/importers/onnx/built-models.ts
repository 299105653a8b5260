/** Models that hold every message and every payload field, encoded by onnx-proto. */

import { onnx } from "onnx-proto";

const { TensorProto } = onnx;
type Tensor = onnx.ITensorProto;

function raw(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** One tensor for each payload field and most types. */
export const tensors: readonly Tensor[] = [
  { name: "float raw", dims: [2, 2], dataType: 1, rawData: raw(new Float32Array([1, -2.5, 3, 4])) },
  { name: "float list", dims: [3], dataType: 1, floatData: [0.5, -1, 3] },
  { name: "float long", dims: [300], dataType: 1, rawData: raw(new Float32Array(300)) },
  { name: "float list long", dims: [3, 100], dataType: 1, floatData: Array.from({ length: 300 }, () => 1) },
  { name: "double list", dims: [2], dataType: 11, doubleData: [Math.PI, -0.1] },
  { name: "double raw", dims: [], dataType: 11, rawData: raw(new Float64Array([6.5])) },
  { name: "int64 list", dims: [4], dataType: 7, int64Data: [0, -1, 2 ** 40, -(2 ** 52)] },
  { name: "int64 raw", dims: [2], dataType: 7, rawData: raw(new BigInt64Array([-7n, (1n << 63n) - 1n])) },
  { name: "int64 long", dims: [5000], dataType: 7, rawData: raw(new BigInt64Array(5000)) },
  {
    name: "int64 list long",
    dims: [50_000],
    dataType: 7,
    int64Data: Array.from({ length: 50_000 }, () => 9),
  },
  { name: "int32 list", dims: [3], dataType: 6, int32Data: [1, -1, -(2 ** 31)] },
  { name: "int32 raw", dims: [2], dataType: 6, rawData: raw(new Int32Array([5, -5])) },
  { name: "int8 list", dims: [2], dataType: 3, int32Data: [-128, 127] },
  { name: "int8 raw", dims: [3], dataType: 3, rawData: raw(new Int8Array([-1, 0, 1])) },
  { name: "uint8 list", dims: [2], dataType: 2, int32Data: [255, 0] },
  { name: "uint16 raw", dims: [1], dataType: 4, rawData: raw(new Uint16Array([65_535])) },
  { name: "int16 list", dims: [1], dataType: 5, int32Data: [-300] },
  { name: "bool list", dims: [3], dataType: 9, int32Data: [1, 0, 1] },
  { name: "bool raw", dims: [2], dataType: 9, rawData: new Uint8Array([0, 1]) },
  { name: "uint32 list", dims: [2], dataType: 12, uint64Data: [4_294_967_295, 0] },
  { name: "uint64 list", dims: [1], dataType: 13, uint64Data: [2 ** 45] },
  { name: "uint64 raw", dims: [1], dataType: 13, rawData: raw(new BigUint64Array([1n << 63n])) },
  { name: "strings", dims: [2], dataType: 8, stringData: [new Uint8Array([104, 105]), new Uint8Array()] },
  { name: "complex", dims: [1], dataType: 14, floatData: [1, 2] },
  { name: "empty", dims: [0, 4], dataType: 1 },
  {
    name: "elsewhere",
    dims: [10, 10],
    dataType: 1,
    dataLocation: TensorProto.DataLocation.EXTERNAL,
    externalData: [
      { key: "location", value: "weights.bin" },
      { key: "offset", value: "4096" },
      { key: "length", value: "400" },
    ],
  },
];

const f32 = (dims: onnx.TensorShapeProto.IDimension[] | null): onnx.ITypeProto => ({
  tensorType: { elemType: 1, ...(dims && { shape: { dim: dims } }) },
});

const inner: onnx.IGraphProto = {
  name: "then",
  node: [{ opType: "Identity", input: ["outer"], output: ["y"] }],
  initializer: [{ name: "k", dims: [1], dataType: 7, int64Data: [3] }],
  output: [{ name: "y", type: f32(null) }],
};

const sparse: onnx.ISparseTensorProto = {
  values: { name: "s", dims: [2], dataType: 1, floatData: [1, 2] },
  indices: { name: "", dims: [2], dataType: 7, int64Data: [0, 8] },
  dims: [3, 3],
};

const attributes: onnx.IAttributeProto[] = [
  { name: "f", type: 1, f: 0.25 },
  { name: "i", type: 2, i: -3 },
  { name: "zero", type: 2, i: 0 },
  { name: "unset", type: 2 },
  { name: "s", type: 3, s: new TextEncoder().encode("SAME_UPPER \u00e9") },
  { name: "t", type: 4, t: { dims: [1], dataType: 7, int64Data: [42] } },
  { name: "g", type: 5, g: inner },
  { name: "floats", type: 6, floats: [1, 2.5] },
  { name: "ints", type: 7, ints: [0, -1, 2 ** 31] },
  { name: "many", type: 6, floats: Array.from({ length: 5000 }, (_, i) => i) },
  { name: "none", type: 7, ints: [] },
  { name: "strings", type: 8, strings: [new TextEncoder().encode("a"), new Uint8Array()] },
  { name: "tensors", type: 9, tensors: [{ dims: [], dataType: 1, floatData: [1] }] },
  { name: "graphs", type: 10, graphs: [inner, {}] },
  { name: "sparse", type: 11, sparseTensor: sparse },
  { name: "sparse list", type: 12, sparseTensors: [sparse, sparse] },
  { name: "type", type: 13, tp: f32([{ dimValue: 3 }]) },
  { name: "types", type: 14, typeProtos: [f32(null), { sequenceType: { elemType: f32(null) } }] },
  { name: "from outside", type: 2, refAttrName: "axis" },
];

const values: onnx.IValueInfoProto[] = [
  { name: "x", type: f32([{ dimParam: "batch" }, { dimValue: 3 }, {}, { dimValue: -1 }, { dimValue: 0 }]) },
  { name: "scalar", type: f32([]) },
  { name: "unranked", type: f32(null) },
  { name: "untyped" },
  { name: "list", type: { sequenceType: { elemType: f32(null) } } },
  { name: "map", type: { mapType: { keyType: 7, valueType: f32(null) } } },
  { name: "maybe", type: { optionalType: { elemType: { sequenceType: { elemType: f32([]) } } } } },
  { name: "sparse", type: { sparseTensorType: { elemType: 7, shape: { dim: [{ dimValue: 9 }] } } } },
];

/** Everything that ONNX 1.10 has. */
export const everything: onnx.IModelProto = {
  irVersion: 8,
  producerName: "weighbridge",
  producerVersion: "1",
  domain: "test",
  modelVersion: 5,
  docString: "unread",
  opsetImport: [
    { domain: "", version: 17 },
    { domain: "ai.onnx.ml", version: 3 },
    { domain: "", version: 17 },
  ],
  metadataProps: [
    { key: "names", value: "{0: 'cat'}" },
    { key: "empty", value: "" },
  ],
  graph: {
    name: "main",
    node: [
      {
        opType: "If",
        input: ["x", "", "c"],
        output: ["y", ""],
        name: "n",
        domain: "d",
        attribute: attributes,
      },
      {},
    ],
    initializer: [...tensors],
    sparseInitializer: [sparse],
    input: values,
    output: [{ name: "y", type: f32(null) }],
    valueInfo: values,
    quantizationAnnotation: [
      { tensorName: "x", quantParameterTensorNames: [{ key: "SCALE_TENSOR", value: "x_scale" }] },
    ],
  },
  functions: [
    {
      name: "Twice",
      domain: "local",
      input: ["a"],
      output: ["b"],
      attribute: ["axis"],
      node: [{ opType: "Add", input: ["a", "a"], output: ["b"], attribute: attributes.slice(0, 3) }],
      opsetImport: [{ domain: "", version: 17 }],
    },
  ],
  trainingInfo: [
    {
      initialization: inner,
      algorithm: { name: "step", node: [{ opType: "Sub" }] },
      initializationBinding: [{ key: "w", value: "w0" }],
      updateBinding: [{ key: "w", value: "w1" }],
    },
  ],
};

/** The same without its long lists: some 4 kB. */
export const short: onnx.IModelProto = {
  ...everything,
  graph: {
    ...everything.graph,
    node: [{ opType: "If", attribute: attributes.filter(({ name }) => name !== "many") }],
    initializer: tensors.filter(({ name }) => !name?.includes("long")),
  },
};

export function encode(model: onnx.IModelProto): Uint8Array {
  // A plain array: a Buffer of the encoder's is a piece of a pool.
  return new Uint8Array(onnx.ModelProto.encode(model).finish());
}
