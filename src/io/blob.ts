import { counted } from "../counted.ts";
import { SourceReadError } from "../errors.ts";
import type { ByteSource } from "./byte-source.ts";
import { checkRange } from "./range.ts";

/** A `Blob` or `File`: only the ranges asked for are read. Blobs have no synchronous reads on the main thread. */
export function blobSource(blob: Blob, name?: string): ByteSource {
  const label = name ?? ("name" in blob && typeof blob.name === "string" ? blob.name : "blob");
  return {
    name: label,
    size: blob.size,
    read: async (offset, length) => {
      checkRange(label, blob.size, offset, length);
      let bytes: Uint8Array;
      try {
        bytes = new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
      } catch (cause) {
        throw new SourceReadError(
          `${label}: bytes ${offset} to ${offset + length} could not be read; was the file changed or removed? Choose it again`,
          { file: label, offset, length, cause },
        );
      }
      if (bytes.length !== length) {
        throw new SourceReadError(
          `${label}: ${counted(length, "byte")} at ${offset} asked for, ${bytes.length} came; was the file changed? Choose it again`,
          { file: label, offset, length },
        );
      }
      return bytes;
    },
  };
}
