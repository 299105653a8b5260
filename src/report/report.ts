import type { DiagnosticCode, Severity } from "../diagnostics.ts";
import type { Convention } from "../ir/convention.ts";
import type { Structure } from "../ir/graph.ts";
import type { PickledGlobal } from "../ir/model.ts";
import type { TensorClass } from "../ir/tensor.ts";

/** A number; an expression over named sizes as text (`2*seq`, `floor((h - 1)/2) + 1`); or null, not known. */
export type ReportDim = number | string | null;

/** Dimensions in order; null: not even the rank is known. */
export type ReportShape = readonly ReportDim[] | null;

/**
 * The report: everything that is told about a model, as plain JSON. `--json` prints it, reporters render it, and
 * schema/report.v1.schema.json describes it. Counts are elements unless a name says bytes.
 */
export interface Report {
  readonly file: {
    readonly name: string;
    /** Bytes. */
    readonly size: number;
    /** Importer id, e.g. `keras`. */
    readonly format: string;
    /** Kind of that format, e.g. `keras-v3-archive`. */
    readonly variant: string;
  };
  readonly producer: {
    /** `keras`, `tf.keras`, `tf-keras` ...; null when the file does not say. */
    readonly framework: string | null;
    readonly version: string | null;
  };
  readonly model: ReportModel;
  /** Top-level layers in the framework's order; nested models hold theirs in `layers`. */
  readonly layers: readonly ReportLayer[];
  readonly totals: {
    /** Whose way of counting the totals and `params` follow. */
    readonly convention: Convention;
    /** Classes of the weights that they add up. */
    readonly classes: readonly TensorClass[];
    /** trainable + nonTrainable: weights of those classes, each shared one once; packed ones count unpacked. */
    readonly parameters: number;
    readonly trainable: number;
    readonly nonTrainable: number;
    /** Gathered state (moving means and variances): in `nonTrainable`, or beside it where `classes` leaves it out. */
    readonly statistics: number;
    /** Variables of the optimizer, never part of `parameters`. */
    readonly optimizer: number;
    /** Bytes of the weights in `parameters`, at the size they are held in. */
    readonly bytes: number;
    /** `partial`: a lower bound, since some weight shape is unknown (see diagnostics). */
    readonly status: "complete" | "partial" | "unavailable";
  };
  readonly ledger: Ledger;
  /** The optimizer that loading the file would give, or the one whose state a checkpoint holds; null when there is none. */
  readonly optimizer: {
    readonly name: string;
    readonly built: boolean;
    readonly elements: number;
    readonly bytes: number;
  } | null;
  /**
   * Names that unpickling the file with Python would import, beyond those that tensors and plain containers are made with;
   * suspicious ones first. Absent when there are none. Nothing was imported to find them.
   */
  readonly globals?: readonly PickledGlobal[];
  readonly diagnostics: readonly ReportDiagnostic[];
}

export interface ReportModel {
  readonly name: string;
  /** Set when the file has no name for it and the framework makes one up: its place among such models, from 0. */
  readonly unnamed?: number;
  /** Class as the file has it. */
  readonly type: string;
  readonly kind: "graph" | "weights-only";
  /** How its layers are joined; see ir/graph.ts. */
  readonly topology: "functional" | "sequential" | "layers";
  /** No branches, no layer with several inputs, no shared layer: Keras prints such a model without connections. */
  readonly linear: boolean;
  readonly built: boolean;
  /** Weights the model owns outside its layers. */
  readonly weights: readonly ReportWeight[];
  /** Of an exported program whose rows are the modules of the network. */
  readonly network?: ReportNetwork;
}

/** What an exported program tells of the network as a whole. */
export interface ReportNetwork {
  /** Paths of all modules that the file lists, in its order, "" for the whole; those without a row did nothing in it. */
  readonly modules: readonly string[];
  /** What it gets, in order; what is no tensor is left out. */
  readonly inputs: readonly ReportValue[];
  /** What it gives, flat. */
  readonly outputs: readonly ReportValue[];
  /** Container that the outputs come in: an index into `outputs`, or a list, tuple or dict of such; null: not recorded. */
  readonly outputStructure: Structure | null;
}

