/**
 * Weights that hold several values in each stored element: what they are without packing. A layout is taken only when the
 * model's configuration names it, or the file itself states the shape; and only when the tensors beside the weight agree.
 */

import { bitsOf, type DType } from "../../src/ir/dtype.ts";
import type { Json, JsonObject } from "../../src/ir/graph.ts";
import type { StaticShape } from "../../src/ir/shape.ts";
import { elementsOf } from "../../src/ir/shape.ts";
import type { Packing } from "../../src/ir/tensor.ts";
import { maxSmallValueBytes } from "../../src/limits/pytorch.ts";
import type { Member, Module } from "./modules.ts";
import type { NamedTensor } from "./state-dict.ts";

/** A weight without its packing. */
export interface PackedWeight {
  readonly shape: StaticShape;
  readonly packing: Packing;
}

/** Own names of packed weights: GPTQ and AWQ, HQQ, compressed-tensors, MXFP4. */
export function isPackedName(local: string): boolean {
  return /^qweight$|^W_q$|(^|_)weight_packed$|_blocks$/.test(local);
}

/** Whether any name is that of a packed weight. */
export function looksPacked(tensors: readonly NamedTensor[]): boolean {
  return tensors.some(({ name }) => /(?:^|[._])(?:qweight|weight_packed)$|\w_blocks$/.test(name));
}

/** Whether a tensor is a note on the shape of another: the state of bitsandbytes, the shapes of compressed-tensors and HQQ. */
export function isShapeNote(name: string, dtype: DType, bytes: number): boolean {
  if (dtype === "uint8") return bytes <= maxSmallValueBytes && quantState.test(name);
  return dtype === "int64" && bytes <= 8 * 8 && /(?:^|[._])weight_shape$|(?:^|\.)shape$/.test(name);
}

const quantState = /(?:^|\.)weight\.quant_state\.bitsandbytes__(?:nf4|fp4)$/;

/** The weight that `member` packs, or `null` when nothing states how, or what stands beside it contradicts. */
export function unpackWeight(
  { local, tensor }: Member,
  module: Module,
  config: JsonObject | undefined,
): PackedWeight | null {
  const method = methodOf(config);
  if (local === "qweight" && tensor.shape.length === 2) {
    if (method === "gptq") return unpackGptq(tensor, module, config);
    return method === "awq" ? unpackAwq(tensor, module, config) : null;
  }
  if (local.endsWith("weight_packed")) return unpackCompressed(local, tensor, module, config);
  if (local.endsWith("_blocks") && method === "mxfp4") return unpackMxfp4(local, tensor, module);
  if (local === "W_q") return unpackHqq(tensor, module);
  if (local !== "weight") return null;
  if (module.byLocal.has("weight.absmax")) return unpackBitsandbytes(tensor, module, config);
  if (method === "mlx") return unpackMlx(tensor, module, config);
  // Rows of four, two bits each.
  if (method === "bitnet" && tensor.dtype === "uint8" && tensor.shape.length === 2) {
    const [rows = 0, columns = 0] = tensor.shape;
    return module.byLocal.has("weight_scale")
      ? { shape: [rows * 4, columns], packing: { values: 4, axis: 0 } }
      : null;
  }
  // NVIDIA's ModelOpt keeps NVFP4 under the plain name.
  if (method === "modelopt" && tensor.dtype === "uint8" && module.byLocal.has("weight_scale_2"))
    return packedLast(tensor.shape, 2);
  return null;
}

/** `quant_method`, where auto-round names the layout it writes. */
export function methodOf(config: JsonObject | undefined): string {
  const method = textOf(config?.quant_method).toLowerCase();
  if (!/auto[-_]?round/.test(method)) return method;
  const format = textOf(config?.packing_format);
  return /awq/.test(format) ? "awq" : /gptq/.test(format) ? "gptq" : method;
}

function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

function widthOf(config: JsonObject | undefined): number | null {
  const bits = config?.bits ?? config?.w_bit;
  return typeof bits === "number" && Number.isInteger(bits) && bits >= 1 && bits <= 8 ? bits : null;
}

/** `values` in one element, along the last axis. */
function packedLast(stored: StaticShape, values: number): PackedWeight {
  const last = stored.length - 1;
  return {
    shape: stored.map((dim, i) => (i === last ? dim * values : dim)),
    packing: { values, axis: -1 },
  };
}

/**
 * `qweight` is `[in * bits / 32, out]`, `qzeros` `[groups, out * bits / 32]`, `scales` `[groups, out]`, `g_idx` `[in]`. Widths may
 * differ from layer to layer, so the zero points tell this one's; three bits take 3 elements for 32 values.
 */
