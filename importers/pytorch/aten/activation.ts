/** Activations. Those that write over their input have an underscore. */

import type { JsonObject } from "../../../src/ir/graph.ts";
import { type AtenOp, type AtenOps, port } from "../aten.ts";
import { inBothForms } from "./in-place.ts";

function plain(operator: string, attributes: JsonObject = {}): AtenOp {
  return { operator, inputs: [port("self", "input")], attributes: () => attributes };
}

function activation(name: string): AtenOp {
  return plain("Activation", { function: name });
}

/** Fractions, of whole numbers too. */
function fractional(name: string): AtenOp {
  return plain("Activation", { function: name, result: "float" });
}

export const activationOps: AtenOps = {
  ...inBothForms({
    relu: plain("Relu"),
    relu6: activation("relu6"),
    leaky_relu: plain("LeakyRelu"),
    elu: plain("Elu"),
    selu: activation("selu"),
    celu: activation("celu"),
    gelu: activation("gelu"),
    silu: activation("silu"),
    mish: activation("mish"),
    hardswish: activation("hard_swish"),
    hardsigmoid: activation("hard_sigmoid"),
    hardtanh: activation("hard_tanh"),
    sigmoid: fractional("sigmoid"),
    tanh: fractional("tanh"),
    logit: fractional("logit"),
    rrelu: activation("leaky_relu"),
    threshold: plain("ThresholdedRelu"),
  }),
  "aten.softplus": activation("softplus"),
  "aten.log_sigmoid": activation("log_sigmoid"),
  "aten.hardshrink": activation("hard_shrink"),
  "aten.softshrink": activation("soft_shrink"),
  "aten.prelu": { operator: "LikeFirst", inputs: [port("self", "input"), port("weight", "slope")] },
  "aten._prelu_kernel": { operator: "LikeFirst", inputs: [port("self", "input"), port("weight", "slope")] },
  "aten.glu": {
    operator: "Glu",
    inputs: [port("self", "input")],
    attributes: (node) => ({ axis: node.int("dim", -1) }),
  },
};
