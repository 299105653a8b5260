/** What breaks a rule of the model, and the first looks at a value of any kind. */

export class Fault extends Error {}

export type Fields = Readonly<Record<string, unknown>>;

export function fail(at: string, expected: string): never {
  throw new Fault(`${at} is not ${expected}`);
}

export function object(value: unknown, at: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) fail(at, "an object");
  return value as Fields;
}

export function list(value: unknown, at: string): readonly unknown[] {
  return Array.isArray(value) ? value : fail(at, "a list");
}

export function text(value: unknown, at: string): string {
  return typeof value === "string" ? value : fail(at, "a string");
}
