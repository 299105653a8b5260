/**
 * Operators that come in two forms: a layer that owns its weights, whose shapes follow from its attributes, and a node
 * of a graph whose weights are inputs like any other (ONNX), which the attribute `operands: true` says.
 */

import type { Shape } from "../ir/shape.ts";
import { readFlag } from "./attributes.ts";
import type { OperatorDef } from "./operator.ts";

const noWeights: Readonly<Record<string, Shape>> = {};

interface Form {
  readonly operands: boolean;
  readonly attributes: unknown;
}

/** What a node's form has for itself. */
export type NodeForm<A> = Pick<OperatorDef<A>, "attributes" | "infer">;

/** The operator `layer`, which behaves as `node` where its weights are inputs. */
export function inTwoForms<A, B>(layer: OperatorDef<A>, node: NodeForm<B>): OperatorDef<unknown> {
  const operator: OperatorDef<Form> = {
    name: layer.name,
    attributes(raw) {
      const operands = readFlag(raw, "operands", false);
      return { operands, attributes: operands ? node.attributes(raw) : layer.attributes(raw) };
    },
    weights(context) {
      const { operands, attributes } = context.attributes;
      return operands ? noWeights : (layer.weights?.({ ...context, attributes: attributes as A }) ?? {});
    },
    infer(context) {
      const { operands, attributes } = context.attributes;
      return operands
        ? node.infer({ ...context, attributes: attributes as B })
        : layer.infer({ ...context, attributes: attributes as A });
    },
  };
  return operator;
}
