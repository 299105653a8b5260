/** Exported programs of `torch.export`: archives of every layout, and the JSON of a program by itself. */

import { counted } from "../../src/counted.ts";
import type { Diagnostic } from "../../src/diagnostics.ts";
import { isModelError, MalformedFileError, UnsupportedFeatureError } from "../../src/errors.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import type { Graph, Layer } from "../../src/ir/graph.ts";
import type { Model, PickledGlobal } from "../../src/ir/model.ts";
import type { Weight } from "../../src/ir/tensor.ts";
import { uniquePaths } from "../../src/ir/unique-names.ts";
import { maxPickleGlobals } from "../../src/limits/pickle.ts";
import { getKey, type JsonValue } from "../../src/wire/json.ts";
import { readSharedJson, type SharedJson, type SharedKeys } from "../../src/wire/json-shared.ts";
import type { ZipArchive } from "../../src/wire/zip.ts";
import type { Imported } from "../importer.ts";
import { GraphReader } from "./export-graph.ts";
import { readNetwork } from "./export-network.ts";
import { countUnread, findTies, giveWeights, nameRows } from "./export-owners.ts";
import { holdsElements, noPayloads, type Payloads, readPayloads } from "./export-payloads.ts";
import { listOf, objectOf, textOf } from "./export-schema.ts";
import { readSignature } from "./export-signature.ts";
import { type Held, TensorTable } from "./export-tensors.ts";
import { foreignGlobals, globalDiagnostics } from "./globals.ts";

const newestSchema = 8;

/** What most of a program's text is: nodes, with where they come from (of which only the modules are used), and types of values. */
const sharedKeys: SharedKeys = {
  lists: ["nodes"],
  tables: ["tensor_values"],
  texts: ["nn_module_stack"],
  // Of an object that names a value the name is the last key, or the only one.
  lastTexts: ["name", "as_name"],
  unread: ["stack_trace", "torch_fn", "source_fn_stack", "from_node", "custom"],
};

/** Reads the graphs of an archive, whatever PyTorch wrote it. */
export async function importExportedArchive(source: ByteSource, zip: ZipArchive): Promise<Imported> {
  const file = source.name;
  const models = zip.entries.flatMap(({ name, duplicate }) => {
    const found = /^(.*\/)?models\/([^/]+)\.json$/.exec(name);
    if (duplicate) return [];
    if (found) return [{ entry: name, folder: found[1] ?? "", name: found[2] ?? "" }];
    const flat = /^(.*\/)?serialized_exported_program\.json$/.exec(name);
    return flat ? [{ entry: name, folder: flat[1] ?? "", name: "" }] : [];
  });
  if (models.length === 0) return (await import("./compiled-package.ts")).importCompiledPackage(source, zip);
  const read: Program[] = [];
  const importer = new ProgramImporter(file);
  for (const { entry, folder, name } of models) {
    const text = await readEntry(zip, entry);
    const json = await readSharedJson(text, sharedKeys, { file, at: entry });
    const payloads = await readPayloads(zip, folder, name, file);
    read.push(importer.read(json, payloads, models.length > 1 ? name : ""));
  }
  return importer.finish(source, "exported-program", read);
}

/** Reads the JSON of one program. Its weights are elsewhere. */
export async function importExportedJson(source: ByteSource): Promise<Imported> {
  const importer = new ProgramImporter(source.name);
  const json = await readSharedJson(source, sharedKeys, { file: source.name });
  return importer.finish(source, "exported-program-json", [importer.read(json, noPayloads, "")]);
}

async function readEntry(zip: ZipArchive, name: string): Promise<ByteSource> {
  const entry = zip.find(name);
  if (!entry) throw new MalformedFileError(`there is no ${name}`, { at: name });
  return zip.openEntry(entry);
}

interface Program {
  readonly name: string;
  readonly type: string;
  readonly graph: Graph;
  readonly weights: readonly Weight[];
  readonly version: string | null;
}

class ProgramImporter {
  private readonly file: string;
  private readonly diagnostics: Diagnostic[] = [];
  private readonly table: TensorTable;
  private readonly unique = uniquePaths();
  private readonly globals: PickledGlobal[] = [];

  constructor(file: string) {
    this.file = file;
    this.table = new TensorTable((diagnostic) => this.report(diagnostic));
  }

  private report(diagnostic: Diagnostic): void {
    this.diagnostics.push(diagnostic);
  }

