/** TensorFlowOpLayer (TensorFlow 1.14 to 2.3): one node of a TensorFlow graph, as protobuf JSON, and its constants. */

import type { Json, JsonObject } from "../../../src/ir/graph.ts";
import { parseJson } from "../../../src/wire/json.ts";
import { asList, asObject, asString } from "../json-access.ts";
import type { CallValue, MappedOperation, OperationSource } from "../layer-rule.ts";
import type { OperationTable } from "./operation.ts";

/** Names of the node's inputs under the function that does the same. */
const functions: Readonly<Record<string, readonly [name: string, ...parameters: string[]]>> = {
  Add: ["math.add", "x", "y"],
  AddV2: ["math.add", "x", "y"],
  AddN: ["math.add_n", "inputs"],
  BiasAdd: ["nn.bias_add", "value", "bias"],
  Sub: ["math.subtract", "x", "y"],
  Mul: ["math.multiply", "x", "y"],
  RealDiv: ["math.truediv", "x", "y"],
  Div: ["math.divide", "x", "y"],
  DivNoNan: ["math.divide_no_nan", "x", "y"],
  FloorDiv: ["math.floordiv", "x", "y"],
  FloorMod: ["math.floormod", "x", "y"],
  Pow: ["math.pow", "x", "y"],
  Maximum: ["math.maximum", "x", "y"],
  Minimum: ["math.minimum", "x", "y"],
  SquaredDifference: ["math.squared_difference", "x", "y"],
  Equal: ["math.equal", "x", "y"],
  NotEqual: ["math.not_equal", "x", "y"],
  Greater: ["math.greater", "x", "y"],
  GreaterEqual: ["math.greater_equal", "x", "y"],
  Less: ["math.less", "x", "y"],
  LessEqual: ["math.less_equal", "x", "y"],
  LogicalAnd: ["math.logical_and", "x", "y"],
  LogicalOr: ["math.logical_or", "x", "y"],
  LogicalNot: ["math.logical_not", "x"],
  Abs: ["math.abs", "x"],
  Neg: ["math.negative", "x"],
  Exp: ["math.exp", "x"],
  Log: ["math.log", "x"],
  Log1p: ["math.log1p", "x"],
  Sqrt: ["math.sqrt", "x"],
  Rsqrt: ["math.rsqrt", "x"],
  Square: ["math.square", "x"],
  Sign: ["math.sign", "x"],
  Sin: ["math.sin", "x"],
  Cos: ["math.cos", "x"],
  Floor: ["math.floor", "x"],
  Ceil: ["math.ceil", "x"],
  Round: ["math.round", "x"],
  Erf: ["math.erf", "x"],
  Sigmoid: ["math.sigmoid", "x"],
  Tanh: ["math.tanh", "x"],
  Softplus: ["math.softplus", "x"],
  Relu: ["nn.relu", "features"],
  Relu6: ["nn.relu6", "features"],
  Elu: ["nn.elu", "features"],
  Selu: ["nn.selu", "features"],
  LeakyRelu: ["nn.leaky_relu", "features"],
  Softmax: ["nn.softmax", "logits"],
  LogSoftmax: ["nn.log_softmax", "features"],
  Identity: ["identity", "input"],
  StopGradient: ["stop_gradient", "input"],
  Cast: ["cast", "x"],
  Sum: ["math.reduce_sum", "input_tensor", "axis"],
  Mean: ["math.reduce_mean", "input_tensor", "axis"],
  Max: ["math.reduce_max", "input_tensor", "axis"],
  Min: ["math.reduce_min", "input_tensor", "axis"],
  Prod: ["math.reduce_prod", "input_tensor", "axis"],
  Any: ["math.reduce_any", "input_tensor", "axis"],
  All: ["math.reduce_all", "input_tensor", "axis"],
  ArgMax: ["math.argmax", "input", "axis"],
  ArgMin: ["math.argmin", "input", "axis"],
  Reshape: ["reshape", "tensor", "shape"],
  Transpose: ["transpose", "a", "perm"],
  ExpandDims: ["expand_dims", "input", "axis"],
  Squeeze: ["squeeze", "input"],
  Tile: ["tile", "input", "multiples"],
  Pad: ["pad", "tensor", "paddings"],
  PadV2: ["pad", "tensor", "paddings", "constant_values"],
  MirrorPad: ["pad", "tensor", "paddings"],
  ConcatV2: ["concat", "values", "axis"],
  Pack: ["stack", "values"],
  Unpack: ["unstack", "value"],
  Split: ["split", "axis", "value"],
  SplitV: ["split", "value", "num_or_size_splits", "axis"],
  StridedSlice: ["strided_slice", "input_", "begin", "end", "strides"],
  Slice: ["slice", "input_", "begin", "size"],
  GatherV2: ["gather", "params", "indices", "axis"],
  GatherNd: ["gather_nd", "params", "indices"],
  OneHot: ["one_hot", "indices", "depth"],
  Shape: ["shape", "input"],
  Size: ["size", "input"],
  Rank: ["rank", "input"],
  ZerosLike: ["zeros_like", "input"],
  OnesLike: ["ones_like", "input"],
  Fill: ["fill", "dims", "value"],
  SelectV2: ["where", "condition", "x", "y"],
  Select: ["where", "condition", "x", "y"],
  ClipByValue: ["clip_by_value", "t", "clip_value_min", "clip_value_max"],
  MatMul: ["linalg.matmul", "a", "b"],
  BatchMatMul: ["linalg.matmul", "a", "b"],
  BatchMatMulV2: ["linalg.matmul", "a", "b"],
  ResizeBilinear: ["image.resize", "images", "size"],
  ResizeNearestNeighbor: ["image.resize", "images", "size"],
  ResizeBicubic: ["image.resize", "images", "size"],
  DepthToSpace: ["nn.depth_to_space", "input"],
  SpaceToDepth: ["nn.space_to_depth", "input"],
};

