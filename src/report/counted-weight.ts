import type { ReportWeight } from "./report.ts";

/** A weight, and the figures it adds to sums. */
export interface CountedWeight {
  readonly report: ReportWeight;
  /** Equal for two uses of one weight. */
  readonly identity: unknown;
  readonly elements: number;
  readonly bytes: number;
}
