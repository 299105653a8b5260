/** The pipeline, readable from top to bottom. */

import { detect } from "../../importers/detect.ts";
import type { Imported, ImportOptions } from "../../importers/importer.ts";
import { importers } from "../../importers/index.ts";
import { InvalidModelError, withinStringLength } from "../errors.ts";
import { blobSource } from "../io/blob.ts";
import type { ByteSource } from "../io/byte-source.ts";
import { memorySource } from "../io/memory.ts";
import type { Convention } from "../ir/convention.ts";
import { modelDocumentFormat, modelDocumentVersion } from "../ir/document.ts";
import { validateModel } from "../ir/validate.ts";
import { operators } from "../operators/index.ts";
import { analyze } from "../passes/analyze.ts";
import { bindSymbols } from "../passes/bind-symbols.ts";
import { groupRows, type RowOptions } from "../passes/group-rows.ts";
import { buildReport } from "../report/build-report.ts";
import type { Report } from "../report/report.ts";

export type { Imported } from "../../importers/importer.ts";

/** Options of what is told about a model. */
export interface ReportOptions extends RowOptions {
  /** Whose way of counting totals follow; that of the framework whose format it is by default. */
  readonly convention?: Convention | undefined;
}

/** Options of everything that reads a file. */
export interface InspectOptions extends ImportOptions, ReportOptions {
  /** Sizes for the dimensions that the file only names: `{ seq: 128 }`. */
  readonly dims?: Readonly<Record<string, number>>;
  /** Size of the first dimension of every input that leaves it open. */
  readonly batch?: number;
}

/** What a model file can come from: any byte source, or bytes the host already has. */
export type ModelInput = ByteSource | Blob | Uint8Array | ArrayBuffer;

/**
 * Weighs a model file: reads its metadata, derives shapes and counts, and returns the report.
 * @throws ModelError of some kind when the file cannot be read; see errors.ts.
 */
export async function inspect(input: ModelInput, options: InspectOptions = {}): Promise<Report> {
  return reportOf(await readModel(input, options), options);
}

/**
 * Reads a file into the normalised model, without analysing it; given sizes are put in.
 * @throws ModelError of some kind when the file cannot be read, or has no dimension of a given name; see errors.ts.
 */
export async function readModel(input: ModelInput, options: InspectOptions = {}): Promise<Imported> {
  const source = toSource(input);
  const { importer, sniffed } = await detect(source, importers);
  const imported = await importer.load(source, options, sniffed);
  const fault = validateModel(imported.model);
  if (fault !== null) {
    throw new InvalidModelError(`${source.name}: the ${importer.format} importer broke a rule: ${fault}`, {
      file: source.name,
    });
  }
  return { ...imported, model: bindSymbols(imported.model, options) };
}

/** Analyses a model and puts the figures together, in the rows and by the convention that the options ask for. */
export function reportOf(imported: Imported, options: ReportOptions = {}): Report {
  const { model, analysis, diagnostics, network } = groupRows(
    imported.model,
    analyze(imported.model, operators),
    options,
  );
  const found = [...imported.diagnostics, ...diagnostics];
  return buildReport(model, analysis, found, options.convention, network);
}

/** The text of the model document, which every command reads back like any other format. */
export function serializeModel(imported: Imported): string {
  const { model, diagnostics } = imported;
  const document = { format: modelDocumentFormat, version: modelDocumentVersion, model, diagnostics };
  return withinStringLength(model.file.name, () => `${JSON.stringify(document, null, 1)}\n`);
}

function toSource(input: ModelInput): ByteSource {
  if (input instanceof Uint8Array || input instanceof ArrayBuffer) return memorySource(input);
  if (typeof Blob !== "undefined" && input instanceof Blob) return blobSource(input);
  return input as ByteSource;
}