/** Attributes of nodes that are arguments of functions under another name. */
const renamed: Readonly<Record<string, string>> = {
  keep_dims: "keepdims",
  squeeze_dims: "axis",
  DstT: "dtype",
  num_split: "num_or_size_splits",
  adj_x: "transpose_a",
  adj_y: "transpose_b",
};

const dtypes: Readonly<Record<string, string>> = {
  DT_FLOAT: "float32",
  DT_DOUBLE: "float64",
  DT_HALF: "float16",
  DT_BFLOAT16: "bfloat16",
  DT_INT32: "int32",
  DT_INT64: "int64",
  DT_INT16: "int16",
  DT_INT8: "int8",
  DT_UINT8: "uint8",
  DT_BOOL: "bool",
  DT_STRING: "string",
};

/** An attribute value of protobuf's JSON form; 64-bit numbers are texts there. */
function attributeValue(value: Json): Json {
  const object = asObject(value);
  if (!object) return null;
  if (typeof object.type === "string")
    return Object.hasOwn(dtypes, object.type) ? (dtypes[object.type] ?? null) : null;
  if (typeof object.i === "string" || typeof object.i === "number") return Number(object.i);
  if (typeof object.b === "boolean") return object.b;
  const list = asObject(object.list);
  if (list) return (asList(list.i) ?? []).map((item) => Number(item));
  return typeof object.s === "string" ? atob(object.s) : null;
}

function readNode(config: JsonObject): JsonObject | undefined {
  const written = config.node_def;
  const text = asString(written);
  if (text === undefined) return asObject(written);
  try {
    return asObject(parseJson(text));
  } catch {
    // Binary protobuf of TensorFlow 1.14.
    return undefined;
  }
}

/** The node's inputs in order: tensors of the call, with the constants (by place) between them. */
function operands(source: OperationSource): readonly CallValue[] {
  const flat = source.call.args.flatMap((value) => (value.kind === "list" ? value.items : [value]));
  const constants = asObject(source.config.constants) ?? {};
  const result: CallValue[] = [];
  let used = 0;
  for (let place = 0; ; place++) {
    const value = constants[String(place)];
    const next = flat[used];
    if (value !== undefined) result.push({ kind: "plain", value });
    else if (next !== undefined) result.push(next);
    else break;
    if (value === undefined) used += 1;
  }
  return result;
}

/** Variadic inputs come first and take all but those that have parameters behind them. */
const variadic: ReadonlySet<string> = new Set(["values", "inputs"]);

function keywords(parameters: readonly string[], values: readonly CallValue[]): Record<string, CallValue> {
  const [first, ...rest] = parameters;
  if (first !== undefined && variadic.has(first)) {
    const count = values.length - rest.length;
    const items: CallValue = { kind: "list", items: values.slice(0, count) };
    return { [first]: items, ...keywords(rest, values.slice(count)) };
  }
  return Object.fromEntries(
    parameters.flatMap((name, i) => {
      const value = values[i];
      return value ? [[name, value] as const] : [];
    }),
  );
}

export function tensorflowOpLayer(source: OperationSource, table: OperationTable): MappedOperation {
  const node = readNode(source.config);
  const operator = asString(node?.op) ?? "";
  const [name, ...parameters] = Object.hasOwn(functions, operator) ? (functions[operator] ?? []) : [];
  const rule = name === undefined ? undefined : table[name];
  const values = operands(source);
  if (!rule) {
    const inputs = values.flatMap((value) => (value.kind === "tensor" ? [value.argument] : []));
    return { operator: "Opaque", attributes: {}, inputs };
  }
  const kwargs = keywords(parameters, values);
  for (const [key, value] of Object.entries(asObject(node?.attr) ?? {})) {
    const parameter = Object.hasOwn(renamed, key) ? (renamed[key] ?? key) : key;
    kwargs[parameter] ??= { kind: "plain", value: attributeValue(value) };
  }
  return rule({ ...source, type: name ?? operator, call: { args: [], kwargs } });
}
