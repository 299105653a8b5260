/** Results of a pure function on texts that come again and again. */

/** Remembers up to `size` results, then starts anew: a file with ever new texts costs no more than without. */
export function remembering<T>(size: number, work: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const result = work(text);
    if (known.size >= size) known.clear();
    known.set(text, result);
    return result;
  };
}
