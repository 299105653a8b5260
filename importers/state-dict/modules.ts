/** Module paths out of the names of tensors. */

import { maxModuleDepth } from "../../src/limits/pytorch.ts";
import type { NamedTensor } from "./state-dict.ts";

/** A tensor under its name inside its module. */
export interface Member {
  /** `weight`, `weight.absmax`. */
  readonly local: string;
  readonly tensor: NamedTensor;
}

/** A module that owns tensors itself. */
export interface Module {
  /** `layer1.0.conv1`; "" for the model itself. */
  readonly path: string;
  readonly members: readonly Member[];
  /** The same by their own names. */
  readonly byLocal: ReadonlyMap<string, NamedTensor>;
}

/**
 * Own names that have dots in them: what bitsandbytes keeps of a packed weight (`weight.absmax`), parametrizations, and
 * packed parameters of torch.ao.
 */
const dotted =
  /(?:^|\.)((?:\w+\.(?:absmax|quant_map|nested_absmax|nested_quant_map|quant_state\.\w+)|parametrizations\..+|_packed_params\.\w+))$/;

/** Between the steps of a path. */
export type Separator = "." | "/";

/** Groups tensors by the module that owns them, in order of first appearance. */
export function groupModules(tensors: readonly NamedTensor[], separator: Separator): Module[] {
  const groups = new Map<string, { members: Member[]; byLocal: Map<string, NamedTensor> }>();
  for (const tensor of tensors) {
    const { path, local } = splitName(tensor.name, separator);
    let group = groups.get(path);
    if (!group) {
      group = { members: [], byLocal: new Map() };
      groups.set(path, group);
    }
    group.members.push({ local, tensor });
    group.byLocal.set(local, tensor);
  }
  return [...groups].map(([path, group]) => ({ path, ...group }));
}

/** JAX and TensorFlow dumps have paths with slashes and no dot anywhere. */
export function separatorOf(tensors: readonly NamedTensor[]): Separator {
  const dots = tensors.some(({ name }) => name.includes("."));
  return !dots && tensors.some(({ name }) => name.includes("/")) ? "/" : ".";
}

function splitName(name: string, separator: Separator): { path: string; local: string } {
  const found = separator === "." && name.length < 1024 ? dotted.exec(name) : null;
  const local = found?.[1] ?? name.slice(name.lastIndexOf(separator) + 1);
  return { path: name.slice(0, Math.max(0, name.length - local.length - 1)), local };
}

/**
 * The beginning of a path with as many modules as are told apart. To look each step of a path up takes time that grows with the
 * square of its steps, and a name may be made of dots.
 */
export function outermost(path: string, separator: Separator): string {
  let end = 0;
  for (let depth = 0; depth < maxModuleDepth && end >= 0; depth++) end = path.indexOf(separator, end + 1);
  return end < 0 ? path : path.slice(0, end);
}

/** `h.2` before `h.10`: runs of digits compare as numbers, everything else by code unit. */
export function naturalOrder(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const [x = "", y = ""] = [left[i], right[i]];
    if (x === y) continue;
    if (isDigits(x) && isDigits(y)) {
      const [m, n] = [x.replace(/^0+/, ""), y.replace(/^0+/, "")];
      if (m.length !== n.length) return m.length - n.length;
      if (m !== n) return m < n ? -1 : 1;
    }
    return x < y ? -1 : 1;
  }
  return left.length - right.length;
}

function partsOf(text: string): readonly string[] {
  return text.match(/\d+|\D+/g) ?? [];
}

function isDigits(text: string): boolean {
  const code = text.charCodeAt(0);
  return code >= 0x30 && code <= 0x39;
}
