/**
 * The optimizer that Keras 3 holds after `load_model`, which its summary counts (Keras 3.15.1, src/optimizers/*.py,
 * `build` of each). Keras 2's summary has no such line.
 */

import type { Diagnostic } from "../../src/diagnostics.ts";
import type { DType } from "../../src/ir/dtype.ts";
import type { Json, JsonObject } from "../../src/ir/graph.ts";
import type { Optimizer, OptimizerSlot } from "../../src/ir/model.ts";
import { asObject, asString } from "./json-access.ts";
import { bareClass } from "./names.ts";

const same = (...names: string[]): OptimizerSlot[] => names.map((name) => ({ name, shape: "same" }));
const adam = (config: JsonObject): OptimizerSlot[] => [
  ...same("momentum", "velocity"),
  ...(config.amsgrad === true ? same("velocity_hat") : []),
];
const isPositive = (value: Json | undefined): boolean => typeof value === "number" && value > 0;

const slotRules: Readonly<Record<string, (config: JsonObject) => OptimizerSlot[]>> = {
  SGD: (config) => (isPositive(config.momentum) ? same("momentum") : []),
  Adam: adam,
  AdamW: adam,
  Adamax: () => same("momentum", "norm"),
  Nadam: () => same("momentum", "velocity"),
  Lamb: () => same("momentum", "velocity"),
  Lion: () => same("momentum"),
  RMSprop: (config) => [
    ...same("velocity"),
    ...(isPositive(config.momentum) ? same("momentum") : []),
    ...(config.centered === true ? same("average_gradient") : []),
  ],
  Adagrad: () => same("accumulator"),
  Adadelta: () => same("accumulated_grad", "accumulated_delta_var"),
  Ftrl: () => same("accumulator", "linear"),
  Adafactor: () => [
    { name: "rows", shape: "rows", minRank: 2 },
    { name: "columns", shape: "columns", minRank: 2 },
    // Vectors are not factored, but get two placeholders.
    { name: "no_rows", shape: "scalar", maxRank: 1 },
    { name: "no_columns", shape: "scalar", maxRank: 1 },
    ...same("velocity"),
  ],
  Muon: (config) => [
    ...same("momentum"),
    {
      name: "velocity",
      shape: "same",
      exceptRank: 2,
      ...(config.exclude_embeddings !== false && { unlessNamed: "embedding" }),
    },
  ],
};

/** Names that `compile(optimizer="...")` accepts. */
const byName = new Map(Object.keys(slotRules).map((name) => [name.toLowerCase(), name]));

export interface OptimizerFacts {
  /** Whether loading would create its variables. */
  readonly built: boolean;
  /** False: loading creates them without looking at the weights (Keras 3 and HDF5 files). */
  readonly slots: boolean;
  /** Type of the step count where it is stored: backends differ in it. */
  readonly iteration?: DType;
}

/**
 * The optimizer of a `compile_config`. Without one Keras compiles with its default: a model saved as HDF5 before has lost
 * its own.
 */
export function optimizerOf(compile: JsonObject | undefined): Json | undefined {
  if (!compile || Object.keys(compile).length === 0) return undefined;
  return "optimizer" in compile ? compile.optimizer : "rmsprop";
}

/** Reads a serialized optimizer: a name, or `{class_name, config}`. `null`: there is none. */
export function readOptimizer(
  value: Json | undefined,
  facts: OptimizerFacts,
  report: (diagnostic: Diagnostic) => void,
): Optimizer | null {
  const named = asString(value);
  const object =
    named === undefined ? asObject(value) : { class_name: byName.get(named.toLowerCase()) ?? named };
  if (!object) return null;
  // Registered names carry a package: "Custom>Adam", and tf.keras wrote "Adam" for all of its generations.
  const name = bareClass(asString(object.class_name) ?? "?");
  const config = asObject(object.config) ?? {};
  if (name === "LossScaleOptimizer") return lossScale(config, facts, report);
  const rule = Object.hasOwn(slotRules, name) ? slotRules[name] : undefined;
  if (!rule) {
    report({
      code: "optimizer-not-derived",
      args: { optimizer: name, reason: "no rule for this class, so its variables are not counted" },
      at: "",
    });
    return { name, built: false, scalars: [], slots: [] };
  }
  return {
    name,
    built: facts.built,
    scalars: scalars(name, config, facts.iteration ?? "int64"),
    slots: facts.slots ? [...rule(config), ...commonSlots(config)] : [],
  };
}

function scalars(name: string, config: JsonObject, iteration: DType): Optimizer["scalars"] {
  // A schedule computes the rate; a plain rate is a variable.
  const scheduled = typeof config.learning_rate === "object" && config.learning_rate !== null;
  return [
    { name: "iteration", dtype: iteration },
    ...(scheduled ? [] : [{ name: "learning_rate", dtype: "float32" } as const]),
    ...(name === "Nadam" ? [{ name: "u_product", dtype: "float32" } as const] : []),
  ];
}

function commonSlots(config: JsonObject): OptimizerSlot[] {
  return [
    ...(config.use_ema === true ? same("average") : []),
    ...(isPositive(config.gradient_accumulation_steps) ? same("gradient_accumulator") : []),
  ];
}

/** Wraps another optimizer and adds the variables of its own base class and its scale. */
function lossScale(
  config: JsonObject,
  facts: OptimizerFacts,
  report: (diagnostic: Diagnostic) => void,
): Optimizer | null {
  const inner = readOptimizer(config.inner_optimizer ?? config.optimizer, facts, report);
  if (!inner) return null;
  return {
    ...inner,
    name: `LossScaleOptimizer(${inner.name})`,
    scalars: [
      { name: "iteration", dtype: "int64" },
      { name: "learning_rate", dtype: "float32" },
      { name: "step_counter", dtype: "int64" },
      { name: "dynamic_scale", dtype: "float32" },
      ...inner.scalars,
    ],
  };
}
