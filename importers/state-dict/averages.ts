/** Averages of weights that stand among the weights they are of, told by their names and shapes. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import { elementsOf, type StaticShape } from "../../src/ir/shape.ts";
import type { NamedTensor } from "./state-dict.ts";

interface NamedShape {
  readonly name: string;
  readonly shape: StaticShape;
}

/** Lightning's averages stand as `state_dict`, and what they are averages of beside them. */
export const averageKey: RegExp =
  /(^|_)(ema|shadow|swa|averaged?|moving_avg|polyak)(_|$)|^current_model_state$/i;

/** What DataParallel, torch.compile, FSDP, activation checkpoints and averages put into names. */
const wrapper =
  /(?<=^|\.)(module|_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module|ema_model|online_model)\./g;

/** Name and shape, without what programs put before names and without the dots that some averages leave out. */
export function signature(name: string, shape: StaticShape): string {
  return `${name.replace(wrapper, "").replaceAll(".", "")} ${shape.join(",")}`;
}

/** Which of the first steps of a name says average; -1 for none. */
function averageAt(steps: readonly string[]): number {
  return steps.slice(0, 3).findIndex((step) => averageKey.test(step));
}

/**
 * Averages that are kept inside the state dict they average, under a name of their own (`model_ema.`): the names of their
 * tensors, when most of them are the names and shapes of others.
 */
export function innerCopies(tensors: readonly NamedShape[]): ReadonlySet<string> {
  // Most files have none, and a signature costs as much as reading the tensor.
  if (!tensors.some(({ name }) => averageAt(name.split(".")) >= 0)) return new Set();
  const groups = new Map<string, { name: string; rest: string; shape: StaticShape }[]>();
  const known = new Set<string>();
  for (const { name, shape } of tensors) {
    const steps = name.split(".");
    const at = averageAt(steps);
    if (at < 0) {
      for (let drop = 0; drop < Math.min(3, steps.length); drop++)
        known.add(signature(steps.slice(drop).join("."), shape));
      continue;
    }
    const key = steps.slice(0, at + 1).join(".");
    const group = groups.get(key) ?? [];
    group.push({ name, rest: steps.slice(at + 1).join("."), shape });
    groups.set(key, group);
  }
  const copies = new Set<string>(flattenedCopies(tensors));
  for (const group of groups.values()) {
    const same = group.filter(({ rest, shape }) => known.has(signature(rest, shape)));
    if (same.length * 2 > group.length) for (const { name } of group) copies.add(name);
  }
  return copies;
}

/** mmcv registers averages as buffers of the model itself, with names whose dots have become underscores: `ema_backbone_conv1_weight`. */
function flattenedCopies(tensors: readonly NamedShape[]): readonly string[] {
  const named = tensors.filter(({ name }) => /^ema_[^.]+$/.test(name));
  if (named.length === 0) return [];
  const line = (name: string, shape: StaticShape): string =>
    `${name.replaceAll(".", "_")} ${shape.join(",")}`;
  const known = new Set(tensors.map(({ name, shape }) => line(name, shape)));
  const same = named.filter(({ name, shape }) => known.has(line(name.slice("ema_".length), shape)));
  return same.length * 2 > named.length ? named.map(({ name }) => name) : [];
}

/** The tensors of a file with such averages put aside, and what there is to say of them. */
export function setCopiesAside(tensors: readonly NamedTensor[]): {
  readonly tensors: readonly NamedTensor[];
  readonly diagnostics: readonly Diagnostic[];
} {
  const copies = innerCopies(tensors.filter(({ row }) => row !== false));
  if (copies.size === 0) return { tensors, diagnostics: [] };
  const copied = tensors.filter(({ name }) => copies.has(name));
  return {
    tensors: tensors.map((one) => (copies.has(one.name) ? { ...one, class: "unused", row: false } : one)),
    diagnostics: [copyNote(copied[0]?.name.split(".")[0] ?? "", copied)],
  };
}

/** That `section` holds copies. */
export function copyNote(section: string, tensors: readonly { readonly shape: StaticShape }[]): Diagnostic {
  const elements = tensors.reduce((sum, { shape }) => sum + (elementsOf(shape) ?? 0), 0);
  return { code: "weights-copied", args: { section, tensors: tensors.length, elements }, at: "" };
}
