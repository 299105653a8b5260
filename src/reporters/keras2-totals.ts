import type { Report } from "../report/report.ts";
import { readableSize, withCommas } from "./memory-size.ts";
import type { KerasStyle } from "./summary-options.ts";
import { addTotals, learnedAndGathered, modelWeights, totalOf, type WeightTotal } from "./weight-totals.ts";
import { trainableIsKnown } from "./weights-only.ts";

/** The lines below the table of all printers of Keras 2, which leave the optimizer out. */
export function keras2Totals(report: Report, style: KerasStyle): string[] {
  const weights = modelWeights(report);
  const trainable = totalOf(
    weights.filter((weight) => weight.trainable !== false),
    report,
    style,
  );
  const frozen = totalOf(
    weights.filter((weight) => weight.trainable === false),
    report,
    style,
  );
  const lines = [`Total params: ${amount(addTotals(trainable, frozen), style)}`];
  if (trainableIsKnown(report)) {
    lines.push(
      `Trainable params: ${amount(trainable, style)}`,
      `Non-trainable params: ${amount(frozen, style)}`,
    );
  } else {
    const { learned, gathered } = learnedAndGathered(report, style);
    if (gathered.elements > 0n) {
      lines.push(`Learned params: ${amount(learned, style)}`, `Statistics: ${amount(gathered, style)}`);
    }
  }
  return lines;
}

/** Sizes came with 2.13, which also dropped the commas. */
function amount(total: WeightTotal, style: KerasStyle): string {
  return style === "keras2"
    ? `${total.elements} (${readableSize(total.bits, "Byte")})`
    : withCommas(total.elements);
}
