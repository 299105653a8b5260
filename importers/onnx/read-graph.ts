/** GraphProto, NodeProto and FunctionProto. Graphs hold nodes, whose attributes may hold graphs. */

import { int, type MessageShape, message, messages } from "../../src/wire/protobuf-shape.ts";
import type {
  OnnxFunction,
  OnnxGraph,
  OnnxNode,
  OnnxOpset,
  OnnxQuantization,
  OnnxTraining,
} from "./proto.ts";
import { type AttributeShape, attributeShape } from "./read-attribute.ts";
import {
  countNode,
  type Draft,
  metadataField,
  nameField,
  noMetadata,
  pairsField,
  type ReadContext,
  trimmed,
} from "./read-context.ts";
import { sparseTensorShape, type TensorShape, tensorShape } from "./read-tensor.ts";
import { typeShape, type ValueShape, valueShape } from "./read-type.ts";

type Shape<T> = MessageShape<Draft<T>, T>;

export interface Shapes {
  readonly tensor: TensorShape;
  readonly graph: Shape<OnnxGraph>;
  readonly function: Shape<OnnxFunction>;
  readonly training: Shape<OnnxTraining>;
  readonly opset: Shape<OnnxOpset>;
}

/** A graph of which nothing has been read yet. */
export function emptyGraph(): Draft<OnnxGraph> {
  return {
    name: "",
    nodes: [],
    initializers: [],
    sparseInitializers: [],
    inputs: [],
    outputs: [],
    valueInfo: [],
    quantization: [],
    metadata: noMetadata,
  };
}

/** The message types below ModelProto. */
export function graphShapes(context: ReadContext): Shapes {
  const tensor = tensorShape(context);
  const sparse = sparseTensorShape(context, tensor);
  const type = typeShape(context);
  const value = valueShape(context, type);
  const attribute = attributeShape(context, { tensor, sparse, type, graph: () => graph });
  const node = nodeShape(context, attribute);
  const annotation = annotationShape(context);
  const opset = opsetShape(context);
  const graph: Shape<OnnxGraph> = {
    fields: {
      1: messages(
        "node",
        () => node,
        (draft, found) => void draft.nodes.push(found),
      ),
      2: nameField(context, "name", (draft, name) => {
        draft.name = name;
      }),
      5: messages(
        "initializer",
        () => tensor,
        (draft, found) => void draft.initializers.push(found),
      ),
      11: messages(
        "input",
        () => value,
        (draft, found) => void draft.inputs.push(found),
      ),
      12: messages(
        "output",
        () => value,
        (draft, found) => void draft.outputs.push(found),
      ),
      13: messages(
        "value_info",
        () => value,
        (draft, found) => void draft.valueInfo.push(found),
      ),
      14: messages(
        "quantization_annotation",
        () => annotation,
        (draft, found) => {
          draft.quantization.push(found);
        },
      ),
      15: messages(
        "sparse_initializer",
        () => sparse,
        (draft, found) => {
          draft.sparseInitializers.push(found);
        },
      ),
      16: metadataField(),
    },
    start: emptyGraph,
    finish: (draft) => draft,
  };
  const inner: Inner = { node, value, attribute, opset };
  return {
    tensor,
    graph,
    function: functionShape(context, inner),
    training: trainingShape(context, graph),
    opset,
  };
}

function nodeShape(context: ReadContext, attribute: AttributeShape): Shape<OnnxNode> {
  return {
    fields: {
      1: nameField(context, "input", (node, name) => void node.inputs.push(name)),
      2: nameField(context, "output", (node, name) => void node.outputs.push(name)),
      3: nameField(context, "name", (node, name) => {
        node.name = name;
      }),
      4: nameField(context, "op_type", (node, type) => {
        node.opType = type;
      }),
      5: messages(
        "attribute",
        () => attribute,
        (node, found) => void node.attributes.push(found),
      ),
      7: nameField(context, "domain", (node, domain) => {
        node.domain = domain;
      }),
      8: nameField(context, "overload", (node, overload) => {
        node.overload = overload;
      }),
      9: metadataField(),
    },
    start: () => ({
      inputs: [],
      outputs: [],
      name: "",
      opType: "",
      domain: "",
      overload: "",
      attributes: [],
      metadata: noMetadata,
    }),
    finish: (node) => {
      countNode(context, node);
      node.inputs = trimmed(node.inputs);
      node.outputs = trimmed(node.outputs);
      node.attributes = trimmed(node.attributes);
      return node;
    },
  };
}

