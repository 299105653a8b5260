/**
 * Weights saved as `model.weights.npz`: each member is one pickled object array. Pickles are never run, so what is in
 * a member stays unread; its name and size are listed.
 */

import type { Diagnostic } from "../../src/diagnostics.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import type { StoredTensor } from "../../src/ir/tensor.ts";
import { openZip } from "../../src/wire/zip.ts";
import { addTensor, type TensorTable } from "./stored.ts";

/** Lists the members as opaque tensors of one element each byte, so that the ledger still covers the file. */
export async function listNpz(
  source: ByteSource,
  table: TensorTable,
  report: (diagnostic: Diagnostic) => void,
): Promise<void> {
  const zip = await openZip(source, report);
  const members = zip.entries.filter((entry) => !entry.duplicate && entry.name.endsWith(".npy"));
  for (const entry of members) {
    const tensor: StoredTensor = {
      path: entry.name.replace(/\.npy$/, ""),
      dtype: "opaque",
      shape: [entry.size],
      bytes: entry.size,
      unclaimed: "unclassified",
    };
    addTensor(tensor, table, report);
  }
  const reason = `model.weights.npz holds ${members.length} pickled members, which are listed and not unpickled; weights are derived from the configuration`;
  report({ code: "weights-not-read", args: { reason }, at: "model.weights.npz" });
}
