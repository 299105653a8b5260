/** The forms that checkpoints have, told apart by the bytes they start with or the entries of their archive. */

import type { ZipArchive } from "../../src/wire/zip.ts";
import type { Sniffed } from "../importer.ts";

/** What is in front of `data.pkl`, as `archive/`; `null` when the archive has none. */
export function checkpointFolder(zip: ZipArchive): string | null {
  const entry = zip.entries.find(({ name }) => /^([^/]+\/)?data\.pkl$/.test(name));
  return entry ? entry.name.slice(0, -"data.pkl".length) : null;
}

/** A checkpoint has no code. */
export function isScript(zip: ZipArchive, folder: string): boolean {
  return (
    zip.find(`${folder}constants.pkl`) !== undefined ||
    zip.entries.some(({ name }) => name.startsWith(`${folder}code/`))
  );
}

/** TorchScript of PyTorch 1.0 and 1.1, before there was a `data.pkl`. */
export function isEarlyScript(zip: ZipArchive): boolean {
  const folder = /^[^/]+\//.exec(zip.entries[0]?.name ?? "")?.[0] ?? "";
  return (
    zip.find(`${folder}model.json`) !== undefined &&
    zip.entries.some(({ name }) => name.startsWith(`${folder}tensors/`))
  );
}

/** Several files of `torch.save` in an archive, as stable-baselines3 makes them. */
export function isPolicy(zip: ZipArchive): boolean {
  return zip.find("policy.pth") !== undefined && zip.find("_stable_baselines3_version") !== undefined;
}

/** The 10 bytes of the magic number, as a long of protocol 2 and later, within the first pickle. */
const magicBytes = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];
/** The same in digits, as protocols 0 and 1 write it. */
const magicLine = "L119547037146038801333356L\n.";

/** The stream of torch.save before PyTorch 1.6. */
export function isLegacy({ head, container }: Sniffed): boolean {
  if (container !== "other") return false;
  const start = head.subarray(0, 40);
  // Protocol 4 puts a frame of 9 bytes in front.
  const found = [0, 2, 11].some((at) => magicBytes.every((byte, i) => start[at + i] === byte));
  return found || new TextDecoder("latin1").decode(start).startsWith(magicLine);
}

/** PyTorch up to 0.1.9 wrote tar archives. */
export function isTar({ head, container }: Sniffed): boolean {
  if (container !== "other" || head.length < 512) return false;
  const text = new TextDecoder("latin1").decode(head.subarray(0, 512));
  return text.slice(257, 262) === "ustar" && /^(\.\/)?(storages|tensors|pickle|sys_info)\0/.test(text);
}

/** Anything else that Python pickled in protocol 2 to 5: where it ends, nobody knows before it is read. */
export function isPickle({ head, container }: Sniffed): boolean {
  const protocol = head[1] ?? 0;
  // Names and containers follow at once, or a frame.
  return container === "other" && head[0] === 0x80 && protocol >= 2 && protocol <= 5 && head.length > 3;
}

/**
 * A pickle of protocol 0 or 1, which have no mark of their own. It starts with a container or a name, and then every step of what is
 * here must be one: no text and no other format gets far.
 */
export async function isOldPickle({ source, head, container }: Sniffed): Promise<boolean> {
  if (container === "zip" || container === "hdf5" || container === "safetensors") return false;
  const start = new TextDecoder("latin1").decode(head.subarray(0, 256));
  if (!/^(\((d|l|t|I|c|S|V|U|X|K|i)|[\]}](q|r|\(|\.)|c[A-Za-z_][\w.]*\n[A-Za-z_][\w.]*\n)/.test(start))
    return false;
  return (await import("../../src/wire/pickle.ts")).startsPickle(head, source.size);
}

/** What `torch.save`, `torch.jit.save` and `pickle.dump` write, in the forms that are read. */
export async function isCheckpoint(sniffed: Sniffed): Promise<boolean> {
  const { zip } = sniffed;
  if (zip) return checkpointFolder(zip) !== null;
  return isLegacy(sniffed) || isPickle(sniffed) || (await isOldPickle(sniffed));
}