function annotationShape(context: ReadContext): Shape<OnnxQuantization> {
  return {
    fields: {
      1: nameField(context, "tensor_name", (annotation, tensor) => {
        annotation.tensor = tensor;
      }),
      2: pairsField(context, "quant_parameter_tensor_names", (annotation, pair) => {
        annotation.parameters.push(pair);
      }),
    },
    start: () => ({ tensor: "", parameters: [] }),
    finish: (annotation) => annotation,
  };
}

function opsetShape(context: ReadContext): Shape<OnnxOpset> {
  return {
    fields: {
      1: nameField(context, "domain", (opset, domain) => {
        opset.domain = domain;
      }),
      2: int("version", (opset, version) => {
        opset.version = version;
      }),
    },
    start: () => ({ domain: "", version: 0 }),
    finish: (opset) => opset,
  };
}

interface Inner {
  readonly node: Shape<OnnxNode>;
  readonly value: ValueShape;
  readonly attribute: AttributeShape;
  readonly opset: Shape<OnnxOpset>;
}

function functionShape(context: ReadContext, inner: Inner): Shape<OnnxFunction> {
  const { node, value, attribute, opset } = inner;
  return {
    fields: {
      1: nameField(context, "name", (draft, name) => {
        draft.name = name;
      }),
      4: nameField(context, "input", (draft, name) => void draft.inputs.push(name)),
      5: nameField(context, "output", (draft, name) => void draft.outputs.push(name)),
      6: nameField(context, "attribute", (draft, name) => void draft.attributes.push(name)),
      7: messages(
        "node",
        () => node,
        (draft, found) => void draft.nodes.push(found),
      ),
      9: messages(
        "opset_import",
        () => opset,
        (draft, found) => void draft.opsets.push(found),
      ),
      10: nameField(context, "domain", (draft, domain) => {
        draft.domain = domain;
      }),
      11: messages(
        "attribute_proto",
        () => attribute,
        (draft, found) => {
          draft.attributeDefaults.push(found);
        },
      ),
      12: messages(
        "value_info",
        () => value,
        (draft, found) => void draft.valueInfo.push(found),
      ),
      13: nameField(context, "overload", (draft, overload) => {
        draft.overload = overload;
      }),
      14: metadataField(),
    },
    start: () => ({
      name: "",
      domain: "",
      overload: "",
      inputs: [],
      outputs: [],
      attributes: [],
      attributeDefaults: [],
      nodes: [],
      opsets: [],
      valueInfo: [],
      metadata: noMetadata,
    }),
    finish: (draft) => draft,
  };
}

function trainingShape(context: ReadContext, graph: Shape<OnnxGraph>): Shape<OnnxTraining> {
  return {
    fields: {
      1: message(
        "initialization",
        () => graph,
        (draft, found) => {
          draft.initialization = found;
        },
      ),
      2: message(
        "algorithm",
        () => graph,
        (draft, found) => {
          draft.algorithm = found;
        },
      ),
      3: pairsField(context, "initialization_binding", (draft, pair) => {
        draft.initializationBindings.push(pair);
      }),
      4: pairsField(context, "update_binding", (draft, pair) => void draft.updateBindings.push(pair)),
    },
    start: () => ({ initialization: null, algorithm: null, initializationBindings: [], updateBindings: [] }),
    finish: (draft) => draft,
  };
}
