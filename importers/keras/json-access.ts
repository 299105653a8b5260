/** Reading untrusted configuration: each function gives the value when it has the wanted form, else undefined. */

import type { Json, JsonObject } from "../../src/ir/graph.ts";
import type { Shape } from "../../src/ir/shape.ts";

export function asObject(value: Json | undefined): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}

export function asList(value: Json | undefined): readonly Json[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

export function asString(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

export function asBoolean(value: Json | undefined): boolean | undefined {
  return typeof value === "boolean" ? value : undefined;
}

export function asInteger(value: Json | undefined): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;
}

/** A shape as configurations write it: a list of whole numbers and nulls (also as `{"class_name": "__tuple__"}`). */
export function asShape(value: Json | undefined): Shape | undefined {
  const items = asList(value) ?? asList(asObject(value)?.items);
  if (!items) return undefined;
  const dims: (number | null)[] = [];
  for (const item of items) {
    if (item === null) dims.push(null);
    else if (typeof item === "number" && Number.isSafeInteger(item) && item >= 0) dims.push(item);
    else return undefined;
  }
  return dims;
}
