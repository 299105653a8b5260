/** Results of a pure function on texts that come again and again. */

/** Remembers up to `size` results, then starts anew: a file with ever new texts costs no more than without. */
export function remembering<T>(size: number, work: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  let lastText: string | null = null;
  let last: T | undefined;
  return (text) => {
    // Most often the last one comes again, and one object is quickly told to be the same.
    if (text === lastText) return last as T;
    last = known.get(text);
    if (last === undefined) {
      last = work(text);
      if (known.size >= size) known.clear();
      known.set(text, last);
    }
    lastText = text;
    return last;
  };
}
