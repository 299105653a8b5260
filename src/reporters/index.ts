import { withinStringLength } from "../errors.ts";
import type { Report } from "../report/report.ts";
import { formatKeras2 } from "./keras2.ts";
import { formatEarlyKeras2 } from "./keras2-early.ts";
import { formatKeras3 } from "./keras3.ts";
import { withMadeUpNames } from "./made-up-names.ts";
import {
  checkStyle,
  checkSummaryOptions,
  type KerasStyle,
  type OwnStyle,
  type SummaryOptions,
  type SummaryStyle,
} from "./summary-options.ts";
import { formatTorchinfo } from "./torchinfo.ts";
import { torchinfoNotes } from "./torchinfo-notes.ts";

export { escapeName } from "./escape.ts";
export { formatJson } from "./json.ts";
export {
  type SummaryOptions,
  type SummaryStyle,
  summaryStyles,
  type TorchinfoColumn,
  torchinfoColumns,
} from "./summary-options.ts";

/** The report as the text that Keras's `model.summary()` or another style prints, every line with a line end. */
export function formatSummary(report: Report, options: SummaryOptions = {}): string {
  const chosen = options.style ?? "keras3";
  checkStyle(chosen);
  const style = chosen === "as-written" ? styleOfProducer(report.producer) : chosen;
  checkSummaryOptions(options, style);
  return withinStringLength(report.file.name, () => styles[style].print(report, options));
}

/**
 * What a style says on top of the report's own diagnostics: where its text cannot be that of the original, one line each.
 * Names in them are as the file has them.
 */
export function summaryNotes(report: Report, options: SummaryOptions = {}): readonly string[] {
  return ownStyle(options.style)?.notes?.(report) ?? [];
}

/** Whether a style takes the option `depth` itself, and so a report of the whole tree of modules. */
export function takesWholeTree(style: SummaryStyle | undefined): boolean {
  return ownStyle(style)?.wholeTree === true;
}

type Printer = (report: Report, options: SummaryOptions) => string;

interface Style {
  readonly print: Printer;
  readonly notes?: (report: Report) => readonly string[];
  readonly wholeTree?: true;
}

/** Every style with a layout of its own. */
const styles: Readonly<Record<OwnStyle, Style>> = {
  keras3: { print: named("keras3", formatKeras3) },
  keras2: { print: named("keras2", formatKeras2) },
  "keras2.7": { print: named("keras2.7", formatKeras2) },
  "keras2.3": { print: named("keras2.3", formatEarlyKeras2) },
  "keras2.2": { print: named("keras2.2", formatEarlyKeras2) },
  torchinfo: { print: formatTorchinfo, notes: torchinfoNotes, wholeTree: true },
};

function ownStyle(style: SummaryStyle | undefined): Style | undefined {
  return style === undefined || style === "as-written" ? undefined : styles[style];
}

/** With the names that this generation of Keras makes up. */
function named<Style extends KerasStyle>(
  style: Style,
  print: (report: Report, options: SummaryOptions, style: Style) => string,
): Printer {
  return (report, options) => print(withMadeUpNames(report, style), options, style);
}

/** The style of the Keras that wrote a file; Keras 3 when the file does not say. */
export function styleOfProducer(producer: Report["producer"]): KerasStyle {
  const version = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?(.*)$/.exec(producer.version ?? "");
  if (!version) return producer.framework === "tf-keras" ? "keras2" : "keras3";
  const [major, minor, patch] = [Number(version[1]), Number(version[2] ?? 0), Number(version[3] ?? 0)];
  if (major >= 3) return "keras3";
  if (major < 2) return "keras2.2";
  if (minor >= 13) return "keras2";
  if (minor >= 7) return "keras2.7";
  // 2.2.4-tf and the like are tf.keras of TensorFlow 2.0 on, which already printed the model's name.
  const early = minor < 2 || (minor === 2 && patch < 5 && !version[4]?.startsWith("-tf"));
  return early ? "keras2.2" : "keras2.3";
}
