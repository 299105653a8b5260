/**
 * weighbridge for any host: weigh a model file from bytes, a Blob, or any source of bytes.
 *
 * ```ts
 * import { formatSummary, inspect } from "weighbridge";
 * const report = await inspect(await (await fetch("model.keras")).arrayBuffer());
 * console.log(report.totals.parameters, formatSummary(report));
 * ```
 *
 * In Node, `weighbridge/node` opens files by path.
 */

import { importers } from "../../importers/index.ts";

export type { Diagnostic, DiagnosticCode, Severity } from "../diagnostics.ts";
export { formatDiagnostic, severityOf } from "../diagnostics.ts";
export type { ModelErrorKind } from "../errors.ts";
export {
  InvalidModelError,
  InvalidOptionError,
  isModelError,
  LimitExceededError,
  MalformedFileError,
  ModelError,
  SourceReadError,
  UnknownFormatError,
  UnsupportedFeatureError,
} from "../errors.ts";
export type { ByteSource } from "../io/byte-source.ts";
export type { Convention } from "../ir/convention.ts";
export { conventions } from "../ir/convention.ts";
export type { Model } from "../ir/model.ts";
export type {
  Ledger,
  LedgerEntry,
  Report,
  ReportCall,
  ReportDiagnostic,
  ReportLayer,
  ReportModel,
  ReportWeight,
} from "../report/report.ts";
export { escapeName as escapeText } from "../reporters/escape.ts";
export type { SummaryOptions, SummaryStyle, TorchinfoColumn } from "../reporters/index.ts";
export {
  formatJson,
  formatSummary,
  summaryNotes,
  summaryStyles,
  takesWholeTree,
  torchinfoColumns,
} from "../reporters/index.ts";
export type { Imported, InspectOptions, ModelInput, ReportOptions } from "./inspect.ts";
export { inspect, readModel, reportOf, serializeModel } from "./inspect.ts";

/** A format that can be read, with its kinds. */
export interface Format {
  readonly format: string;
  readonly title: string;
  readonly variants: readonly { readonly id: string; readonly title: string; readonly files: string }[];
}

/** Every format that can be read. */
export const formats: readonly Format[] = importers.map(({ format, title, variants }) => ({
  format,
  title,
  variants,
}));
