/**
 * Recurrent layers: a loop ("Rnn") over a cell, which is a wrapped layer with a rule of its own (Keras 3.15
 * layers/rnn, tf-keras layers/rnn). A cell takes one step (batch, ...) and returns its output and its new states.
 */

import { type Dim, multiplyDims } from "../ir/dim.ts";
import type { JsonObject, Structure } from "../ir/graph.ts";
import { formatShape, type Shape } from "../ir/shape.ts";
import type { TensorType } from "../ir/tensor.ts";
import { dimAt, mainInput, realType, requireMinimumRank } from "./arguments.ts";
import { readChoice, readFlag, readInteger } from "./attributes.ts";
import { type Inferred, type OperatorDef, type RuleContext, RuleError, type RuleInput } from "./operator.ts";
import { defineOperator } from "./tensor-rule.ts";

interface CellAttributes {
  readonly units: number;
  readonly useBias: boolean;
  /** GRU: the reset gate acts after the recurrent product, which has a bias of its own then. */
  readonly resetAfter: boolean;
  /** Keras 1 kept the weights of each gate apart. */
  readonly splitGates: boolean;
}

function readCell(raw: JsonObject): CellAttributes {
  return {
    units: readInteger(raw, "units"),
    useBias: readFlag(raw, "useBias", true),
    resetAfter: readFlag(raw, "resetAfter", false),
    splitGates: readFlag(raw, "splitGates", false),
  };
}

/** A cell's output and states; one state stands alone, several in a list. */
function cellResult(output: TensorType, states: readonly TensorType[]): Inferred {
  const structure = states.map((_, i) => i + 1);
  const [state] = structure;
  return {
    types: [output, ...states],
    structure: { tuple: [0, states.length === 1 && state !== undefined ? state : { list: structure }] },
  };
}

function cellWeights(
  { attributes, inputs }: RuleContext<CellAttributes>,
  gates: string,
): Readonly<Record<string, Shape>> {
  const { units, useBias, resetAfter, splitGates } = attributes;
  const { shape } = mainInput(inputs);
  const features = shape === null ? null : dimAt(shape, -1);
  if (splitGates) {
    const parts = [...gates].map((gate): [string, Shape][] => [
      [`kernel-${gate}`, [features, units]],
      [`recurrent-kernel-${gate}`, [units, units]],
      [`bias-${gate}`, [units]],
    ]);
    return Object.fromEntries(parts.flat());
  }
  const width = multiplyDims(units, gates.length);
  return {
    kernel: [features, width],
    "recurrent-kernel": [units, width],
    ...(useBias && { bias: resetAfter ? [2, width] : [width] }),
  };
}

/** A cell of dense gates: kernel (features, g u), recurrent kernel (u, g u), bias (g u). */
function gatedCell(name: string, gates: string, states: number): OperatorDef<unknown> {
  return defineOperator<CellAttributes>({
    name,
    attributes: readCell,
    weights: (context) => cellWeights(context, gates),
    infer({ attributes: { units }, inputs }) {
      const step = mainInput(inputs);
      const shape = step.shape === null ? [null, units] : [dimAt(step.shape, 0), units];
      const type = { dtype: realType(step.dtype), shape };
      return cellResult(
        type,
        Array.from({ length: states }, () => type),
      );
    },
  });
}

/** LSTM whose gates see the cell state: three vectors of weights more. */
const peepholeCell = defineOperator<CellAttributes>({
  name: "PeepholeLstmCell",
  attributes: readCell,
  weights: (context) => {
    const { units } = context.attributes;
    return {
      ...cellWeights(context, "ifco"),
      "input-peephole": [units],
      "forget-peephole": [units],
      "output-peephole": [units],
    };
  },
  infer: ({ attributes: { units }, inputs }) => {
    const step = mainInput(inputs);
    const type = { dtype: realType(step.dtype), shape: [step.shape?.[0] ?? null, units] };
    return cellResult(type, [type, type]);
  },
});

/** Cells one after the other: the output of the last, the states of all. */
const stackedCells = defineOperator<{ reversed: boolean }>({
  name: "StackedRnnCells",
  attributes: (raw) => ({ reversed: readFlag(raw, "reverseStateOrder", false) }),
  infer({ attributes: { reversed }, inputs, inner }) {
    let output: RuleInput = mainInput(inputs);
    const states: Inferred[] = [];
    for (const cell of inner) {
      const result = cell.infer([output]);
      output = result.types[0] ?? { dtype: null, shape: null };
      states.push(result);
    }
    const types: TensorType[] = [output];
    const structure = (reversed ? states.toReversed() : states).map((state): Structure => {
      const offset = types.length - 1;
      types.push(...state.types.slice(1));
      return shiftLeaves(stateStructure(state), offset);
    });
    return { types, structure: { tuple: [0, { list: structure }] } };
  },
});