  /** @throws MalformedFileError for what is no program, UnsupportedFeatureError for one of a newer schema. */
  read(written: SharedJson, payloads: Payloads, name: string): Program {
    try {
      return this.program(written, payloads, name);
    } catch (error) {
      // Who reads a size does not know the file.
      if (isModelError(error) && error instanceof MalformedFileError && error.file === undefined)
        throw new MalformedFileError(`${this.file}: ${error.message}`, { file: this.file, cause: error });
      throw error;
    }
  }

  private program(written: SharedJson, payloads: Payloads, name: string): Program {
    const { json } = written;
    const graph = getKey(getKey(json, "graph_module"), "graph");
    if (!objectOf(graph) || !written.elementsAt(graph, "nodes"))
      throw new MalformedFileError("the program has no graph_module with a graph of nodes");
    this.checkSchema(getKey(json, "schema_version"));
    const { inputs, all, outputs } = readSignature(written, payloads);
    const reader = new GraphReader(written, (diagnostic) => this.report(diagnostic));
    const given = outputs ?? listOf(getKey(graph, "outputs"));
    const built = reader.read(graph as JsonValue, inputs, given);
    const ties = findTies(all, reader.uses);
    this.table.add(all, ties, name);
    this.describePayloads(payloads, all, countUnread(all, reader.uses, ties), name);
    const left = giveWeights(all, reader.drafts, reader.uses, (held) => this.table.weight(held));
    for (const { held, slot, inputs, input } of reader.uses) {
      const { tensor, view } = this.table.weight(held);
      if (tensor === undefined || view || inputs[input] === undefined) continue;
      inputs[input] = { kind: "tensor", tensor, ...(slot !== "" && { name: slot }) };
    }
    nameRows(reader.drafts, reader.inside, this.unique);
    if (name !== "") for (const draft of reader.drafts) draft.scope = name;
    const version = textOf(getKey(json, "torch_version"));
    const { modules, outputStructure } = readNetwork(json, given);
    const network = { ...built, modules, ...(outputStructure !== null && { outputStructure }) };
    return { name, type: reader.root ?? "ExportedProgram", graph: network, weights: left, version };
  }

  private checkSchema(written: JsonValue | undefined): void {
    const major = typeof written === "number" ? written : getKey(written, "major");
    if (typeof major !== "number" || major <= newestSchema) return;
    throw new UnsupportedFeatureError(
      `${this.file}: schema version ${major} of exported programs, which this version does not read (the newest it knows is ${newestSchema})`,
      { file: this.file },
    );
  }

  private describePayloads(payloads: Payloads, all: readonly Held[], unread: number, at: string): void {
    for (const diagnostic of payloads.diagnostics) this.report(diagnostic);
    for (const { at: entry, imports } of payloads.imports)
      for (const found of foreignGlobals(imports, entry)) this.globals.push(found);
    for (const { name, stored, expected } of payloads.missing)
      this.report({ code: "payload-mismatch", args: { stored, expected }, at: name });
    if (holdsElements(payloads) || all.length === 0) return;
    const stated = `the file has the graph of ${counted(all.length, "tensor")} and no elements; sizes and types are those the graph states`;
    const doubt = `; ${counted(unread, "parameter")} that nothing reads ${unread === 1 ? "is counted, though it may be another" : "are counted, though they may be others"} under a second name`;
    const reason = unread > 0 ? `${stated}${doubt}` : stated;
    this.report({ code: "weights-not-read", args: { reason }, at });
  }

  finish(source: ByteSource, variant: string, programs: readonly Program[]): Imported {
    const [first] = programs as readonly [Program, ...Program[]];
    const several = programs.length > 1;
    const graph: Graph = several
      ? { topology: "layers", layers: programs.map(nested), inputs: [], outputs: [] }
      : first.graph;
    const model: Model = {
      file: { name: source.name, size: source.size, format: "pytorch", variant },
      producer: { framework: "pytorch", version: first.version },
      name: several ? source.name : first.type,
      type: several ? "Package" : first.type,
      kind: "graph",
      trainable: null,
      freezing: "enclosing",
      convention: "pytorch",
      graph,
      weights: several ? [] : first.weights,
      tensors: this.table.tensors,
      optimizer: null,
      ...(this.globals.length > 0 && { globals: this.globals.slice(0, maxPickleGlobals) }),
    };
    return { model, diagnostics: [...this.diagnostics, ...globalDiagnostics(this.globals)] };
  }
}

/** One of several programs, as a model inside; what no layer of it holds is the row's own. */
function nested({ name, type, graph, weights }: Program): Layer {
  return {
    name,
    source: { dialect: "pytorch", type },
    kind: "model",
    operator: "Model",
    attributes: {},
    scope: "",
    trainable: null,
    weights,
    graph,
    calls: [],
  };
}
