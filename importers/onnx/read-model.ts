/** ModelProto, and the one TensorProto that files of test data are. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { maxDiagnostics } from "../../src/limits.ts";
import { readMessage } from "../../src/wire/protobuf.ts";
import { int, type MessageShape, message, messages } from "../../src/wire/protobuf-shape.ts";
import type { OnnxModel, OnnxTensor } from "./proto.ts";
import {
  beginRead,
  type Draft,
  metadataField,
  nameField,
  noMetadata,
  type ReadContext,
} from "./read-context.ts";
import { graphShapes } from "./read-graph.ts";

type Report = (diagnostic: Diagnostic) => void;

/**
 * Reads a model; payloads stay where they are, except those of small tensors (see `OnnxTensor.values`). Reported: payloads
 * that do not have the length that dims and type ask for, unknown element types, names that are not UTF-8.
 * @throws MalformedFileError where the bytes are no ModelProto or the file is cut off, and the rest of `readMessage`.
 */
export async function readOnnxModel(source: ByteSource, report: Report): Promise<OnnxModel> {
  return read(source, report, modelShape);
}

/** Reads a file that is a single TensorProto. Errors and reports as above. */
export async function readOnnxTensor(source: ByteSource, report: Report): Promise<OnnxTensor> {
  return read(source, report, (context) => graphShapes(context).tensor);
}

async function read<State, Value>(
  source: ByteSource,
  report: Report,
  shape: (context: ReadContext) => MessageShape<State, Value>,
): Promise<Value> {
  let found = 0;
  const context = beginRead(source.name, (diagnostic) => {
    found += 1;
    if (found <= maxDiagnostics) report(diagnostic);
  });
  const value = await readMessage(source, shape(context));
  if (context.oddNames > 0) report({ code: "names-not-utf8", args: { count: context.oddNames }, at: "" });
  const count = found - maxDiagnostics;
  if (count > 0) report({ code: "diagnostics-left-out", args: { count }, at: "" });
  return value;
}

function modelShape(context: ReadContext): MessageShape<Draft<OnnxModel>, OnnxModel> {
  const shapes = graphShapes(context);
  const configuration = configurationShape(context);
  return {
    fields: {
      1: int("ir_version", (model, version) => {
        model.irVersion = version;
      }),
      2: nameField(context, "producer_name", (model, name) => {
        model.producerName = name;
      }),
      3: nameField(context, "producer_version", (model, version) => {
        model.producerVersion = version;
      }),
      4: nameField(context, "domain", (model, domain) => {
        model.domain = domain;
      }),
      5: int("model_version", (model, version) => {
        model.modelVersion = version;
      }),
      7: message(
        "graph",
        () => shapes.graph,
        (model, graph) => {
          model.graph = graph;
        },
      ),
      8: messages(
        "opset_import",
        () => shapes.opset,
        (model, opset) => void model.opsets.push(opset),
      ),
      14: metadataField(),
      20: messages(
        "training_info",
        () => shapes.training,
        (model, found) => void model.training.push(found),
      ),
      25: messages(
        "functions",
        () => shapes.function,
        (model, found) => void model.functions.push(found),
      ),
      26: messages(
        "configuration",
        () => configuration,
        (model, found) => {
          model.configurations.push(found);
        },
      ),
    },
    start: () => ({
      irVersion: null,
      producerName: "",
      producerVersion: "",
      domain: "",
      modelVersion: null,
      opsets: [],
      graph: null,
      metadata: noMetadata,
      functions: [],
      training: [],
      configurations: [],
    }),
    finish: (model) => model,
  };
}

type Configuration = OnnxModel["configurations"][number];

function configurationShape(context: ReadContext): MessageShape<Draft<Configuration>, Configuration> {
  return {
    fields: {
      1: nameField(context, "name", (found, name) => {
        found.name = name;
      }),
      2: int("num_devices", (found, devices) => {
        found.devices = devices;
      }),
    },
    start: () => ({ name: "", devices: 0 }),
    finish: (found) => found,
  };
}
