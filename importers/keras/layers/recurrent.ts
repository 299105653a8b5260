/**
 * Recurrent layers (Keras 3.15 layers/rnn, tf-keras layers/rnn, Keras 1 layers/recurrent.py). All are a loop over a
 * cell, which is a layer inside: LSTM(8) is Rnn around LSTMCell(8), and its weights are those of the cell.
 */

import type { JsonObject } from "../../../src/ir/graph.ts";
import { bindCall } from "../bind-call.ts";
import { asBoolean, asInteger, asList, asObject, asString } from "../json-access.ts";
import type {
  CallArguments,
  InnerDeclaration,
  LayerRule,
  LayerSource,
  MappedCall,
  WeightDeclaration,
} from "../layer-rule.ts";
import { numberedNames, pythonClass, snakeCase } from "../names.ts";
import { biasWeight, layoutOf, perAxis, usesBias } from "./config-reading.ts";

const products: readonly WeightDeclaration[] = [
  { name: "kernel", role: "kernel" },
  { name: "recurrent_kernel", role: "recurrent-kernel" },
];

/** Keras 1 kept each gate apart unless it was to run on a GPU (`consume_less`, now `implementation`). */
function splitsGates({ generation, config }: LayerSource): boolean {
  return generation === 1 && asInteger(config.implementation) !== 2;
}

function gateWeights(gates: string): readonly WeightDeclaration[] {
  return [...gates].flatMap((gate) => [
    { name: `W_${gate}`, role: `kernel-${gate}` },
    { name: `U_${gate}`, role: `recurrent-kernel-${gate}` },
    { name: `b_${gate}`, role: `bias-${gate}` },
  ]);
}

/** Gates in the order in which Keras 1 lists them. */
function gatedCell(operator: string, gates: string): LayerRule {
  return (source) => {
    const { config } = source;
    const splitGates = gates.length > 1 && splitsGates(source);
    return {
      operator,
      attributes: {
        units: config.units ?? null,
        useBias: usesBias(config),
        resetAfter: operator === "GruCell" && resetsAfter(source),
        splitGates,
      },
      weights: splitGates ? gateWeights(gates) : [...products, ...biasWeight(config)],
    };
  };
}

/** Keras 3 and tf.keras's GRU of TensorFlow 2 always say so; where nothing is said it is standalone Keras's default. */
function resetsAfter({ config, generation }: LayerSource): boolean {
  return asBoolean(config.reset_after) ?? generation === 3;
}

const peepholeCell: LayerRule = ({ config }) => ({
  operator: "PeepholeLstmCell",
  attributes: { units: config.units ?? null, useBias: usesBias(config) },
  weights: [
    ...products,
    ...biasWeight(config),
    { name: "input_gate_peephole_weights", role: "input-peephole" },
    { name: "forget_gate_peephole_weights", role: "forget-peephole" },
    { name: "output_gate_peephole_weights", role: "output-peephole" },
  ],
});

/** Rank from `rank`, which the layer's rule below adds, or from `kernel_size`, a list in every file. */
const convLstmCell: LayerRule = ({ config }) => {
  const rank = asInteger(config.rank) ?? asList(config.kernel_size)?.length ?? 2;
  return {
    operator: "ConvLstmCell",
    attributes: {
      filters: config.filters ?? null,
      useBias: usesBias(config),
      kernelSize: perAxis(config.kernel_size, rank),
      strides: perAxis(config.strides ?? 1, rank),
      dilations: perAxis(config.dilation_rate ?? 1, rank),
      padding: config.padding ?? "valid",
      layout: layoutOf(config),
    },
    weights: [...products, ...biasWeight(config)],
  };
};

const stackedCells: LayerRule = ({ config }) => {
  const number = numberedNames();
  const inner = (asList(config.cells) ?? []).map((cell): InnerDeclaration => {
    const layer = asObject(cell) ?? {};
    return { key: `cells/${number(snakeCase(pythonClass(asString(layer.class_name) ?? "cell")))}`, layer };
  });
  return {
    operator: "StackedRnnCells",
    attributes: { reverseStateOrder: config.reverse_state_order === true },
    weights: [],
    inner,
  };
};

