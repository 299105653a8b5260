import { withinStringLength } from "../errors.ts";
import type { Report } from "../report/report.ts";
import { formatKeras2 } from "./keras2.ts";
import { formatEarlyKeras2 } from "./keras2-early.ts";
import { formatKeras3 } from "./keras3.ts";
import { withMadeUpNames } from "./made-up-names.ts";
import { checkStyle, checkSummaryOptions, type KerasStyle, type SummaryOptions } from "./summary-options.ts";

export { escapeName } from "./escape.ts";
export { formatJson } from "./json.ts";
export { type SummaryOptions, type SummaryStyle, summaryStyles } from "./summary-options.ts";

/** The report as the text of Keras's `model.summary()`, every line with a line end. */
export function formatSummary(weighed: Report, options: SummaryOptions = {}): string {
  const chosen = options.style ?? "keras3";
  checkStyle(chosen);
  const style = chosen === "as-written" ? styleOfProducer(weighed.producer) : chosen;
  checkSummaryOptions(options, style);
  const report = withMadeUpNames(weighed, style);
  return withinStringLength(report.file.name, () => formatStyle(report, options, style));
}

function formatStyle(report: Report, options: SummaryOptions, style: KerasStyle): string {
  switch (style) {
    case "keras3":
      return formatKeras3(report, options);
    case "keras2":
    case "keras2.7":
      return formatKeras2(report, options, style);
    case "keras2.3":
    case "keras2.2":
      return formatEarlyKeras2(report, options, style);
  }
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
