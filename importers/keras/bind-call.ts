/** A call's arguments by the names of the function's parameters: tensors become inputs, all else stays plain. */

import type { DType } from "../../src/ir/dtype.ts";
import { isDType } from "../../src/ir/dtype.ts";
import type { Argument, Json, JsonObject } from "../../src/ir/graph.ts";
import type { StaticShape } from "../../src/ir/shape.ts";
import { asList, asObject, asString } from "./json-access.ts";
import type { CallArguments, CallValue } from "./layer-rule.ts";

export interface BoundCall {
  /** In Keras's order (positional arguments, then keywords as the call has them), each with the name of its parameter. */
  readonly inputs: readonly Argument[];
  /** Arguments in which no tensor stands; absent: not given. */
  readonly plain: JsonObject;
  /** Arguments as given, by parameter. */
  readonly values: Readonly<Record<string, CallValue>>;
}

export interface BindOptions {
  /** Parameters whose plain values are inputs too (`x2` of `x1 + 2`). */
  readonly operands?: readonly string[];
  /** A plain list as an operand is a scalar to Keras 3's shape functions, a tensor to TensorFlow. */
  readonly lists?: "scalar" | "tensor";
}

/**
 * Binds to `parameters`; the last one may begin with "*" and takes all further positional arguments. `"size:shape"`
 * means that Keras calls the parameter `size` and the operator `shape`.
 */
export function bindCall(
  call: CallArguments,
  parameters: readonly string[],
  options: BindOptions = {},
): BoundCall {
  const inputs: Argument[] = [];
  // Names come from files: without a prototype "__proto__" is a name like any other.
  const plain: Record<string, Json> = Object.create(null);
  const values: Record<string, CallValue> = Object.create(null);
  const renamed = new Map(parameters.map((parameter) => nameAndAlias(parameter)));
  const bind = (name: string, value: CallValue): void => {
    values[name] = value;
    if (value.kind === "plain") {
      plain[name] = value.value;
      if (options.operands?.includes(name) && value.value !== null) {
        inputs.push(constant(value.value, name, options.lists ?? "scalar"));
      }
    } else for (const argument of tensors(value, name, options)) inputs.push(argument);
  };
  const rest = parameters.at(-1)?.startsWith("*") ? parameters.at(-1) : undefined;
  for (const [i, value] of call.args.entries()) {
    const parameter = parameters[i] ?? rest ?? `argument${i}`;
    bind(nameAndAlias(parameter)[1], value);
  }
  for (const key of Object.keys(call.kwargs)) {
    const value = call.kwargs[key];
    if (value) bind(renamed.get(key) ?? key, value);
  }
  return { inputs, plain, values };
}

function nameAndAlias(parameter: string): readonly [string, string] {
  const [name = "", alias] = parameter.replace("*", "").split(":");
  return [name, alias ?? name];
}

/** Every tensor of a value in order, and the plain values between them where they are operands. */
function tensors(value: CallValue, name: string, options: BindOptions): readonly Argument[] {
  switch (value.kind) {
    case "tensor":
      return [{ ...value.argument, name }];
    case "list":
      return value.items.flatMap((item) => {
        const list = item.kind === "list" ? plainList(item.items) : undefined;
        return tensors(list === undefined ? item : { kind: "plain", value: list }, name, options);
      });
    case "dict":
      return Object.keys(value.entries)
        .sort()
        .flatMap((key) => tensors(value.entries[key] as CallValue, name, options));
    case "plain":
      return options.operands?.includes(name) ? [constant(value.value, name, options.lists ?? "scalar")] : [];
  }
}

/** A list inside a list stands for one tensor when there are only numbers in it. */
function plainList(items: readonly CallValue[]): Json | undefined {
  const values = items.map((item) => (item.kind === "plain" ? item.value : undefined));
  return values.every((value) => value !== undefined) ? values : undefined;
}

/** A plain number, list or array as an input. */
export function constant(value: Json, name: string, lists: "scalar" | "tensor"): Argument {
  const array = arrayOf(value);
  if (array) return { kind: "constant", name, type: array };
  const shape = lists === "tensor" ? shapeOfList(value) : [];
  const small = shape.length < 2 ? { value } : {};
  return { kind: "constant", name, type: { dtype: null, shape }, ...small };
}

/** An array as Keras 3 writes it. */
function arrayOf(value: Json): { readonly dtype: DType | null; readonly shape: StaticShape } | undefined {
  const object = asObject(value);
  if (object?.class_name !== "__numpy__" && object?.class_name !== "__tensor__") return undefined;
  const config = asObject(object.config) ?? {};
  const dtype = asString(config.dtype);
  return {
    dtype: dtype !== undefined && isDType(dtype) ? dtype : null,
    shape: shapeOfList(config.value ?? null),
  };
}

function shapeOfList(value: Json): StaticShape {
  const shape: number[] = [];
  for (let list = asList(value); list; list = asList(list[0])) shape.push(list.length);
  return shape;
}
