/** A state dict as a model of the IR: a row for each module that owns tensors, in a flat list. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import type { Layer } from "../../src/ir/graph.ts";
import type { Model } from "../../src/ir/model.ts";
import { elementsOf } from "../../src/ir/shape.ts";
import type { StoredTensor, Weight } from "../../src/ir/tensor.ts";
import { type Classified, classify } from "./classify.ts";
import { groupModules, type Member, type Module, naturalOrder } from "./modules.ts";
import { isTransposedLinear, lastStep, type Recognized, recognize } from "./recognize.ts";
import type { KnownModule, NamedTensor, StateDict } from "./state-dict.ts";

export interface StateDictModel {
  readonly model: Model;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * The model of a state dict. Every tensor gets a class by a stated rule; buffers are in the ledger and not in the
 * totals, as in PyTorch; a storage under several names is one stored tensor. Nothing is said of trainability, which
 * no state dict records.
 */
export function stateDictModel(dict: StateDict): StateDictModel {
  const storage = storeTensors(dict.tensors);
  const tally = new Tally(
    storage,
    dict.tensors.some(({ trainable }) => trainable !== undefined),
  );
  const modules = groupModules(dict.tensors.filter((tensor) => tensor.row !== false));
  const transposed = new Set(modules.filter(isTransposedLinear).map(({ path }) => lastStep(path)));
  const owners = modules.flatMap((module) => {
    const recognized = recognize(module, transposed);
    const known = dict.modules?.get(module.path);
    const weight = (member: Member): Weight =>
      makeWeight(member, storage, recognized, tally.classify(member, module, recognized));
    if (module.path !== "" || recognized || known) {
      const name = module.path === "" ? dict.name : module.path;
      return [makeRow(name, dict.dialect, known, recognized, module.members.map(weight))];
    }
    // What the model owns outside its modules: a row each, under its own name.
    return module.members.map((member) => {
      const own = weight(member);
      const type = own.class === "parameter" ? "Parameter" : own.class === "unclassified" ? "?" : "Buffer";
      return makeRow(member.tensor.name, dict.dialect, undefined, { type, roles: {} }, [own]);
    });
  });
  const rows = withLeaves(owners, dict);
  if (dict.order === "natural") rows.sort((a, b) => naturalOrder(a.name, b.name));
  return {
    model: {
      file: dict.file,
      producer: dict.producer,
      name: dict.name,
      type: dict.type,
      kind: "weights-only",
      trainable: null,
      freezing: "owner",
      graph: { topology: "layers", layers: rows, inputs: [], outputs: [] },
      weights: [],
      tensors: storage.tensors,
      optimizer: null,
    },
    diagnostics: tally.diagnostics(rows.some(({ source }) => source.recognized)),
  };
}

/**
 * Where the file has the modules themselves, those that own nothing have rows too, unless they only hold others. All stand
 * in the order of the modules; what belongs to none stands after the one it is in.
 */
function withLeaves(rows: readonly Layer[], dict: StateDict): Layer[] {
  const known = dict.modules;
  if (!known) return [...rows];
  const places = new Map([...known.keys()].map((path, i) => [path, i]));
  const holders = new Set([...known.keys()].map(parentOf));
  const owned = new Set(rows.map(({ name }) => name));
  const leaves = [...known]
    .filter(([path]) => path !== "" && !holders.has(path) && !owned.has(path))
    .map(([path, module]) => makeRow(path, dict.dialect, module, null, []));
  const placed = [...rows, ...leaves].map((row) => ({ row, place: placeOf(row.name, places) }));
  return placed.sort((a, b) => a.place - b.place).map(({ row }) => row);
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf(".")));
}

function placeOf(name: string, places: ReadonlyMap<string, number>): number {
  for (let path = name; path !== ""; path = parentOf(path)) {
    const place = places.get(path);
    if (place !== undefined) return place;
  }
  return -1;
}

interface Storage {
  readonly tensors: readonly StoredTensor[];
  readonly indexOf: ReadonlyMap<NamedTensor, number>;
  /** Names of one storage after its first. */
  readonly ties: readonly { readonly name: string; readonly first: string }[];
}

