/** JSON.parse keeps the last of two equal keys and says nothing; a safetensors header may not have any. */

import type { JsonValue } from "../../src/wire/json.ts";

/** The first key that valid JSON `text` repeats within one object; `value` is the same text parsed. */
export function findDuplicateKey(text: string, value: JsonValue): string | null {
  return countColons(text) === countKeys(value) ? null : firstDuplicate(text);
}

/** Outside strings each colon stands after a key. */
function countColons(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22) i = endOfString(text, i);
    else if (c === 0x3a) count += 1;
  }
  return count;
}

/** Without recursion: what comes here may be nested as deep as JSON may. Without lists: there may be millions of keys. */
function countKeys(value: JsonValue): number {
  let count = 0;
  const open: JsonValue[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (Array.isArray(next)) {
      for (const inner of next) if (typeof inner === "object" && inner !== null) open.push(inner);
      continue;
    }
    // What JSON.parse made has no keys but its own.
    for (const key in next as Readonly<Record<string, JsonValue>>) {
      count += 1;
      const inner = (next as Readonly<Record<string, JsonValue>>)[key];
      if (typeof inner === "object" && inner !== null) open.push(inner);
    }
  }
  return count;
}

function firstDuplicate(text: string): string | null {
  const open: (Set<string> | null)[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === "{") open.push(new Set());
    else if (c === "[") open.push(null);
    else if (c === "}" || c === "]") open.pop();
    else if (c === '"') {
      const end = endOfString(text, i);
      const keys = open.at(-1);
      if (keys && /^\s*:/.test(text.slice(end + 1, end + 64))) {
        const key = JSON.parse(text.slice(i, end + 1)) as string;
        if (keys.has(key)) return key;
        keys.add(key);
      }
      i = end;
    }
  }
  return null;
}

function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x5c) i += 1;
    else if (c === 0x22) return i;
  }
  return text.length;
}
