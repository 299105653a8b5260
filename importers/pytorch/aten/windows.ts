/** Lists that have a number for every axis of a window. */

/** One number stands for all axes; an empty list for none. */
export function expanded(values: readonly number[] | null, axes: number): readonly number[] | null {
  const [first] = values ?? [];
  if (values === null || first === undefined) return null;
  return values.length === 1 ? Array.from({ length: axes }, () => first) : values;
}

/** As much behind as in front. */
export function padPairs(pads: readonly number[]): readonly (readonly number[])[] {
  return pads.map((pad) => [pad, pad]);
}