function unpackGptq(
  { shape, dtype }: NamedTensor,
  { byLocal }: Module,
  config: JsonObject | undefined,
): PackedWeight | null {
  const [rows = 0, out = 0] = shape;
  const container = bitsOf(dtype) ?? 0;
  const scales = byLocal.get("scales")?.shape;
  if (scales?.length !== 2 || scales[1] !== out) return null;
  const zeros = byLocal.get("qzeros");
  const bits = zeros?.shape.length === 2 ? (container * (zeros.shape[1] ?? 0)) / out : widthOf(config);
  if (bits === null || ![2, 3, 4, 8].includes(bits)) return null;
  const width = (rows * container) / bits;
  const groups = byLocal.get("g_idx")?.shape;
  if (!Number.isInteger(width) || (groups?.length === 1 && groups[0] !== width)) return null;
  const per = container % bits === 0 ? 1 : bits;
  const values = (container * per) / bits;
  return {
    shape: [out, width],
    packing: { values, ...(per > 1 && { per }), axis: 1, transposed: true },
  };
}

/** GEMM: `qweight` `[in, out / 8]`, `scales` `[groups, out]`. GEMV: `[out, in / 8]`. Its fast form: int16 `[out / 4, in]`. */
function unpackAwq(
  { shape, dtype }: NamedTensor,
  { byLocal }: Module,
  config: JsonObject | undefined,
): PackedWeight | null {
  const bits = widthOf(config) ?? 4;
  const values = (bitsOf(dtype) ?? 0) / bits;
  const [rows = 0, columns = 0] = shape;
  const scales = byLocal.get("scales")?.shape;
  if (!Number.isInteger(values) || values < 1 || scales?.length !== 2) return null;
  if (scales[1] === columns * values)
    return { shape: [columns * values, rows], packing: { values, axis: 0, transposed: true } };
  if (!/^gemv/i.test(textOf(config?.version))) return null;
  if (dtype === "int16" && scales[1] === rows * values)
    return { shape: [rows * values, columns], packing: { values, axis: 0 } };
  return scales[0] === rows ? packedLast(shape, values) : null;
}

/** `weight_packed` keeps whole values of the width in an int32, or two fp4 in a byte; `weight_shape` has the shape. */
function unpackCompressed(
  local: string,
  { shape, dtype }: NamedTensor,
  { byLocal }: Module,
  config: JsonObject | undefined,
): PackedWeight | null {
  const note = byLocal.get(local.replace(/packed$/, "shape"));
  const stated = note?.value ? int64Shape(note.value) : null;
  const scale = byLocal.get(local.replace(/packed$/, "scale"))?.shape.at(-1);
  if (dtype === "uint8") return unpackFloats(shape, scale, config);
  const widths = widthsOf(config);
  const candidates = widths.length > 0 ? widths : stated ? [1, 2, 3, 4, 5, 6, 7, 8] : [];
  const container = bitsOf(dtype) ?? 0;
  // Up to 0.11 an element had whole values only; since then rows are packed without gaps.
  const packings = candidates.flatMap((bits): readonly Packing[] => {
    const gapless = { values: container, per: bits, axis: -1 };
    const whole = { values: Math.floor(container / bits), axis: -1 };
    return container % bits === 0 ? [whole] : [whole, gapless];
  });
  if (stated === null) {
    const [packing, another] = packings;
    return packing && !another ? packedLast(shape, packing.values) : null;
  }
  const packing = packings.find((one) => isPackedAs(stated, shape, one));
  return packing ? { shape: stated, packing } : null;
}

/** Two values of 4 bits in a byte, or four of 6 bits in three; a scale for each 16 or 32 tells them apart where several are named. */
function unpackFloats(
  stored: StaticShape,
  scale: number | undefined,
  config: JsonObject | undefined,
): PackedWeight | null {
  const named = [config, ...groupsOf(config)].map((one) => textOf(one?.format)).join();
  const widthOf = (values: number, per: number): number => ((stored.at(-1) ?? 0) * values) / per;
  const fitting = [
    { format: /fp4/, values: 2, per: 1 },
    { format: /fp6/, values: 4, per: 3 },
  ].filter(({ format, values, per }) => {
    const width = widthOf(values, per);
    const scaled = scale === undefined || scale * 16 === width || scale * 32 === width;
    return format.test(named) && Number.isInteger(width) && scaled;
  });
  const [found, another] = fitting;
  if (!found || another) return null;
  const { values, per } = found;
  const packing = { values, ...(per > 1 && { per }), axis: -1 };
  return { shape: [...stored.slice(0, -1), widthOf(values, per)], packing };
}

function groupsOf(config: JsonObject | undefined): readonly JsonObject[] {
  const groups = config?.config_groups;
  if (typeof groups !== "object" || groups === null) return [];
  return Object.values(groups).filter(
    (group): group is JsonObject => typeof group === "object" && group !== null,
  );
}

/** Widths of all groups of the configuration. */
function widthsOf(config: JsonObject | undefined): readonly number[] {
  const found = groupsOf(config).flatMap(({ weights }) => {
    const bits = (weights as JsonObject | null | undefined)?.num_bits;
    return typeof bits === "number" && Number.isInteger(bits) && bits >= 1 && bits <= 8 ? [bits] : [];
  });
  return [...new Set(found)];
}

