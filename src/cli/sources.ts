import { InvalidOptionError } from "../public/index.ts";
import { type OpenSource, openModel, openStandardInput } from "../public/node.ts";
import type { Host } from "./host.ts";
import { Progress } from "./progress.ts";

/** Stands for standard input where a file is expected, for standard output where one is written. */
export const standardStream = "-";

/** Opens what the user named, hands it to `work`, and closes it whatever happens. */
export async function withSource<T>(
  host: Host,
  file: string,
  work: (source: OpenSource, onProgress: (step: string) => void) => Promise<T>,
): Promise<T> {
  const progress = new Progress(host, file);
  const source = file === standardStream ? await openInput(host) : openModel(file);
  try {
    return await work(source, progress.report);
  } finally {
    progress.end();
    source.close();
  }
}

async function openInput(host: Host): Promise<OpenSource> {
  if (host.stdin.isTTY) {
    throw new InvalidOptionError(
      "standard input is a terminal; pipe a file into it: weighbridge - < model.h5",
    );
  }
  return await openStandardInput();
}
