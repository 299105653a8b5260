import { InvalidOptionError } from "../public/index.ts";
import { type OpenSource, openModel, openStandardInput } from "../public/node.ts";
import type { Host } from "./host.ts";
import { Progress } from "./progress.ts";

/** Stands for standard input where a file is expected, for standard output where one is written. */
export const standardStream = "-";

/** What came in through a pipe is gone when it has been read. */
export function refuseTwice(files: readonly string[]): void {
  if (files.indexOf(standardStream) === files.lastIndexOf(standardStream)) return;
  throw new InvalidOptionError('standard input is named twice, and can be read once: give "-" once');
}

/** Opens what the user named, if it is not `opened`, hands it to `work`, and closes it whatever happens. */
export async function withSource<T>(
  host: Host,
  file: string,
  work: (source: OpenSource, onProgress: (step: string) => void) => Promise<T>,
  opened: OpenSource | null = null,
): Promise<T> {
  const progress = new Progress(host, file);
  const source = opened ?? (file === standardStream ? await openInput(host) : openModel(file));
  try {
    return await work(watched(source, host), progress.report);
  } finally {
    progress.end();
    source.close();
  }
}

/** Metadata of so many bytes are those of ten thousand layers and more. */
const longRunBytes = 8 * 1024 * 1024;

/**
 * What is read whole is text: of JSON, with 2 kB a node where other formats have 500 bytes. A program of 20 MB has 8000 nodes, and
 * takes half the CPU if V8 optimises late.
 */
const wholeTextBytes = 4 * 1024 * 1024;

/**
 * Where the header of safetensors begins, behind its length: JSON too, but with 75 bytes a tensor. 300,000 of them take half the CPU
 * if it is not taken for such a text.
 */
const safetensorsHeader = 8;

/** The source, whose host is told what is read of it, where that is more than of most. */
function watched(source: OpenSource, host: Host): OpenSource {
  const { readSync } = source;
  if (!host.expectLongRun || source.size < longRunBytes) return source;
  let left = longRunBytes;
  const note = (offset: number, length: number): void => {
    const before = left;
    const isText = length >= wholeTextBytes && offset !== safetensorsHeader;
    if (isText) host.expectText?.();
    left -= isText ? length / 4 : length;
    if (before > 0 && left <= 0) host.expectLongRun?.();
  };
  const read: OpenSource["read"] = (offset, length) => {
    note(offset, length);
    return source.read(offset, length);
  };
  if (!readSync) return { ...source, read };
  return {
    ...source,
    read,
    readSync: (offset, length) => {
      note(offset, length);
      return readSync.call(source, offset, length);
    },
  };
}

async function openInput(host: Host): Promise<OpenSource> {
  if (host.stdin.isTTY) {
    throw new InvalidOptionError(
      "standard input is a terminal; pipe a file into it: weighbridge - < model.h5",
    );
  }
  return await openStandardInput();
}
