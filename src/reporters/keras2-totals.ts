import type { Report } from "../report/report.ts";
import { readableSize, withCommas } from "./memory-size.ts";
import type { KerasStyle } from "./summary-options.ts";
import { totalLines, type WeightTotal } from "./weight-totals.ts";

/** The lines below the table of all printers of Keras 2, which leave the optimizer out. */
export function keras2Totals(report: Report, style: KerasStyle): string[] {
  return totalLines(report, style).map(([title, total]) => `${title}: ${amount(total, style)}`);
}

/** Sizes came with 2.13, which also dropped the commas. */
function amount(total: WeightTotal, style: KerasStyle): string {
  return style === "keras2"
    ? `${total.elements} (${readableSize(total.bits, "Byte")})`
    : withCommas(total.elements);
}
