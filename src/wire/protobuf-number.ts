/** Varints of 64 bits as numbers. */

/** Whether the varint ends within four bytes, where the fast path for 32 bits reads it whole. */
export function isShort(buf: Uint8Array, pos: number): boolean {
  return (
    (buf[pos] as number) < 128 ||
    (buf[pos + 1] as number) < 128 ||
    (buf[pos + 2] as number) < 128 ||
    (buf[pos + 3] as number) < 128
  );
}

/** Exact up to 2^53 - 1 either way; beyond, the nearest such number. */
export function toSafeInteger(value: number | { high: number; low: number; unsigned: boolean }): number {
  const exact =
    typeof value === "number"
      ? value
      : (value.unsigned ? value.high >>> 0 : value.high) * 2 ** 32 + (value.low >>> 0);
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, exact));
}
