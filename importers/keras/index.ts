/** The Keras importer: everything `model.save`, `save_weights` and `to_json` have ever written. */

import { modelDocumentFormat } from "../../src/ir/document.ts";
import type { Importer, Sniffed } from "../importer.ts";

const decoder = new TextDecoder();

function headText(sniffed: Sniffed): string {
  return decoder.decode(sniffed.head);
}

function isShardIndex(sniffed: Sniffed): boolean {
  return sniffed.container === "json" && /"weight_map"\s*:[^}]*\.weights\.h5"/.test(headText(sniffed));
}

/** Neither of these words is at the start of a model document, which names its format first. */
function isArchitecture(sniffed: Sniffed): boolean {
  return (
    sniffed.container === "json" &&
    !headText(sniffed).includes(modelDocumentFormat) &&
    /"(class_name|keras_version)"\s*:/.test(headText(sniffed))
  );
}

function isArchive(sniffed: Sniffed): boolean {
  return sniffed.zip?.find("config.json") !== undefined;
}

export const kerasImporter: Importer = {
  format: "keras",
  title: "Keras 1, 2 (standalone, tf.keras, tf-keras) and 3",
  variants: [
    { id: "keras-archive", title: "Keras archive (2.12 to today)", files: ".keras" },
    {
      id: "keras-folder",
      title: "unzipped Keras archive, given as the folder or its config.json",
      files: "a folder",
    },
    { id: "hdf5-full-model", title: "full model in HDF5 (1.0 to today)", files: ".h5 .hdf5 .keras" },
    { id: "hdf5-weights-legacy", title: "weights by layer name", files: ".h5 .hdf5" },
    { id: "hdf5-weights", title: "weights by object path (2.12 to today)", files: ".weights.h5" },
    { id: "sharded-weights", title: "index of sharded weights (3.10 to today)", files: ".weights.json" },
    {
      id: "json-architecture",
      title: "architecture without weights, as model.to_json() writes it",
      files: ".json",
    },
  ],
  matches: (sniffed) =>
    sniffed.container === "hdf5" || isArchive(sniffed) || isShardIndex(sniffed) || isArchitecture(sniffed),
  async load(source, options, sniffed) {
    if (sniffed.container === "hdf5") return (await import("./h5.ts")).importHdf5(source, options);
    if (sniffed.zip) {
      return (await import("./archive.ts")).importArchive(source, sniffed.zip, sniffed.diagnostics, options);
    }
    if (isShardIndex(sniffed)) return (await import("./shards.ts")).importShards(source, options);
    if (/"config"/.test(headText(sniffed))) {
      const folder = await (await import("./archive.ts")).importFolder(source, options);
      if (folder) return folder;
    }
    return (await import("./json.ts")).importJson(source, options);
  },
};
