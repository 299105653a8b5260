/** The normalised model itself, as `weighbridge convert` writes it. */

import { type Diagnostic, isDiagnostic } from "../../src/diagnostics.ts";
import { MalformedFileError, UnsupportedFeatureError } from "../../src/errors.ts";
import { modelDocumentFormat, modelDocumentVersion } from "../../src/ir/document.ts";
import { validateModel } from "../../src/ir/validate.ts";
import { readJson } from "../../src/wire/json.ts";
import type { Imported, Importer } from "../importer.ts";

export const irImporter: Importer = {
  format: modelDocumentFormat,
  title: "the normalised model that `weighbridge convert` writes",
  variants: [{ id: "json", title: "version 1 of the model document", files: ".ir.json" }],
  matches: (sniffed) =>
    sniffed.container === "json" &&
    new RegExp(`^\\s*\\{\\s*"format"\\s*:\\s*"${modelDocumentFormat}"`).test(
      new TextDecoder().decode(sniffed.head),
    ),
  async load(source): Promise<Imported> {
    const document = await readJson(source, { file: source.name });
    const { version, model, diagnostics } = document as unknown as { version: unknown } & Imported;
    if (version !== modelDocumentVersion) {
      throw new UnsupportedFeatureError(
        `${source.name}: version ${JSON.stringify(version)} of the model document; this version reads ${modelDocumentVersion}`,
        { file: source.name },
      );
    }
    const fault = validateModel(model);
    if (fault !== null) throw new MalformedFileError(`${source.name}: ${fault}`, { file: source.name });
    return { model, diagnostics: readDiagnostics(diagnostics, source.name) };
  },
};

/** Diagnostics of the first reading. One that is none says nothing, so it is a fault like any other. */
function readDiagnostics(value: unknown, file: string): readonly Diagnostic[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new MalformedFileError(`${file}: diagnostics is not a list`, { file });
  const bad = value.findIndex((item) => !isDiagnostic(item));
  if (bad < 0) return value;
  throw new MalformedFileError(`${file}: diagnostics[${bad}] is not a diagnostic of this version`, { file });
}
