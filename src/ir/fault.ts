/** What breaks a rule of the model, and the first looks at a value of any kind. */

export class Fault extends Error {}

export type Fields = Readonly<Record<string, unknown>>;

/** Where a value is in the model; null while nobody asks. */
export type Place = string | null;

/** Name of a field, or number of an item, of what stands at a place. */
export type Key = string | number;

export function within(place: Place, key: Key): Place {
  if (place === null) return null;
  return typeof key === "number" ? `${place}[${key}]` : `${place}.${key}`;
}

/** Of the field or item `key` of what stands at `at`, where one is given: its place is put together for its fault alone. */
export function fail(at: Place, expected: string, key?: Key): never {
  throw new Fault(`${key === undefined ? at : within(at, key)} is not ${expected}`);
}

export function object(value: unknown, at: Place, key?: Key): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) fail(at, "an object", key);
  return value as Fields;
}

export function list(value: unknown, at: Place, key?: Key): readonly unknown[] {
  return Array.isArray(value) ? value : fail(at, "a list", key);
}

export function each(value: unknown, at: Place, key: Key, check: (item: unknown, at: Place) => void): void {
  const items = list(value, at, key);
  const place = within(at, key);
  for (let i = 0; i < items.length; i++) check(items[i], within(place, i));
}

export function text(value: unknown, at: Place, key?: Key): string {
  return typeof value === "string" ? value : fail(at, "a string", key);
}

export function textOrNull(value: unknown, at: Place, key: Key): void {
  if (value !== null) text(value, at, key);
}

export function count(value: unknown, at: Place, key?: Key): number {
  // Most numbers are small, and told to be whole without a call.
  if (typeof value === "number" && (value >>> 0 === value || (Number.isSafeInteger(value) && value >= 0)))
    return value;
  return fail(at, "a whole number", key);
}

/** At least 1. */
export function positive(value: unknown, at: Place, key: Key): void {
  if (count(value, at, key) < 1) fail(at, "at least 1", key);
}

export function flag(value: unknown, at: Place, key: Key): void {
  if (value !== null && typeof value !== "boolean") fail(at, "true, false or null", key);
}

export function oneOf(value: unknown, options: readonly string[], at: Place, key: Key): void {
  if (options.includes(value as string)) return;
  text(value, at, key);
  fail(at, `one of ${options.join(", ")}`, key);
}