function storeTensors(named: readonly NamedTensor[]): Storage {
  const tensors: StoredTensor[] = [];
  const indexOf = new Map<NamedTensor, number>();
  const seen = new Map<string, { index: number; name: string }>();
  const ties: { name: string; first: string }[] = [];
  for (const tensor of named) {
    const first = tensor.identity === undefined ? undefined : seen.get(tensor.identity);
    if (first) {
      indexOf.set(tensor, first.index);
      ties.push({ name: tensor.name, first: first.name });
      continue;
    }
    const index = tensors.length;
    indexOf.set(tensor, index);
    if (tensor.identity !== undefined) seen.set(tensor.identity, { index, name: tensor.name });
    tensors.push({
      path: tensor.path ?? tensor.name,
      dtype: tensor.dtype,
      shape: tensor.stored ?? tensor.shape,
      bytes: tensor.bytes,
      unclaimed: tensor.class ?? "unclassified",
    });
  }
  return { tensors, indexOf, ties };
}

function makeWeight(
  { local, tensor }: Member,
  storage: Storage,
  recognized: Recognized | null,
  kind: Classified,
): Weight {
  return {
    name: tensor.name,
    role: roleOf(local, recognized),
    class: kind.class,
    trainable: tensor.trainable ?? null,
    dtype: tensor.dtype,
    ...(tensor.stored && { view: tensor.shape }),
    ...(tensor.packed && {
      shape: tensor.packed.shape,
      packing: { values: tensor.packed.values, axis: -1 },
    }),
    tensor: storage.indexOf.get(tensor) ?? 0,
    // PyTorch counts parameters; buffers, and what nobody can tell from them, are the ledger's.
    ...(kind.class !== "parameter" && { counted: false }),
  };
}

function roleOf(local: string, recognized: Recognized | null): string {
  const roles = recognized?.roles ?? {};
  return Object.hasOwn(roles, local) ? (roles[local] ?? local) : local;
}

function makeRow(
  name: string,
  dialect: string,
  known: KnownModule | undefined,
  recognized: Recognized | null,
  weights: readonly Weight[],
): Layer {
  const source = known
    ? { dialect, type: known.type, ...(known.module !== undefined && { module: known.module }) }
    : { dialect, type: recognized?.type ?? "?", ...(recognized && { recognized: true }) };
  return {
    name,
    source,
    kind: "layer",
    operator: "Opaque",
    attributes: {},
    scope: "",
    trainable: null,
    weights,
    needsNoBuild: true,
    calls: [],
  };
}

/** What the rules decided, counted as stored tensors. */
class Tally {
  private readonly storage: Storage;
  private readonly seen = new Set<number>();
  private readonly likely = { parameters: 0, elements: 0, buffers: 0 };
  private readonly open = { tensors: 0, elements: 0, first: "" };

  private readonly flagged: boolean;

  constructor(storage: Storage, flagged: boolean) {
    this.storage = storage;
    this.flagged = flagged;
  }

  classify(member: Member, module: Module, recognized: Recognized | null): Classified {
    const kind = classify(member.local, member.tensor, module, recognized);
    const index = this.storage.indexOf.get(member.tensor) ?? 0;
    if (!this.seen.has(index)) {
      this.seen.add(index);
      this.count(kind, member.tensor);
    }
    return kind;
  }

  private count(kind: Classified, tensor: NamedTensor): void {
    const elements = elementsOf(tensor.stored ?? tensor.shape) ?? 0;
    if (kind.class === "unclassified") {
      if (this.open.tensors === 0) this.open.first = tensor.name;
      this.open.tensors += 1;
      this.open.elements += elements;
    } else if (kind.certainty === "likely" && kind.class === "parameter") {
      this.likely.parameters += 1;
      this.likely.elements += elements;
    } else if (kind.certainty === "likely") this.likely.buffers += 1;
  }

  diagnostics(recognized: boolean): Diagnostic[] {
    const { likely, open } = this;
    const found: Diagnostic[] = [];
    const marked = recognized
      ? "; classes with ~ are recognised from names and shapes, not read from the file"
      : "";
    const flags = this.flagged
      ? "the file says which are trainable"
      : "which of them are trainable is not recorded";
    const reason = `it holds weights only; ${flags}${marked}`;
    found.push({ code: "config-missing", args: { reason }, at: "" });
    if (likely.parameters + likely.buffers > 0) {
      found.push({
        code: "names-guessed",
        args: {
          reason: `the file does not say what is a parameter and what a buffer; ${likely.parameters} tensors (${likely.elements} elements) are taken as parameters and ${likely.buffers} as buffers by their names and types alone`,
        },
        at: "",
      });
    }
    if (open.tensors > 0) {
      found.push({
        code: "tensors-unclassified",
        args: { tensors: open.tensors, elements: open.elements, first: open.first },
        at: "",
      });
    }
    for (const { name, first } of this.storage.ties)
      found.push({ code: "weight-tied", args: { weight: name, same: first }, at: "" });
    return found;
  }
}
