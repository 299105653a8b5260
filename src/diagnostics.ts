/**
 * Diagnostics: found, not thrown. We went on; here is what is missing or odd. A diagnostic is data
 * ({code, args, at}); its text is made by `formatDiagnostic`, whose `switch` stops compiling when a code has no text.
 */

import { counted } from "./counted.ts";

export type Severity = "info" | "warning" | "error";

interface Found<Code extends string, Args> {
  readonly code: Code;
  readonly args: Args;
  /** Where: a layer's scoped name, a path inside the file, or "" for the file as a whole. */
  readonly at: string;
}

export type Diagnostic =
  | Found<"unknown-layer", { readonly type: string; readonly weights: number }>
  | Found<"unknown-output-shape", { readonly type: string; readonly reason: string }>
  | Found<"shape-rule-failed", { readonly type: string; readonly reason: string }>
  | Found<
      "declared-stored-mismatch",
      { readonly weight: string; readonly declared: string; readonly stored: string }
    >
  | Found<
      "declared-inferred-mismatch",
      { readonly declared: string; readonly inferred: string; readonly shown: "declared" | "inferred" }
    >
  | Found<"nodes-reordered", { readonly nodes: number }>
  | Found<"name-defined-twice", { readonly name: string }>
  | Found<"weight-generated", { readonly weight: string; readonly shape: string }>
  | Found<"class-ambiguous", { readonly tensors: number; readonly elements: number; readonly names: string }>
  | Found<"class-likely", { readonly tensors: number; readonly elements: number; readonly names: string }>
  | Found<"class-by-name", { readonly tensors: number; readonly elements: number; readonly names: string }>
  | Found<"part-compiled", { readonly nodes: number; readonly type: string }>
  | Found<
      "normalization-folded",
      {
        readonly modules: number;
        readonly parameters: number;
        readonly statistics: number;
        readonly left: number;
      }
    >
  | Found<
      "normalization-likely-folded",
      { readonly modules: number; readonly parameters: number; readonly statistics: number }
    >
  | Found<
      "weights-worked-out",
      { readonly lost: number; readonly tensors: number; readonly elements: number; readonly names: string }
    >
  | Found<
      "weights-in-excess",
      { readonly lost: number; readonly tensors: number; readonly elements: number; readonly names: string }
    >
  | Found<"weights-sparse", { readonly tensors: number; readonly stored: number; readonly elements: number }>
  | Found<"weight-copied", { readonly weight: string; readonly same: string }>
  | Found<
      "weight-repeated",
      { readonly modules: number; readonly tensors: number; readonly elements: number }
    >
  | Found<"weight-maybe-tied", { readonly weight: string; readonly other: string; readonly elements: number }>
  | Found<"bias-padded", { readonly layers: number; readonly elements: number }>
  | Found<"operator-unknown", { readonly type: string }>
  | Found<"function-closed", { readonly type: string; readonly reason: string }>
  | Found<"channels-in-blocks", { readonly layers: number }>
  | Found<"modules-missing", { readonly layers: number }>
  | Found<"opset-missing", { readonly domain: string; readonly assumed: number }>
  | Found<"weight-not-stored", { readonly weight: string; readonly declared: string }>
  | Found<"weight-shape-unknown", { readonly weight: string }>
  | Found<"stored-weight-unclaimed", { readonly tensors: number; readonly elements: number }>
  | Found<"graph-dangling", { readonly reference: string }>
  | Found<"shared-object-repeated", { readonly type: string }>
  | Found<"shared-weight-stored-once", { readonly type: string; readonly other: string }>
  | Found<"shared-weight-stored-again", { readonly tensors: number; readonly elements: number }>
  | Found<"graph-cycle", { readonly layers: string }>
  | Found<"link-not-followed", { readonly kind: string; readonly target: string }>
  | Found<"object-unreadable", { readonly reason: string }>
  | Found<"attribute-unreadable", { readonly attribute: string; readonly reason: string }>
  | Found<"duplicate-entry", { readonly entry: string }>
  | Found<"companion-missing", { readonly name: string }>
  | Found<"companion-refused", { readonly name: string; readonly reason: string }>
  | Found<"weights-not-read", { readonly reason: string }>
  | Found<"weights-left-out", { readonly reason: string }>
  | Found<"config-missing", { readonly reason: string }>
  | Found<"optimizer-not-derived", { readonly optimizer: string; readonly reason: string }>
  | Found<"virtual-dataset", { readonly reason: string }>
  | Found<"shape-suspicious", { readonly shape: string; readonly reason: string }>
  | Found<"names-guessed", { readonly reason: string }>
  | Found<"payload-mismatch", { readonly stored: string; readonly expected: string }>
  | Found<"element-type-unknown", { readonly type: number }>
  | Found<"names-not-utf8", { readonly count: number }>
  | Found<
      "tensors-unclassified",
      { readonly tensors: number; readonly elements: number; readonly first: string }
    >
  | Found<"weight-tied", { readonly weight: string; readonly same: string }>
  | Found<"weights-copied", { readonly section: string; readonly tensors: number; readonly elements: number }>
  | Found<"storage-unseen", { readonly storages: number; readonly bytes: number }>
  | Found<"pickle-suspicious", { readonly name: string; readonly count: number }>
  | Found<"pickle-foreign", { readonly names: number; readonly first: string }>
  | Found<
      "weights-packed",
      { readonly tensors: number; readonly elements: number; readonly first: string; readonly method: string }
    >
  | Found<"bytes-unclaimed", { readonly bytes: number }>
  | Found<"shard-not-read", { readonly name: string; readonly tensors: number; readonly reason: string }>
  | Found<"tensors-missing", { readonly tensors: number; readonly first: string }>
  | Found<"index-mismatch", { readonly count: number; readonly what: string; readonly first: string }>
  | Found<"diagnostics-left-out", { readonly count: number }>;