/** Wrappers of cells in tf.keras (ResidualWrapper, DropoutWrapper): the cell's shapes and weights. */
const cellWrapper: LayerRule = ({ config }) => ({
  operator: "Wrapper",
  attributes: {},
  weights: [],
  inner: [{ key: "cell", layer: asObject(config.cell) ?? {} }],
});

/** The main input stands first; initial states follow it in a list (Keras 2) or have a keyword (Keras 3). */
export function recurrentCall(call: CallArguments): MappedCall {
  return { inputs: bindCall(call, ["sequences", "initial_state"]).inputs };
}

function loopAttributes({ config, generation }: LayerSource): JsonObject {
  return {
    returnSequences: config.return_sequences === true,
    returnState: config.return_state === true,
    timeMajor: config.time_major === true,
    container: generation === 3 ? "tuple" : "list",
  };
}

/**
 * A layer whose cell has the layer's own configuration. Keras 3 does not tell the cell of a convolutional layer that
 * the layer is frozen.
 */
function withOwnCell(cell: string, extra: JsonObject = {}): LayerRule {
  return (source) => {
    const freed: JsonObject = source.generation === 3 && "rank" in extra ? { trainable: true } : {};
    return {
      operator: "Rnn",
      attributes: loopAttributes(source),
      weights: [],
      inner: [
        {
          key: "cell",
          remade: true,
          layer: {
            class_name: cell,
            config: { ...source.config, ...extra, ...freed, name: snakeCase(cell) },
          },
        },
      ],
      call: recurrentCall,
    };
  };
}

const rnn: LayerRule = (source) => ({
  operator: "Rnn",
  attributes: loopAttributes(source),
  weights: [],
  inner: [{ key: "cell", layer: cellOf(source.config) }],
  call: recurrentCall,
});

/** A list of cells stands for StackedRNNCells. */
function cellOf(config: JsonObject): JsonObject {
  const cells = asList(config.cell);
  return cells ? { class_name: "StackedRNNCells", config: { cells } } : (asObject(config.cell) ?? {});
}

function cudnn(operator: string): LayerRule {
  return (source) => ({
    operator,
    attributes: { ...loopAttributes(source), units: source.config.units ?? null },
    weights: [...products, { name: "bias", role: "bias" }],
    call: recurrentCall,
  });
}

export const recurrentLayers: Readonly<Record<string, LayerRule>> = {
  SimpleRNNCell: gatedCell("SimpleRnnCell", "h"),
  LSTMCell: gatedCell("LstmCell", "icfo"),
  GRUCell: gatedCell("GruCell", "zrh"),
  PeepholeLSTMCell: peepholeCell,
  ConvLSTMCell: convLstmCell,
  ConvLSTM2DCell: convLstmCell,
  StackedRNNCells: stackedCells,
  ResidualWrapper: cellWrapper,
  DropoutWrapper: cellWrapper,
  DeviceWrapper: cellWrapper,
  RNN: rnn,
  SimpleRNN: withOwnCell("SimpleRNNCell"),
  LSTM: withOwnCell("LSTMCell"),
  LSTMV2: withOwnCell("LSTMCell"),
  UnifiedLSTM: withOwnCell("LSTMCell"),
  GRU: withOwnCell("GRUCell"),
  GRUV2: withOwnCell("GRUCell"),
  UnifiedGRU: withOwnCell("GRUCell"),
  ConvLSTM1D: withOwnCell("ConvLSTMCell", { rank: 1 }),
  ConvLSTM2D: withOwnCell("ConvLSTMCell", { rank: 2 }),
  ConvLSTM3D: withOwnCell("ConvLSTMCell", { rank: 3 }),
  CuDNNLSTM: cudnn("CudnnLstm"),
  CuDNNGRU: cudnn("CudnnGru"),
};
