/** The safetensors importer: single files, sharded sets by their index, and folders of Hugging Face models. */

import { MalformedFileError } from "../../src/errors.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import type { Importer, Sniffed } from "../importer.ts";
import { weightFiles } from "../weight-files.ts";
import type { OtherReader } from "./single.ts";

const decoder = new TextDecoder();

function isIndex({ container, head }: Sniffed): boolean {
  if (container !== "json") return false;
  const text = decoder.decode(head);
  return /"weight_map"\s*:/.test(text) && !/\.weights\.h5"/.test(text);
}

/** `config.json` of transformers and diffusers, which stands for the folder it is in. */
function isModelConfig({ container, head, source }: Sniffed): boolean {
  return (
    container === "json" &&
    source.companion !== undefined &&
    /"(architectures|model_type|transformers_version|_class_name|_diffusers_version)"\s*:/.test(
      decoder.decode(head),
    )
  );
}

/** The first of the usual files that stands beside `source`. The caller closes it. */
async function weightsBeside(source: ByteSource): Promise<ByteSource | null> {
  for (const name of weightFiles) {
    const found = await source.companion?.(name);
    if (found) return found;
  }
  return null;
}

/** `other` reads the files of a model that are no safetensors files. */
export function makeSafetensorsImporter(other: OtherReader): Importer {
  return {
    format: "safetensors",
    title: "safetensors, by the headers alone",
    variants: [
      { id: "safetensors", title: "one file", files: ".safetensors" },
      { id: "sharded", title: "index of several files", files: ".safetensors.index.json" },
      {
        id: "model-folder",
        title: "Hugging Face model, given as the folder or its config.json",
        files: "a folder",
      },
    ],
    matches: async (sniffed) => {
      if (sniffed.container === "safetensors" || isIndex(sniffed)) return true;
      if (!isModelConfig(sniffed)) return false;
      const weights = await weightsBeside(sniffed.source);
      weights?.close?.();
      return weights !== null;
    },
    async load(source, options, sniffed) {
      const { importSingle } = await import("./single.ts");
      if (sniffed.container === "safetensors") return importSingle(source, "safetensors", other);
      const { importShards } = await import("./shards.ts");
      if (isIndex(sniffed)) return importShards(source, "sharded", options, other);
      const weights = await weightsBeside(source);
      if (!weights)
        throw new MalformedFileError(`${source.name}: no weights beside it`, { file: source.name });
      try {
        // Everything else the folder has is beside both; what is weighed keeps the name of the folder.
        const inside: ByteSource = {
          ...weights,
          name: source.name,
          ...(source.companion && { companion: source.companion.bind(source) }),
        };
        return weights.name.endsWith(".json")
          ? await importShards(inside, "model-folder", options, other)
          : await importSingle(inside, "model-folder", other);
      } finally {
        weights.close?.();
      }
    },
  };
}