export type DiagnosticCode = Diagnostic["code"];

const severities: Readonly<Record<DiagnosticCode, Severity>> = {
  "unknown-layer": "warning",
  "unknown-output-shape": "warning",
  "shape-rule-failed": "warning",
  "declared-stored-mismatch": "error",
  "declared-inferred-mismatch": "warning",
  "nodes-reordered": "info",
  "name-defined-twice": "warning",
  "weight-generated": "info",
  "class-ambiguous": "warning",
  "class-likely": "info",
  "class-by-name": "info",
  "part-compiled": "warning",
  "normalization-folded": "info",
  "normalization-likely-folded": "info",
  "weights-worked-out": "info",
  "weights-in-excess": "warning",
  "weights-sparse": "warning",
  "weight-copied": "info",
  "weight-repeated": "info",
  "weight-maybe-tied": "warning",
  "bias-padded": "info",
  "operator-unknown": "warning",
  "function-closed": "warning",
  "channels-in-blocks": "warning",
  "modules-missing": "info",
  "opset-missing": "info",
  "weight-not-stored": "warning",
  "weight-shape-unknown": "warning",
  "stored-weight-unclaimed": "warning",
  "graph-dangling": "error",
  "shared-object-repeated": "info",
  "shared-weight-stored-once": "warning",
  "shared-weight-stored-again": "info",
  "graph-cycle": "error",
  "link-not-followed": "warning",
  "object-unreadable": "error",
  "attribute-unreadable": "error",
  "duplicate-entry": "warning",
  "companion-missing": "warning",
  "companion-refused": "warning",
  "weights-not-read": "warning",
  "weights-left-out": "warning",
  "config-missing": "info",
  "optimizer-not-derived": "warning",
  "virtual-dataset": "warning",
  "shape-suspicious": "warning",
  "names-guessed": "info",
  "payload-mismatch": "error",
  "element-type-unknown": "warning",
  "names-not-utf8": "warning",
  "tensors-unclassified": "warning",
  "weight-tied": "info",
  "weights-copied": "info",
  "storage-unseen": "info",
  "pickle-suspicious": "error",
  "pickle-foreign": "info",
  "weights-packed": "warning",
  "bytes-unclaimed": "error",
  "shard-not-read": "warning",
  "tensors-missing": "warning",
  "index-mismatch": "warning",
  "diagnostics-left-out": "warning",
};