/** Type of a value. */
export interface ReportValue {
  readonly shape: ReportShape;
  readonly dtype: string | null;
}

export interface ReportLayer {
  readonly name: string;
  /** Set when the file has no name for it and the framework makes one up: its place among such models, from 0. */
  readonly unnamed?: number;
  /** Class (`Conv2D`); one that was renamed since (Keras 1's `Convolution2D`) has its newest name. */
  readonly type: string;
  /** The file has no classes: `type` is read from the names and shapes of the weights. */
  readonly recognized?: boolean;
  /** `operation`: a function call without weights; `model`: a nested model. */
  readonly kind: "layer" | "operation" | "model";
  /** Canonical operator; `Opaque` when no rule knows it. */
  readonly operator: string;
  /** Names of the enclosing nested models, joined by "/"; "" at the top. */
  readonly scope: string;
  /** One shape an output, of the last call; `null` for a shape that is not known at all. */
  readonly outputShapes: readonly ReportShape[];
  /** Elements of its weights of the classes in `totals`, each shared one once; packed ones unpacked. */
  readonly params: number;
  readonly trainable: number;
  readonly nonTrainable: number;
  /** Of a row that is a module of an exported network: those of `params` that are its own, and of no module inside it. */
  readonly ownParams?: number;
  /** A further call of a module that has parameters: they are in the row of its first call. */
  readonly recursive?: boolean;
  /** Of a row that is a module: there are modules inside it, which have no rows since the tree ends here. */
  readonly folded?: boolean;
  /** The layer's own flag, as the framework holds it after loading (a frozen model freezes its layers); null: not recorded. */
  readonly trainableFlag: boolean | null;
  /** False when the framework would hold it without weights or shapes yet. */
  readonly built: boolean;
  /** `layer[call][output]` for each input of each call, calls counted from 0. */
  readonly connectedTo: readonly string[];
  readonly weights: readonly ReportWeight[];
  readonly calls: readonly ReportCall[];
  /** Layers of a nested model; absent for others. */
  readonly layers?: readonly ReportLayer[];
  /** Of a nested model: how its layers are joined. */
  readonly topology?: "functional" | "sequential" | "layers";
}

export interface ReportCall {
  readonly inputs: readonly { readonly layer: string; readonly call: number; readonly output: number }[];
  readonly outputShapes: readonly ReportShape[];
  /** Of a row that is a module of an exported network: one element type an output. */
  readonly outputDtypes?: readonly (string | null)[];
  /** Container the outputs come in: an index into `outputShapes`, or a list, tuple or dict of such. */
  readonly outputStructure: Structure;
}

export interface ReportWeight {
  readonly name: string;
  readonly role: string;
  /** Logical shape; `null` when unknown. */
  readonly shape: ReportShape;
  readonly dtype: string | null;
  readonly class: TensorClass;
  /** After combination with the flags of layer and models; null: not recorded. */
  readonly trainable: boolean | null;
  /** Elements it adds to totals: without packing; of a view, those of the whole that it sees. Null when unknown. */
  readonly elements: number | null;
  /** Bytes it is held in; null when unknown. */
  readonly bytes: number | null;
  /** Shape in the file, when stored; differs from `shape` for packed weights. */
  readonly storedShape: readonly number[] | null;
  /** Path in the file, when stored. */
  readonly stored: string | null;
  /** Set for a weight that several layers hold: weights of equal number are one. So are those of equal `stored`. */
  readonly shared?: number;
}

export interface LedgerEntry {
  readonly tensors: number;
  readonly elements: number;
  readonly bytes: number;
}

/** Every tensor element stored in the file, each in exactly one class. */
export interface Ledger {
  readonly elements: number;
  readonly bytes: number;
  readonly classes: Readonly<Record<TensorClass, LedgerEntry>>;
}

export interface ReportDiagnostic {
  readonly code: DiagnosticCode;
  readonly severity: Severity;
  readonly message: string;
  readonly at: string;
}
