/** Names of a graph while it is read, and where their values come from. */

import type { Argument, Layer } from "../../src/ir/graph.ts";
import type { TensorType } from "../../src/ir/tensor.ts";

/** A layer under construction. */
export type Draft = { -readonly [K in keyof Layer]: Layer[K] };

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

export function argumentOf({ source, levels }: Found, port: string | undefined): Argument {
  const name = port === undefined ? {} : { name: port };
  if (source.kind === "tensor") {
    return source.type
      ? { kind: "constant", type: source.type, ...name }
      : { kind: "tensor", tensor: source.tensor, ...name };
  }
  const value = { layer: source.layer, call: 0, output: source.output };
  return levels === 0 ? { kind: "value", value, ...name } : { kind: "outer", levels, value, ...name };
}