/** How serious a diagnostic of this code is. */
export function severityOf(code: DiagnosticCode): Severity {
  return severities[code];
}

/** Whether a value read from a file is a diagnostic: a known code, and plain words and numbers about it. */
export function isDiagnostic(value: unknown): value is Diagnostic {
  if (typeof value !== "object" || value === null) return false;
  const { code, args, at } = value as Partial<Diagnostic>;
  return (
    typeof code === "string" &&
    Object.hasOwn(severities, code) &&
    typeof at === "string" &&
    typeof args === "object" &&
    args !== null &&
    Object.values(args).every((item) => typeof item === "string" || typeof item === "number")
  );
}

/** The text of a diagnostic, in one sentence or two. Names inside are as the file has them: escape before showing. */
export function formatDiagnostic(d: Diagnostic): string {
  switch (d.code) {
    case "unknown-layer":
      return `no rule for layer class ${d.args.type}: ${
        d.args.weights === 0
          ? ""
          : `its ${counted(d.args.weights, "weight counts", "weights count")} as the file has them, trainable unless named otherwise; `
      }its output shape is known only where the file states it`;
    case "unknown-output-shape":
      return `output shape of ${d.args.type} is not known: ${d.args.reason}`;
    case "shape-rule-failed":
      return `output shape of ${d.args.type} could not be derived: ${d.args.reason}`;
    case "declared-stored-mismatch":
      return `weight ${d.args.weight}: the configuration implies ${d.args.declared}, the file stores ${d.args.stored}; totals use the stored shape`;
    case "declared-inferred-mismatch":
      return `the file declares ${d.args.declared}, but ${d.args.inferred} follows from the operator; what is ${d.args.shown} is shown`;
    case "nodes-reordered":
      return `the file lists ${counted(d.args.nodes, "node")} before nodes that have to come first; put in order`;
    case "name-defined-twice":
      return `${d.args.name} is defined more than once; the first definition is used`;
    case "weight-generated":
      return `weight ${d.args.weight} ${d.args.shape} is made when the model runs, not stored; it counts as a parameter`;
    case "class-ambiguous":
      return `${counted(d.args.tensors, "tensor")} (${counted(d.args.elements, "element")}) may be learned or constant, and nothing in the file tells which; in the ledger as unclassified, not in the totals, which are a lower bound: ${d.args.names}`;
    case "class-likely":
      return `counted as learned, since they scale, shift or weigh what layers give, though buffers would look the same: ${counted(d.args.tensors, "tensor")} (${counted(d.args.elements, "element")}): ${d.args.names}`;
    case "part-compiled":
      return `${counted(d.args.nodes, "node holds a part", "nodes hold parts")} of the network compiled for a device (${d.args.type}), with weights that are no tensors of the file: they are not in the totals, which are a lower bound`;
    case "class-by-name":
      return `counted as buffers or fixed tables, not as learned, by their names alone: ${counted(d.args.tensors, "tensor")} (${counted(d.args.elements, "element")}): ${d.args.names}`;
    case "normalization-folded":
      return `${counted(d.args.modules, "batch normalization was", "batch normalizations were")} folded into other weights when the model was exported, with ${counted(d.args.parameters, "parameter")} and ${counted(d.args.statistics, "statistic")}, of which ${counted(d.args.left, "parameter is left as a bias", "parameters are left as biases")}`;
    case "normalization-likely-folded":
      return `the exporter named weights and biases of ${counted(d.args.modules, "convolution")}, as it does where it folds the batch normalization that follows: up to ${counted(d.args.parameters, "parameter")}, of which the biases are left, and ${counted(d.args.statistics, "statistic")}`;
    case "weights-worked-out":
      return d.args.lost > 0
        ? `no tensor has the name of ${counted(d.args.lost, "parameter")} of the program (${d.args.names}), and ${d.args.tensors === 0 ? "no weight was" : `only ${counted(d.args.tensors, "weight was", "weights were")}`} made when it was exported: some were left out, merged or computed into others, so the network can have more or fewer parameters`
        : `${counted(d.args.tensors, "weight was", "weights were")} computed from others when the network was traced (${counted(d.args.elements, "element")}: ${d.args.names}); what they were made of is gone, so the network can have more or fewer parameters`;
    case "weights-in-excess":
      return `${counted(d.args.tensors, "weight was", "weights were")} made when the network was exported (${counted(d.args.elements, "element")}: ${d.args.names}), of ${counted(d.args.lost, "parameter")} that no tensor has the name of: a parameter that was stored twice counts twice, so the network can have fewer`;
    case "weights-sparse":
      return `${counted(d.args.tensors, "weight is", "weights are")} stored sparse: ${counted(d.args.stored, "element")} of ${d.args.elements}; the zeros that the file leaves out do not count here, so the network can have more parameters`;
    case "weight-copied":
      return `${d.args.weight} is ${d.args.same} turned over: the network has them as one tied matrix, which the exporter stored twice; counted once`;
    case "weight-repeated":
      return `${counted(d.args.modules, "module is", "modules are")} called several times, and the exporter stored weights anew for a further call: ${counted(d.args.tensors, "tensor")} (${counted(d.args.elements, "element")}) that count once`;
    case "weight-maybe-tied":
      return `${d.args.weight} has the sizes of ${d.args.other} turned over: if the network has them as one tied matrix, its ${counted(d.args.elements, "element is", "elements are")} stored, and counted here, twice`;
    case "bias-padded":
      return `${counted(d.args.layers, "recurrent layer stores", "recurrent layers store")} a second bias of zeros (${counted(d.args.elements, "element")}), as ONNX asks for; it was never learned and is not in the totals`;
    case "operator-unknown":
      return `no rule for operator ${d.args.type}: shapes after it are known only where the file states them`;
    case "function-closed":
      return `function ${d.args.type} stays closed: ${d.args.reason}; what it computes with is unclassified and not in the totals`;
    case "channels-in-blocks":
      return `${counted(d.args.layers, "convolution has its", "convolutions have their")} channels in blocks, as ONNX Runtime lays them out for one kind of processor; kernels may be filled up with zeros to whole blocks, which count here: the network may have fewer parameters`;
    case "modules-missing":
      return `the file does not say of which module its ${counted(d.args.layers, "layer is", "layers are")}: nothing is grouped`;
    case "opset-missing":
      return `no opset version for domain "${d.args.domain}"; version ${d.args.assumed} is assumed`;
    case "weight-not-stored":
      return `weight ${d.args.weight}: the configuration implies ${d.args.declared}, the file stores nothing; totals use the implied shape`;
    case "weight-shape-unknown":
      return `weight ${d.args.weight}: neither stored nor derivable, so totals leave it out and are a lower bound`;
    case "stored-weight-unclaimed":
      return `${counted(d.args.tensors, "stored tensor")} (${counted(d.args.elements, "element")}) without a weight in the configuration: in the ledger, not in the totals`;
    case "graph-dangling":
      return `refers to ${d.args.reference}, which does not exist; shapes that depend on it are unknown`;
    case "shared-object-repeated":
      return `the file marks this ${d.args.type} as one object with another place, but Keras forgets the mark before it comes here and loads two layers; both are counted, as Keras does`;
    case "shared-weight-stored-once":
      return `the file has no weights for this ${d.args.type}, but those of ${d.args.other}, of the same class and name, as when Keras saves one layer that stands in two places; taken for one and counted once (Keras may fail to load this file)`;
    case "shared-weight-stored-again":
      return `weights that two places share are stored twice (${counted(d.args.tensors, "stored tensor")}, ${counted(d.args.elements, "element")}); the totals count them once, the ledger has the other copy as unused`;
    case "graph-cycle":
      return `layers depend on one another in a cycle: ${d.args.layers}; their shapes are unknown`;
    case "link-not-followed":
      return `${d.args.kind} link to ${d.args.target} was not followed`;
    case "object-unreadable":
      return `could not be read: ${d.args.reason}`;
    case "attribute-unreadable":
      return `attribute ${d.args.attribute} could not be read: ${d.args.reason}`;
    case "duplicate-entry":
      return `the archive holds ${d.args.entry} more than once; the last one listed was used`;
    case "companion-missing":
      return `the file refers to ${d.args.name}, which was not found beside it`;
    case "companion-refused":
      return `the file refers to ${d.args.name}, which was not opened: ${d.args.reason}`;
    case "weights-not-read":
      return `weights were not read: ${d.args.reason}`;
    case "weights-left-out":
      return `totals are a lower bound: ${d.args.reason}`;
    case "config-missing":
      return `no architecture in this file: ${d.args.reason}`;
    case "optimizer-not-derived":
      return `optimizer ${d.args.optimizer}: ${d.args.reason}`;
    case "virtual-dataset":
      return `dataset does not hold its own data: ${d.args.reason}`;
    case "shape-suspicious":
      return `shape ${d.args.shape} is suspicious: ${d.args.reason}`;
    case "names-guessed":
      return d.args.reason;
    case "payload-mismatch":
      return `its payload has ${d.args.stored}, its dimensions and type ask for ${d.args.expected}; figures use the dimensions`;
    case "element-type-unknown":
      return `its element type has number ${d.args.type}, which this version does not know; its elements are counted, their size is not known`;
    case "names-not-utf8":
      return `${counted(d.args.count, "name is", "names are")} not UTF-8; shown byte by byte`;
    case "tensors-unclassified":
      return `${counted(d.args.tensors, "stored tensor")} (${counted(d.args.elements, "element")}) may be parameters or not, the first is ${d.args.first}; the ledger has all, totals leave them out and are a lower bound`;
    case "weight-tied":
      return `${d.args.weight} is the same storage as ${d.args.same}; counted once`;
    case "weights-copied":
      return `${d.args.section} is named like a second set of weights, and ${counted(d.args.tensors, "tensor")} (${counted(d.args.elements, "element")}) in it have the names or shapes of the model's: taken as a copy, and no part of the totals`;
    case "storage-unseen":
      return `no tensor sees ${counted(d.args.bytes, "byte")} of ${counted(d.args.storages, "storage")}; the ledger has them`;
    case "pickle-suspicious":
      return `the pickle asks Python to import ${d.args.name} (${counted(d.args.count, "time")}), which no model needs: loading this file with Python may run what someone put there; nothing was run here`;
    case "pickle-foreign":
      return `the pickle names ${counted(d.args.names, "class or function that is not one of PyTorch's plain ones", "classes or functions that are not PyTorch's plain ones")}, the first is ${d.args.first}; none was imported here, and --json lists them`;
    case "weights-packed":
      return `${counted(d.args.tensors, "stored tensor holds", "stored tensors hold")} several values in each element (${counted(d.args.elements, "element")}, the first is ${d.args.first}), and ${
        d.args.method === ""
          ? "no config.json beside them says how"
          : `how ${d.args.method} packs them is not known here or contradicts what is stored`
      }; the ledger has what is stored, totals leave it out and are a lower bound`;
    case "bytes-unclaimed":
      return `${counted(d.args.bytes, "byte of the data belongs", "bytes of the data belong")} to no tensor; the safetensors library refuses such a file`;
    case "shard-not-read":
      return `the shard ${d.args.name} was not read: ${d.args.reason}; its ${counted(d.args.tensors, "tensor is", "tensors are")} not counted, and totals are a lower bound`;
    case "tensors-missing":
      return `the index names ${counted(d.args.tensors, "tensor")} that the shards lack, the first is ${d.args.first}; totals go without and are a lower bound`;
    case "index-mismatch":
      return `index and shards disagree: ${d.args.count} ${d.args.what} (${d.args.first})`;
    case "diagnostics-left-out":
      return `${counted(d.args.count, "more thing like these was", "more things like these were")} found and left out`;
  }
}
