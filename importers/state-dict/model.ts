/** A state dict as a model of the IR: a row for each module that owns tensors, in a flat list. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import type { Layer } from "../../src/ir/graph.ts";
import type { Model } from "../../src/ir/model.ts";
import type { Weight } from "../../src/ir/tensor.ts";
import type { Classified } from "./classify.ts";
import { groupModules, type Member, type Module, naturalOrder, outermost, separatorOf } from "./modules.ts";
import { type PackedWeight, unpackWeight } from "./packed.ts";
import { isTransposedLinear, lastStep, type Recognized, recognize } from "./recognize.ts";
import type { KnownModule, StateDict } from "./state-dict.ts";
import { type Storage, storeTensors } from "./storage.ts";
import { Surroundings } from "./surroundings.ts";
import { Tally } from "./tally.ts";

export interface StateDictModel {
  readonly model: Model;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * The model of a state dict. Every tensor gets a class by a stated rule; buffers are in the ledger and not in the
 * totals, as in PyTorch; a storage under several names is one stored tensor. Nothing is said of trainability, which
 * no state dict records.
 * @throws LimitExceededError for more elements than can be counted exactly, which files of a model may have together
 */
export function stateDictModel(dict: StateDict): StateDictModel {
  const storage = storeTensors(dict.tensors, dict.file.name);
  const tally = new Tally(storage, dict);
  const shown = dict.tensors.filter((tensor) => tensor.row !== false);
  const separator = separatorOf(shown);
  const modules = groupModules(shown, separator);
  const maker: RowMaker = { dialect: dict.dialect, around: new Surroundings(dict.modules, separator) };
  const transposed = new Set(modules.filter(isTransposedLinear).map(({ path }) => lastStep(path)));
  const owners = modules.flatMap((module) => {
    const packed = unpackMembers(module, dict.quantization);
    const recognized = recognize(unpacked(module, packed), transposed);
    const known = dict.modules?.get(module.path);
    const weight = (member: Member): Weight => {
      const found = packed.get(member) ?? null;
      return makeWeight(
        member,
        storage,
        recognized,
        tally.classify(member, module, recognized, found),
        found,
      );
    };
    if (module.path !== "" || recognized || known) {
      const name = module.path === "" ? dict.name : module.path;
      return [makeRow(maker, { name, path: module.path, known, recognized }, module.members.map(weight))];
    }
    // What the model owns outside its modules: a row each, under its own name.
    return module.members.map((member) => {
      const own = weight(member);
      const type = own.class === "parameter" ? "Parameter" : own.class === "unclassified" ? "?" : "Buffer";
      const recognized = { type, roles: {} };
      return makeRow(maker, { name: member.tensor.name, path: "", recognized }, [own]);
    });
  });
  const rows = withLeaves(owners, dict.modules, maker);
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
      convention: "pytorch",
      graph: { topology: "layers", layers: rows, inputs: [], outputs: [] },
      weights: [],
      tensors: storage.tensors,
      optimizer: dict.optimizers ? storedOptimizer(dict.optimizers) : null,
    },
    diagnostics: tally.diagnostics(rows.some(({ source }) => source.recognized)),
  };
}

/** Of several, all names; what they hold is told together. */
function storedOptimizer(names: readonly string[]): Model["optimizer"] {
  const name = names.length > 0 ? names.join(", ") : "optimizer";
  return { name, built: true, stored: true, scalars: [], slots: [] };
}

/** The packed weights of a module, as far as their layout is known. */
function unpackMembers(
  module: Module,
  quantization: StateDict["quantization"],
): ReadonlyMap<Member, PackedWeight> {
  const found = new Map<Member, PackedWeight>();
  for (const member of module.members) {
    const packed = member.tensor.packed ?? unpackWeight(member, module, quantization);
    if (packed) found.set(member, packed);
  }
  return found;
}

/** The module as it would be without packing, to recognise it by. */
function unpacked(module: Module, packed: ReadonlyMap<Member, PackedWeight>): Module {
  const weights = [...packed].filter(([{ local }]) => /^(qweight|weight_packed|weight|W_q)$/.test(local));
  if (weights.length === 0) return module;
  const plain = weights.map(([{ tensor }, { shape }]) => ["weight", { ...tensor, shape }] as const);
  return { ...module, byLocal: new Map([...module.byLocal, ...plain]) };
}

/**
 * Where the file has the modules themselves, those that own nothing have rows too, unless they only hold others. All stand
 * in the order of the modules; what belongs to none stands after the one it is in.
 */
function withLeaves(rows: readonly Layer[], known: StateDict["modules"], maker: RowMaker): Layer[] {
  if (!known) return [...rows];
  const places = new Map([...known.keys()].map((path, i) => [path, i]));
  const holders = new Set([...known.keys()].map(parentOf));
  const owned = new Set(rows.map(({ name }) => name));
  const leaves = [...known]
    .filter(([path]) => path !== "" && !holders.has(path) && !owned.has(path))
    .map(([path, module]) => makeRow(maker, { name: path, path, known: module, recognized: null }, []));
  const placed = [...rows, ...leaves].map((row) => ({ row, place: placeOf(row.name, places) }));
  return placed.sort((a, b) => a.place - b.place).map(({ row }) => row);
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf(".")));
}

function placeOf(name: string, places: ReadonlyMap<string, number>): number {
  const own = places.get(name);
  if (own !== undefined) return own;
  for (let path = outermost(name, "."); path !== ""; path = parentOf(path)) {
    const place = places.get(path);
    if (place !== undefined) return place;
  }
  return -1;
}

function makeWeight(
  { local, tensor }: Member,
  storage: Storage,
  recognized: Recognized | null,
  kind: Classified,
  packed: PackedWeight | null,
): Weight {
  return {
    name: tensor.name,
    role: roleOf(local, recognized),
    class: kind.class,
    trainable: tensor.trainable ?? null,
    dtype: tensor.dtype,
    ...(tensor.stored && { view: tensor.shape }),
    ...packed,
    tensor: storage.indexOf.get(tensor) ?? 0,
  };
}

function roleOf(local: string, recognized: Recognized | null): string {
  const roles = recognized?.roles ?? {};
  return Object.hasOwn(roles, local) ? (roles[local] ?? local) : local;
}

/** What all rows of a model have in common. */
interface RowMaker {
  readonly dialect: string;
  readonly around: Surroundings;
}

interface RowFacts {
  readonly name: string;
  /** Of its module; "" for what the model owns itself. */
  readonly path: string;
  readonly known?: KnownModule | undefined;
  readonly recognized: Recognized | null;
}

function makeRow(
  { dialect, around }: RowMaker,
  { name, path, known, recognized }: RowFacts,
  weights: readonly Weight[],
): Layer {
  const modules = around.around(path);
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
    ...(modules.length > 0 && { modules }),
    calls: [],
  };
}
