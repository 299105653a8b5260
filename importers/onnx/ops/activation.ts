/** Activations, and Dropout. */

import { constant, type NodeView, type OnnxOp, type OnnxOps, type Port, parameter } from "../op.ts";

function activation(name: string): OnnxOp {
  return { operator: "Activation", inputs: ["input"], attributes: () => ({ function: name }) };
}

function plain(operator: string): OnnxOp {
  return { operator, inputs: ["input"] };
}

/** An attribute before opset 12. */
function dropoutPorts(node: NodeView): readonly Port[] {
  return node.version < 12 ? ["input"] : ["input", constant("ratio"), constant("training_mode")];
}

export const activationOps: OnnxOps = {
  Relu: plain("Relu"),
  LeakyRelu: plain("LeakyRelu"),
  Elu: plain("Elu"),
  ThresholdedRelu: plain("ThresholdedRelu"),
  Softmax: plain("Softmax"),
  PRelu: { operator: "LikeFirst", inputs: ["input", parameter("slope")] },
  SwiGLU: { operator: "LikeFirst", inputs: ["a", "b"] },
  LogSoftmax: activation("log_softmax"),
  Hardmax: activation("hardmax"),
  Selu: activation("selu"),
  Celu: activation("celu"),
  Gelu: activation("gelu"),
  Mish: activation("mish"),
  HardSigmoid: activation("hard_sigmoid"),
  HardSwish: activation("hard_swish"),
  Sigmoid: activation("sigmoid"),
  Softplus: activation("softplus"),
  Softsign: activation("softsign"),
  Swish: activation("swish"),
  Tanh: activation("tanh"),
  Shrink: activation("shrink"),
  ParametricSoftplus: activation("softplus"),
  ScaledTanh: activation("scaled_tanh"),
  Dropout: {
    operator: "GraphDropout",
    inputs: dropoutPorts,
    // Before opset 10 the mask has the input's type.
    attributes: (node) => (node.version < 10 ? {} : { mask: "bool" }),
  },
};
