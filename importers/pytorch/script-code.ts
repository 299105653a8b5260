/** What the serialized code of a TorchScript archive says of its tensors. The code itself is text and stays it. */

import { LimitExceededError } from "../../src/errors.ts";
import { maxScriptBytes } from "../../src/limits/pytorch.ts";
import type { ZipArchive } from "../../src/wire/zip.ts";

/** What a module says of its own tensors. */
export interface ScriptClass {
  readonly parameters: ReadonlySet<string>;
  readonly buffers: ReadonlySet<string>;
}

/** The header of a module, as the serializer has written it since the format has version 1. */
const header =
  /^class (\w+)\(Module\):\n {2}__parameters__ = \[([^\]\n]*)\]\n(?: {2}__buffers__ = \[([^\]\n]*)\]\n)?/gm;

/**
 * A constant that `torch.jit.optimize_for_inference` made for oneDNN. The serializer writes the operation that gives it and not
 * its value (PyTorch 2.14), so that nothing can load the archive.
 */
const unsaved = /\bops\.prim\.ConstantMKLDNNTensor\(/g;

export interface ScriptCode {
  /** By their full name, `__torch__.networks.Small`. */
  readonly classes: ReadonlyMap<string, ScriptClass>;
  /** Constants that the archive does not hold. */
  readonly unsaved: number;
}

/** `folder` is what is in front of `code/`. @throws LimitExceededError for more code than a network has. */
export async function readScriptCode(zip: ZipArchive, folder: string): Promise<ScriptCode> {
  const classes = new Map<string, ScriptClass>();
  let missing = 0;
  const start = `${folder}code/`;
  let total = 0;
  for (const entry of zip.entries) {
    if (!entry.name.startsWith(start) || !entry.name.endsWith(".py") || entry.duplicate) continue;
    total += entry.size;
    if (total > maxScriptBytes) {
      throw new LimitExceededError(
        `${entry.name}: the code of the archive has more than ${maxScriptBytes} bytes (maxScriptBytes)`,
        { limit: "maxScriptBytes", actual: total, maximum: maxScriptBytes },
      );
    }
    const code = await zip.openEntry(entry);
    const text = new TextDecoder().decode(await code.read(0, code.size));
    const module = entry.name.slice(start.length, -".py".length).replaceAll("/", ".");
    for (const [, name, parameters, buffers] of text.matchAll(header))
      classes.set(`${module}.${name}`, { parameters: namesIn(parameters), buffers: namesIn(buffers) });
    missing += [...text.matchAll(unsaved)].length;
  }
  return { classes, unsaved: missing };
}

function namesIn(list: string | undefined): ReadonlySet<string> {
  return new Set([...(list ?? "").matchAll(/"([^"]*)"/g)].map(([, name]) => name ?? ""));
}

/** `__torch__.torch.nn.modules.conv.___torch_mangle_0.Conv2d` is a `torch.nn.modules.conv.Conv2d`. */
export function unmangled(name: string): string {
  return name.replace(/^__torch__\./, "").replace(/___torch_mangle_\d+\./g, "");
}
