/** Lists of more items are data, not settings. */
const maxItems = 16;
/** Settings are lists of pairs at most. */
const maxDepth = 4;

/** Whether plain data says the same; false too for what is too large or too deep to be told at a glance. */
export function sameJson(a: unknown, b: unknown, depth: number = maxDepth): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null || depth === 0) return false;
  if (Array.isArray(a)) return Array.isArray(b) && sameItems(a, b, depth);
  return !Array.isArray(b) && sameFields(a as Fields, b as Fields, depth);
}

type Fields = Readonly<Record<string, unknown>>;

function sameItems(a: readonly unknown[], b: readonly unknown[], depth: number): boolean {
  if (a.length !== b.length || a.length > maxItems) return false;
  for (let i = 0; i < a.length; i++) if (!sameJson(a[i], b[i], depth - 1)) return false;
  return true;
}

function sameFields(a: Fields, b: Fields, depth: number): boolean {
  let more = 0;
  for (const key in a) {
    // Names come from files: what every object inherits is none of its fields.
    if (!Object.hasOwn(b, key) || !sameJson(a[key], b[key], depth - 1)) return false;
    more += 1;
  }
  for (const _ in b) more -= 1;
  return more === 0;
}
