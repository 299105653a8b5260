/**
 * Reading raw attributes. They come from files: every value is checked here, once, and a value that cannot be is a
 * `RuleError` that names the attribute and what stands in the file.
 */

import type { Json, JsonObject } from "../ir/graph.ts";
import type { Shape } from "../ir/shape.ts";
import { RuleError } from "./operator.ts";

/** Which axis holds the channels of a tensor with spatial axes. */
export type Layout = "channels-first" | "channels-last";

interface Bounds {
  /** Smallest value allowed; default 1. */
  readonly min?: number;
}

function reject(key: string, value: Json | undefined, expected: string): never {
  const text = JSON.stringify(value) ?? "nothing";
  const shown = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  throw new RuleError(`attribute "${key}" should be ${expected}, but is ${shown}`);
}

function isInteger(value: Json | undefined, min: number): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= min;
}

/** A whole number. Absent and null: `fallback`; without one it is required. */
export function readInteger(
  raw: JsonObject,
  key: string,
  { min = 1, fallback }: Bounds & { readonly fallback?: number } = {},
): number {
  const value = raw[key];
  if ((value === undefined || value === null) && fallback !== undefined) return fallback;
  return isInteger(value, min) ? value : reject(key, value, `a whole number of at least ${min}`);
}

/** A whole number, or null where absent. */
export function readOptionalInteger(raw: JsonObject, key: string, { min = 1 }: Bounds = {}): number | null {
  const value = raw[key] ?? null;
  return value === null ? null : readInteger(raw, key, { min });
}

/** A list of whole numbers; a single number is a list of one. Absent and null: `fallback`. */
export function readIntegers(
  raw: JsonObject,
  key: string,
  { min = 1, fallback }: Bounds & { readonly fallback?: readonly number[] } = {},
): readonly number[] {
  const value = raw[key];
  if ((value === undefined || value === null) && fallback !== undefined) return fallback;
  const items = Array.isArray(value) ? (value as readonly Json[]) : [value];
  return items.map((item) =>
    isInteger(item, min) ? item : reject(key, value, `whole numbers of at least ${min}`),
  );
}

/** One whole number for each of `count` axes; a single number stands for all of them. */
export function readPerAxis(
  raw: JsonObject,
  key: string,
  count: number,
  { min = 1, fallback }: Bounds & { readonly fallback?: number } = {},
): readonly number[] {
  const values = readIntegers(raw, key, { min, ...(fallback !== undefined && { fallback: [fallback] }) });
  const [first] = values;
  if (values.length === 1 && first !== undefined) return Array.from({ length: count }, () => first);
  return values.length === count ? values : reject(key, raw[key], `${count} whole numbers`);
}

/** Pairs (before, after), one for each axis: `[[1, 1], [2, 0]]`. */
export function readPairs(raw: JsonObject, key: string): readonly (readonly [number, number])[] {
  const value = raw[key];
  if (!Array.isArray(value)) return reject(key, value, "a list of pairs");
  return (value as readonly Json[]).map((item) => {
    const [before, after, ...rest] = Array.isArray(item) ? (item as readonly Json[]) : [];
    if (!isInteger(before, 0) || !isInteger(after, 0) || rest.length > 0)
      return reject(key, value, "a list of pairs");
    return [before, after] as const;
  });
}

export function readFlag(raw: JsonObject, key: string, fallback: boolean): boolean {
  const value = raw[key] ?? fallback;
  return typeof value === "boolean" ? value : reject(key, value, "true or false");
}

export function readText(raw: JsonObject, key: string): string {
  const value = raw[key];
  return typeof value === "string" ? value : reject(key, value, "a text");
}

/** One of `choices`. Absent and null: `fallback`. */
export function readChoice<T extends string>(
  raw: JsonObject,
  key: string,
  choices: readonly T[],
  fallback: T,
): T {
  const value = raw[key] ?? fallback;
  return (
    choices.find((choice) => choice === value) ??
    reject(key, value, choices.map((c) => `"${c}"`).join(" or "))
  );
}

export function readLayout(raw: JsonObject): Layout {
  return readChoice<Layout>(raw, "layout", ["channels-last", "channels-first"], "channels-last");
}

/** A list of dimensions, null for an unknown one. Absent and null: unknown altogether. */
export function readShape(raw: JsonObject, key: string): Shape {
  const value = raw[key] ?? null;
  if (value === null) return null;
  if (!Array.isArray(value)) return reject(key, value, "a list of dimensions");
  return (value as readonly Json[]).map((item) =>
    item === null || isInteger(item, 0) ? item : reject(key, value, "a list of dimensions"),
  );
}
