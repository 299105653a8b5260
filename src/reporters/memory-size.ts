/**
 * Sizes as Keras writes them (`527.79 MB`): binary steps under decimal names, two decimals, ties to even. Computed in
 * whole numbers, since every float32 count that is an odd multiple of 32 is a tie and toFixed() rounds it up.
 */
export function readableSize(bits: bigint, bytesName: "B" | "Byte"): string {
  const units = [bytesName, "KB", "MB", "GB", "TB", "PB"];
  let step = 0;
  let divisor = 8n;
  while (step < units.length && bits >= divisor * 1024n) {
    divisor *= 1024n;
    step++;
  }
  const hundredths = divideHalfEven(bits * 100n, divisor);
  const fraction = String(hundredths % 100n).padStart(2, "0");
  // Keras divides once more past the last unit, and still calls the result PB.
  return `${hundredths / 100n}.${fraction} ${units[step] ?? "PB"}`;
}

function divideHalfEven(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const twice = (dividend % divisor) * 2n;
  if (twice > divisor || (twice === divisor && quotient % 2n === 1n)) return quotient + 1n;
  return quotient;
}

/** `1234567` as `1,234,567`. */
export function withCommas(count: number | bigint): string {
  const digits = String(count);
  return digits.length <= 3 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Python's round() for a number that is not negative: a tie goes to the even neighbour. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest > 0.5 || (rest === 0.5 && floor % 2 === 1)) return floor + 1;
  return floor;
}