/** Structure of a cell's states, its leaves counted from 1. */
function stateStructure({ types, structure }: Inferred): Structure {
  const parts = typeof structure === "object" && "tuple" in structure ? structure.tuple : undefined;
  return parts?.[1] ?? { list: types.slice(1).map((_, i) => i + 1) };
}

/** The structure with all its leaves moved by `offset`. */
export function shiftLeaves(structure: Structure, offset: number): Structure {
  if (typeof structure === "number") return structure + offset;
  if ("dict" in structure)
    return { dict: structure.dict.map(([key, item]) => [key, shiftLeaves(item, offset)]) };
  if ("list" in structure) return { list: structure.list.map((item) => shiftLeaves(item, offset)) };
  return { tuple: structure.tuple.map((item) => shiftLeaves(item, offset)) };
}

interface RnnAttributes {
  readonly returnSequences: boolean;
  readonly returnState: boolean;
  /** (time, batch, ...) in and out. */
  readonly timeMajor: boolean;
  /** What several outputs come in: a list (Keras 2) or a tuple (Keras 3). */
  readonly container: "list" | "tuple";
}

function readRnn(raw: JsonObject): RnnAttributes {
  return {
    returnSequences: readFlag(raw, "returnSequences", false),
    returnState: readFlag(raw, "returnState", false),
    timeMajor: readFlag(raw, "timeMajor", false),
    container: readChoice(raw, "container", ["list", "tuple"], "list"),
  };
}

export function contain(container: "list" | "tuple", items: readonly Structure[]): Structure {
  return container === "list" ? { list: items } : { tuple: items };
}

function stepOf(sequence: RuleInput, timeMajor: boolean): TensorType {
  const { dtype, shape } = sequence;
  if (shape === null) return { dtype, shape };
  requireMinimumRank(shape, 3);
  return { dtype, shape: timeMajor ? shape.slice(1) : shape.toSpliced(1, 1) };
}

/** What a loop over `sequence` returns when each step returns `step`. */
function unroll(sequence: RuleInput, step: Inferred, attributes: RnnAttributes): Inferred {
  const { returnSequences, returnState, timeMajor, container } = attributes;
  const output = step.types[0] ?? { dtype: null, shape: null };
  const axis = timeMajor ? 0 : 1;
  const steps: Dim = sequence.shape?.[axis] ?? null;
  const shape =
    returnSequences && output.shape !== null ? output.shape.toSpliced(axis, 0, steps) : output.shape;
  const first = { dtype: output.dtype, shape };
  if (!returnState) return { types: [first] };
  const states = stateStructure(step);
  const items = typeof states === "object" && "list" in states ? states.list : [states];
  return { types: [first, ...step.types.slice(1)], structure: contain(container, [0, ...items]) };
}

/** sequence (batch, time, ...), initial states -> outputs of the cell, of the last step or of all, and its states. */
const rnn = defineOperator<RnnAttributes>({
  name: "Rnn",
  attributes: readRnn,
  infer({ attributes, inputs, inner }) {
    const sequence = mainInput(inputs);
    const [cell] = inner;
    if (!cell) throw new RuleError("it has no cell");
    return unroll(sequence, cell.infer([stepOf(sequence, attributes.timeMajor)]), attributes);
  },
});

interface CudnnAttributes extends RnnAttributes {
  readonly units: number;
}

/** Keras 2's layers for cuDNN, which own their weights: one bias vector of both products. */
function cudnnRnn(name: string, gates: number, states: number): OperatorDef<unknown> {
  return defineOperator<CudnnAttributes>({
    name,
    attributes: (raw) => ({ ...readRnn(raw), units: readInteger(raw, "units") }),
    weights({ attributes: { units }, inputs }) {
      const { shape } = mainInput(inputs);
      if (shape !== null && shape.length !== 3)
        throw new RuleError(`expects rank 3, found ${formatShape(shape)}`);
      const width = multiplyDims(units, gates);
      return {
        kernel: [shape === null ? null : dimAt(shape, -1), width],
        "recurrent-kernel": [units, width],
        bias: [multiplyDims(width, 2)],
      };
    },
    infer({ attributes, inputs }) {
      const sequence = mainInput(inputs);
      const step = stepOf(sequence, attributes.timeMajor);
      const type = { dtype: realType(step.dtype), shape: [step.shape?.[0] ?? null, attributes.units] };
      const result = cellResult(
        type,
        Array.from({ length: states }, () => type),
      );
      return unroll(sequence, result, attributes);
    },
  });
}

export const recurrentOperators: readonly OperatorDef<unknown>[] = [
  gatedCell("SimpleRnnCell", "h", 1),
  gatedCell("LstmCell", "icfo", 2),
  gatedCell("GruCell", "zrh", 1),
  peepholeCell,
  stackedCells,
  rnn,
  cudnnRnn("CudnnLstm", 4, 2),
  cudnnRnn("CudnnGru", 3, 1),
];
