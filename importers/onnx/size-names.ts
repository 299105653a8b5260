/** Sizes by the names that a file gives them (dim_param). */

import type { Dim } from "../../src/ir/dim.ts";
import { symbol } from "../../src/ir/symbolic-dim.ts";
import { parseSymInt } from "../sym-int.ts";
import type { OnnxValue } from "./proto.ts";

const identifier = /^[A-Za-z_][\w.]*$/;
/** Words of a text, with the bracket that makes one a function. */
const words = /[A-Za-z_][\w.]*(?:\s*\()?/g;
const arithmetic = /^[\w\s.+\-*/%(),]+$/;
/** `batch-size` is a name. */
const hyphenated = /\w-[A-Za-z_]/;
/** What PyTorch calls a size that nobody named. */
const generated = /^[su]\d+$/;
/** What writers put for a size that they do not know, perhaps for several that differ. */
const placeholders: ReadonlySet<string> = new Set(["", "?", "-1", "None", "*"]);

/**
 * Arithmetic on names (`2*seq`, `past + 1`, `((h - 1)//2) + 1`, as PyTorch and onnxruntime write it) is an expression where
 * each of its names is that of a size of an input, or one that PyTorch makes up. Everything else is a name as it stands.
 */
export class SizeNames {
  readonly #inputs = new Set<string>();
  readonly #known = new Map<string, Dim>();

  constructor(inputs: readonly OnnxValue[]) {
    for (const { type } of inputs) {
      if (type?.kind !== "tensor") continue;
      for (const dim of type.shape ?? []) if (typeof dim === "string") this.#inputs.add(dim);
    }
  }

  /** Null for a text that says nothing. */
  read(text: string): Dim {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const dim = this.#parse(text);
    this.#known.set(text, dim);
    return dim;
  }

  #parse(text: string): Dim {
    if (placeholders.has(text)) return null;
    // Shape inference of onnx makes up `unk__7` for a size that nobody named.
    if (/^unk__\d+$/.test(text)) return symbol(`?${text}`);
    return this.#expression(text) ?? symbol(text);
  }

  #expression(text: string): Dim {
    if (identifier.test(text) || !arithmetic.test(text) || hyphenated.test(text)) return null;
    const names = (text.match(words) ?? []).filter((word) => !word.endsWith("("));
    if (names.length === 0) return null;
    if (!names.every((name) => this.#inputs.has(name) || generated.test(name))) return null;
    return parseSymInt(text);
  }
}
