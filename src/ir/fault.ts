/** What breaks a rule of the model, and the first looks at a value of any kind. */

export class Fault extends Error {}

export type Fields = Readonly<Record<string, unknown>>;

/** Where a value is in the model; null while nobody asks. */
export type Place = string | null;

export function within(place: Place, key: string | number): Place {
  if (place === null) return null;
  return typeof key === "number" ? `${place}[${key}]` : `${place}.${key}`;
}

export function fail(at: Place, expected: string): never {
  throw new Fault(`${at} is not ${expected}`);
}

export function object(value: unknown, at: Place): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) fail(at, "an object");
  return value as Fields;
}

export function list(value: unknown, at: Place): readonly unknown[] {
  return Array.isArray(value) ? value : fail(at, "a list");
}

export function each(value: unknown, at: Place, check: (item: unknown, at: Place) => void): void {
  const items = list(value, at);
  for (let i = 0; i < items.length; i++) check(items[i], within(at, i));
}

export function text(value: unknown, at: Place): string {
  return typeof value === "string" ? value : fail(at, "a string");
}
