/** How the tables of operations are written: an operator, and the parameters of the call that are tensors. */

import type { Json, JsonObject } from "../../../src/ir/graph.ts";
import { type BoundCall, bindCall } from "../bind-call.ts";
import { asInteger, asList, asObject } from "../json-access.ts";
import type { CallValue, MappedOperation, OperationRule } from "../layer-rule.ts";

export type OperationTable = Readonly<Record<string, OperationRule>>;

/** Attributes of the operator from what configuration and call say, under the names Keras gives them. */
export type AttributeReader = (stated: JsonObject, call: BoundCall) => JsonObject;

/** Names in which `camelCase` is not what operators call an attribute. */
const renamed: Readonly<Record<string, string>> = { keepdims: "keepDims", dilation_rate: "dilations" };

function camelCase(name: string): string {
  return Object.hasOwn(renamed, name)
    ? (renamed[name] ?? name)
    : name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** The plain attributes under their operators' names; `data_format` becomes a layout. */
export function canonicalAttributes(stated: JsonObject): JsonObject {
  const entries = Object.entries(stated)
    .filter(([key]) => key !== "name")
    .map(([key, value]): [string, Json] =>
      key === "data_format" ? ["layout", layoutOf(value)] : [camelCase(key), value],
    );
  return Object.fromEntries(entries);
}

/** `channels_first`, and TensorFlow's NCHW and its kin. */
export function layoutOf(value: Json | undefined): "channels-first" | "channels-last" {
  return typeof value === "string" && (value === "channels_first" || value.startsWith("NC"))
    ? "channels-first"
    : "channels-last";
}

/**
 * A Keras 3 operation: what its constructor took is in the configuration, what its call took are the parameters, all of
 * them operands. `"key:indices"` gives parameter `key` the operator's name for it.
 */
export function operation(
  operator: string,
  parameters: readonly string[] = ["x"],
  attributes?: JsonObject | AttributeReader,
): OperationRule {
  return kerasRule(operator, parameters, attributes, "scalar");
}

/** Like `operation`, where Keras makes an array of a plain list. */
export function arrayOperation(
  operator: string,
  parameters: readonly string[],
  attributes?: JsonObject | AttributeReader,
): OperationRule {
  return kerasRule(operator, parameters, attributes, "tensor");
}

function kerasRule(
  operator: string,
  parameters: readonly string[],
  attributes: JsonObject | AttributeReader | undefined,
  lists: "scalar" | "tensor",
): OperationRule {
  const operands = operandNames(parameters);
  return ({ config, call }) => {
    const bound = bindCall(call, parameters, { operands, lists });
    return mapped(operator, { ...config, ...withoutOperands(bound.plain, operands) }, bound, attributes);
  };
}

/** The operators' names of parameters. */
function operandNames(parameters: readonly string[]): readonly string[] {
  return parameters.map((parameter) => parameter.replace("*", "").split(":").at(-1) ?? parameter);
}

function withoutOperands(plain: JsonObject, operands: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(plain).filter(([key]) => !operands.includes(key)));
}

export function mapped(
  operator: string,
  stated: JsonObject,
  bound: BoundCall,
  attributes: JsonObject | AttributeReader | undefined,
): MappedOperation {
  const own = typeof attributes === "function" ? attributes(stated, bound) : attributes;
  return {
    operator,
    inputs: bound.inputs,
    attributes: typeof attributes === "function" ? (own ?? {}) : { ...canonicalAttributes(stated), ...own },
  };
}

/** One rule for several classes. */
export function alike(names: readonly string[], rule: OperationRule): OperationTable {
  return Object.fromEntries(names.map((name) => [name, rule]));
}

/** Classes that have their operator's name. */
export function sameNames(names: readonly string[], parameters?: readonly string[]): OperationTable {
  return Object.fromEntries(names.map((name) => [name, operation(name, parameters)]));
}

/** A shape argument: a list in which tensors are unknown, or null when it is a tensor altogether. */
export function dimsOf(value: CallValue | undefined): Json {
  if (value?.kind === "plain") {
    const array = asObject(value.value);
    return array?.class_name === "__numpy__" ? (asObject(array.config)?.value ?? null) : value.value;
  }
  if (value?.kind !== "list") return null;
  return value.items.map((item) => (item.kind === "plain" ? item.value : null));
}

/** `axes` of tensordot: a number, or the axes of both sides (each a number or a list). */
export function tensordotAxes(axes: Json | undefined): JsonObject {
  const sides = asList(axes);
  if (!sides) return { count: asInteger(axes) ?? 2 };
  return { left: asList(sides[0]) ?? [sides[0] ?? 0], right: asList(sides[1]) ?? [sides[1] ?? 0] };
}

/**
 * A TensorFlow function: what is no operand is an attribute. `"input:x"` gives parameter `input` the operator's name
 * for it.
 */
export function tensorflowFunction(
  operator: string,
  parameters: readonly string[],
  attributes?: JsonObject | AttributeReader,
): OperationRule {
  const operands = operandNames(parameters);
  return ({ call }) => {
    const bound = bindCall(call, parameters, { operands, lists: "tensor" });
    return mapped(operator, withoutOperands(bound.plain, operands), bound, attributes);
  };
}
