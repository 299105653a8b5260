/** Sharded weights (`model.weights.json`, Keras 3.10+): an index, and the files it names beside it. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import { LimitExceededError, MalformedFileError } from "../../src/errors.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { refuseCompanionName } from "../../src/io/companions.ts";
import type { JsonObject } from "../../src/ir/graph.ts";
import { maxShards } from "../../src/limits.ts";
import { openHdf5 } from "../../src/wire/hdf5.ts";
import { readJson } from "../../src/wire/json.ts";
import type { Imported, ImportOptions } from "../importer.ts";
import { writerOf } from "./architecture-config.ts";
import { finishModel } from "./finish.ts";
import { asList, asObject, asString } from "./json-access.ts";
import { emptyGroup, emptyTable, readTree, type StoredGroup, type TensorTable } from "./stored.ts";
import { markOutside, treeWeightsModel } from "./weights-only.ts";

/** Imports an index and its shards. Shards that are missing or refused are reported; the others are read. */
export async function importShards(source: ByteSource, options: ImportOptions): Promise<Imported> {
  const diagnostics: Diagnostic[] = [];
  const report = (diagnostic: Diagnostic): void => void diagnostics.push(diagnostic);
  const table = emptyTable();
  const root = await readShards(source, { beside: source, table, report, options });
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

/** Where the files that an index names are, and where their tensors go. */
interface ShardContext {
  readonly beside: ByteSource;
  readonly table: TensorTable;
  readonly report: (diagnostic: Diagnostic) => void;
  readonly options: ImportOptions;
}

/** Lists the tensors of all shards that an index names. @throws LimitExceededError for too many of them. */
export async function readShards(source: ByteSource, context: ShardContext): Promise<StoredGroup> {
  const names = shardNames(source, asObject(await readJson(source, { file: source.name })));
  const root = emptyGroup("/");
  for (const name of names) {
    context.options.onProgress?.(`reading ${name}`);
    await readShard(name, context, root);
  }
  return root;
}

function shardNames(source: ByteSource, index: JsonObject | undefined): readonly string[] {
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
  return [...names].sort();
}

async function readShard(
  name: string,
  { beside, table, report }: ShardContext,
  root: StoredGroup,
): Promise<void> {
  const refused = refuseCompanionName(name);
  if (refused !== null) {
    report({ code: "companion-refused", args: { name, reason: refused }, at: "weight_map" });
    return;
  }
  const shard = await beside.companion?.(name);
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