function isPackedAs(shape: StaticShape, stored: StaticShape, { values, per = 1 }: Packing): boolean {
  return (
    shape.length === stored.length &&
    shape.every((dim, i) => (i === shape.length - 1 ? Math.ceil((dim * per) / values) : dim) === stored[i])
  );
}

function int64Shape(bytes: Uint8Array): StaticShape | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const dims = Array.from({ length: bytes.byteLength / 8 }, (_, i) => Number(view.getBigInt64(8 * i, true)));
  return dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0) ? dims : null;
}

/**
 * Groups of values along the last axis, each with a scale; 32 of them take as many words as one has bits. Layers may differ from what the
 * configuration says of all, so the scales tell the width.
 */
function unpackMlx(
  { shape, dtype }: NamedTensor,
  { path, byLocal }: Module,
  config: JsonObject | undefined,
): PackedWeight | null {
  const own = config?.[path];
  const stated = typeof own === "object" && own !== null ? (own as JsonObject) : config;
  const group = stated?.group_size ?? config?.group_size;
  const scales = byLocal.get("scales")?.shape;
  const words = shape.at(-1) ?? 0;
  if (dtype !== "uint32" || typeof group !== "number" || scales?.length !== shape.length) return null;
  const width = (scales.at(-1) ?? 0) * group;
  const bits = (words * 32) / width;
  if (![2, 3, 4, 5, 6, 8].includes(bits) || !Number.isSafeInteger(width)) return null;
  const whole = 32 % bits === 0;
  return {
    shape: [...shape.slice(0, -1), width],
    packing: { values: whole ? 32 / bits : 32, ...(!whole && { per: bits }), axis: -1 },
  };
}

/**
 * How many values an element of `dtype` holds when `stored` of them have room for `logical`: a power of two, or 10 of three bits in
 * an int32. `null` when none fits.
 */
export function packedValues(dtype: DType, stored: number | null, logical: number | null): number | null {
  const bits = bitsOf(dtype);
  if (stored === null || logical === null || bits === null || stored === 0) return null;
  const fitting = (dtype === "int32" ? [10] : [1, 2, 4, 8, 16, 32, 64]).filter((values) => values <= bits);
  const values = fitting.find((many) => many * stored >= logical);
  // Groups are filled up; more than as much again is another tensor's shape.
  return values !== undefined && values * (stored - 1) < 2 * logical ? values : null;
}

/** Values in groups, several an element along their first axis; `shape` beside it has the shape. */
function unpackHqq({ shape, dtype }: NamedTensor, { byLocal }: Module): PackedWeight | null {
  const note = byLocal.get("shape")?.value;
  const stated = note ? int64Shape(note) : null;
  const values = stated && packedValues(dtype, elementsOf(shape), elementsOf(stated));
  return stated && values ? { shape: stated, packing: { values, axis: 0, padded: true } } : null;
}

/** `x_blocks` is `[..., groups, 16]` bytes, 32 values a group, and `x_scales` `[..., groups]`. */
function unpackMxfp4(local: string, { shape, dtype }: NamedTensor, { byLocal }: Module): PackedWeight | null {
  const scales = byLocal.get(local.replace(/_blocks$/, "_scales"))?.shape;
  const outer = shape.slice(0, -1);
  if (dtype !== "uint8" || scales?.length !== outer.length || !scales.every((dim, i) => dim === outer[i]))
    return null;
  const groups = outer.at(-1) ?? 0;
  return {
    shape: [...outer.slice(0, -1), groups * (shape.at(-1) ?? 0) * 2],
    packing: { values: 2, axis: -1 },
  };
}

/** Two values a byte, all in one column; the state beside it is JSON with the shape. */
function unpackBitsandbytes(
  { shape, dtype }: NamedTensor,
  { members }: Module,
  config: JsonObject | undefined,
): PackedWeight | null {
  const state = members.find(({ local }) => quantState.test(local));
  if (!state && !(methodOf(config) === "bitsandbytes" && config?.load_in_4bit === true)) return null;
  const values = (bitsOf(dtype) ?? 0) / 4;
  const stored = elementsOf(shape) ?? 0;
  if (values < 1) return null;
  const stated = state?.tensor.value ? shapeOfState(state.tensor.value) : null;
  if (stated && Math.ceil((elementsOf(stated) ?? -1) / values) === stored)
    return { shape: stated, packing: { values, axis: 0, flat: true } };
  return { shape: [stored * values, 1], packing: { values, axis: 0 } };
}

function shapeOfState(bytes: Uint8Array): StaticShape | null {
  try {
    const { shape } = JSON.parse(new TextDecoder().decode(bytes)) as { shape?: unknown };
    const valid =
      Array.isArray(shape) &&
      shape.length <= 8 &&
      shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0);
    return valid ? (shape as number[]) : null;
  } catch {
    return null;
  }
}
