/** Names of a graph while it is read, and where their values come from. */

import type { Argument, Layer } from "../../src/ir/graph.ts";
import type { TensorType } from "../../src/ir/tensor.ts";

/** A layer under construction. */
export type Draft = { -readonly [K in keyof Layer]: Layer[K] };

/** What a layer under construction is made of. */
export interface Pushed extends Pick<Layer, "name" | "operator" | "attributes" | "calls" | "modules"> {
  readonly type: string;
}

const noWeights: Layer["weights"] = [];

/** With modules from the start where it has any: what is added to an object later takes another one to hold it. */
export function draftOf(name: string, source: Layer["source"], layer: Pushed): Draft {
  const { operator, attributes, calls, modules = [] } = layer;
  const kind = operator === "Input" ? "layer" : "operation";
  const weights = noWeights;
  return modules.length === 0
    ? { name, source, kind, operator, attributes, scope: "", trainable: null, weights, calls }
    : { name, source, kind, operator, attributes, scope: "", trainable: null, weights, calls, modules };
}

export type Source =
  | { readonly kind: "value"; readonly layer: number; readonly output: number }
  /** `type` is set where the value is not the stored tensor as it stands: a sparse one, of which the other elements are zero. */
  | { readonly kind: "tensor"; readonly tensor: number; readonly type?: TensorType };

/** Where a name leads that nothing defines. */
export const nowhere: Source = { kind: "tensor", tensor: -1, type: { dtype: null, shape: null } };

/** Layers of one graph; several frames share them when functions are opened inside. */
export interface Level {
  readonly layers: Draft[];
  readonly depth: number;
}

/** The names that can be seen at a place: those of a graph and of the graphs around it, or of a function alone. */
export interface Frame {
  readonly level: Level;
  readonly outer: Frame | null;
  readonly names: Map<string, Source>;
  /** Types the file states, by name of the value. */
  readonly declared: Map<string, TensorType>;
  /** In front of names of nodes and tensors: the graphs and functions around. */
  readonly prefix: string;
}

export interface Found {
  readonly source: Source;
  /** Graphs further out. */
  readonly levels: number;
  readonly level: Level;
}

export function findName(frame: Frame, name: string): Found | null {
  for (let at: Frame | null = frame; at !== null; at = at.outer) {
    const source = at.names.get(name);
    if (source) return { source, levels: frame.level.depth - at.level.depth, level: at.level };
  }
  return null;
}

/** What most inputs are is written out: a graph has hundreds of thousands, and putting objects together takes its time. */
export function argumentOf({ source, levels }: Found, port: string | undefined): Argument {
  if (source.kind === "tensor") {
    if (source.type) return named({ kind: "constant", type: source.type }, port);
    const { tensor } = source;
    return port === undefined ? { kind: "tensor", tensor } : { kind: "tensor", tensor, name: port };
  }
  const value = { layer: source.layer, call: 0, output: source.output };
  if (levels > 0) return named({ kind: "outer", levels, value }, port);
  return port === undefined ? { kind: "value", value } : { kind: "value", value, name: port };
}

function named(argument: Argument, port: string | undefined): Argument {
  return port === undefined ? argument : { ...argument, name: port };
}
