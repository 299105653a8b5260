import type { ReportWeight } from "./report.ts";

/** A weight, and the figures it adds to sums. */
export interface CountedWeight {
  readonly report: ReportWeight;
  /** Equal for two uses of one weight. */
  readonly identity: unknown;
  readonly elements: number;
  readonly bytes: number;
  /** It is of a class that adds up to the totals. */
  readonly counts: boolean;
  /** Of one that counts: the number of the use of the same weight before it; -1 for none. */
  readonly before: number;
}
