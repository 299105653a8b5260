/** The normalised model itself, as `weighbridge convert` writes it. */

import { MalformedFileError, UnsupportedFeatureError } from "../../src/errors.ts";
import { modelDocumentFormat, modelDocumentVersion } from "../../src/ir/document.ts";
import { validateModel } from "../../src/ir/validate.ts";
import { parseJson } from "../../src/wire/json.ts";
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
    const document = parseJson(await source.read(0, source.size), { file: source.name });
    const { version, model, diagnostics } = document as unknown as { version: unknown } & Imported;
    if (version !== modelDocumentVersion) {
      throw new UnsupportedFeatureError(
        `${source.name}: version ${JSON.stringify(version)} of the model document; this version reads ${modelDocumentVersion}`,
        { file: source.name },
      );
    }
    const fault = validateModel(model);
    if (fault !== null) throw new MalformedFileError(`${source.name}: ${fault}`, { file: source.name });
    return { model, diagnostics: Array.isArray(diagnostics) ? diagnostics : [] };
  },
};
