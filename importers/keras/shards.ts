/** Sharded weights (`model.weights.json`, Keras 3.10+): an index, and the files it names beside it. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import { LimitExceededError, MalformedFileError } from "../../src/errors.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { refuseCompanionName } from "../../src/io/companions.ts";
import { maxShards } from "../../src/limits.ts";
import { openHdf5 } from "../../src/wire/hdf5.ts";
import { readJson } from "../../src/wire/json.ts";
import type { Imported, ImportOptions } from "../importer.ts";
import { writerOf } from "./architecture-config.ts";
import { markOutside } from "./archive.ts";
import { finishModel } from "./finish.ts";
import { asList, asObject, asString } from "./json-access.ts";
import { emptyGroup, emptyTable, readTree, type StoredGroup, type TensorTable } from "./stored.ts";
import { treeWeightsModel } from "./weights-only.ts";

/** Imports an index and its shards. Shards that are missing or refused are reported; the others are read. */
export async function importShards(source: ByteSource, options: ImportOptions): Promise<Imported> {
  const diagnostics: Diagnostic[] = [];
  const report = (diagnostic: Diagnostic): void => void diagnostics.push(diagnostic);
  const index = asObject(await readJson(source, { file: source.name }));
  const map = asObject(index?.weight_map);
  if (!map) {
    throw new MalformedFileError(`${source.name}: an index of shards without weight_map`, {
      file: source.name,
    });
  }
  const names = new Set<string>();
  for (const value of Object.values(map)) {
    for (const name of asList(value) ?? [value]) {
      const file = asString(name);
      if (file !== undefined) names.add(file);
    }
  }
  if (names.size > maxShards) {
    throw new LimitExceededError(`${source.name}: names ${names.size} shards, the limit is ${maxShards}`, {
      limit: "maxShards",
      actual: names.size,
      maximum: maxShards,
      file: source.name,
    });
  }
  const table = emptyTable();
  const root = emptyGroup("/");
  for (const name of [...names].sort()) {
    options.onProgress?.(`reading ${name}`);
    await readShard(name, source, table, root, report);
  }
  markOutside(root, table);
  const model = treeWeightsModel(root, table, undefined, report);
  const writer = { ...writerOf(null, undefined), framework: "keras" };
  return {
    model: finishModel(model, {
      source,
      variant: "sharded-weights",
      writer,
      table,
      optimizer: null,
      kind: "weights-only",
      report,
    }),
    diagnostics,
  };
}

async function readShard(
  name: string,
  source: ByteSource,
  table: TensorTable,
  root: StoredGroup,
  report: (diagnostic: Diagnostic) => void,
): Promise<void> {
  const refused = refuseCompanionName(name);
  if (refused !== null) {
    report({ code: "companion-refused", args: { name, reason: refused }, at: "weight_map" });
    return;
  }
  const shard = await source.companion?.(name);
  if (!shard) {
    report({ code: "companion-missing", args: { name }, at: "weight_map" });
    return;
  }
  try {
    const file = await openHdf5(shard, report);
    try {
      readTree(file, table, report, `${name}/`, root);
    } finally {
      file.close();
    }
  } finally {
    // An index may name thousands; a process may hold open about one thousand.
    shard.close?.();
  }
}
