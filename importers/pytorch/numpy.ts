/** Arrays of NumPy and JAX inside a pickle, which keeps their elements inline. */

import { counted } from "../../src/counted.ts";
import { productOfDims } from "../../src/ir/dim.ts";
import { maxModelElements, maxRank } from "../../src/limits.ts";
import {
  globalName,
  isRecord,
  itemsOf,
  type PickleObject,
  type PickleValue,
} from "../../src/wire/pickle-value.ts";
import { dtypeOf, numpyTypeOf, type TorchType } from "./dtypes.ts";
import { newestName } from "./globals.ts";
import { TensorFault, type TorchTensor, withoutStorage } from "./tensor.ts";

/**
 * An array as protocols 0 to 4 write it (`_reconstruct` and a state) or protocol 5 (`_frombuffer`). `null` for anything else, also for
 * arrays of objects, texts and dates.
 * @throws TensorFault for records, and for a shape that what is held does not fill
 */
export function readNumpyArray(value: PickleObject): TorchTensor | null {
  const name = globalName(value.callable);
  const newest = name === null ? "" : newestName(name);
  if (newest === "numpy.core.multiarray._reconstruct" || newest === "numpy.ma.core._mareconstruct") {
    // (version, shape, dtype, column order, elements), of a masked array its mask after that
    const state = itemsOf(value.states.at(-1)) ?? [];
    return array(state[1], state[2], state[4]);
  }
  if (newest === "numpy.core.numeric._frombuffer") {
    // (elements, dtype, shape, order)
    const args = itemsOf(value.args) ?? [];
    return array(args[2], args[1], args[0]);
  }
  // What JAX does with the same, whose classes have moved: (`_reconstruct`, what it is handed, that state, type)
  if (/^jax(lib)?\.[\w.]*\b_?reconstruct_(device_)?array$/.test(newest)) {
    const state = itemsOf(itemsOf(value.args)?.[2]) ?? [];
    return array(state[1], state[2], state[4]);
  }
  return null;
}

function array(
  shape: PickleValue | undefined,
  dtype: PickleValue | undefined,
  held: PickleValue | undefined,
): TorchTensor | null {
  const type = readDtype(dtype);
  const size = itemsOf(shape) ?? [];
  if (type === null || shape === undefined || size.length > maxRank) return null;
  if (!size.every((dim): dim is number => typeof dim === "number" && Number.isSafeInteger(dim) && dim >= 0))
    return null;
  const elements = productOfDims(size);
  if (elements === null || elements > maxModelElements) return null;
  // A shape is a claim until the bytes are there.
  const [least, most] = lengthOf(held);
  const bytes = elements * type.bytes;
  if (bytes < least || bytes > most)
    throw new TensorFault(
      `its shape and type take ${counted(bytes, "byte")}, and it holds ${Math.min(least, most)}`,
    );
  return withoutStorage(type, size);
}

/** Bytes that hold the elements, at least and at most: exact but for a long text, of which only its UTF-8 was counted. */
function lengthOf(held: PickleValue | undefined): readonly [number, number] {
  if (!isRecord(held)) return typeof held === "string" ? [held.length, held.length] : [1, 0];
  if (held.kind === "bytes" || held.kind === "bytearray") return [held.length, held.length];
  if (held.kind === "long-text") return [Math.ceil(held.length / 2), held.length];
  // Protocols 0 to 2 have no bytes: `_codecs.encode(text, 'latin1')`, `bytes()` for none.
  const name = held.kind === "object" ? globalName(held.callable) : null;
  if (held.kind !== "object" || name === null) return [1, 0];
  if (name === "_codecs.encode") return lengthOf(itemsOf(held.args)?.[0]);
  return /^(__builtin__|builtins)\.bytes$/.test(name) ? [0, 0] : [1, 0];
}

/** `numpy.dtype('f4', False, True)`. */
function readDtype(value: PickleValue | undefined): TorchType | null {
  if (!isRecord(value) || value.kind !== "object" || globalName(value.callable) !== "numpy.dtype")
    return null;
  const code = itemsOf(value.args)?.[0];
  // Types that NumPy does not have itself are named.
  const [, named] = /^ml_dtypes\.(\w+)$/.exec(globalName(code) ?? "") ?? [];
  if (named !== undefined) {
    const type = dtypeOf(`torch.${named}`);
    if (type === null) throw new TensorFault(`its type ml_dtypes.${named} is not known`);
    return type;
  }
  // bfloat16 apart, what has no type of its own is a record.
  if (typeof code === "string" && /^V\d+$/.test(code) && numpyTypeOf(code) === null)
    throw new TensorFault(`its elements are records (${code}), which are not counted`);
  if (typeof code !== "string") return null;
  const type = numpyTypeOf(code);
  // Texts, dates and objects are no numbers; `f16` is one, of a length that machines differ in.
  if (type === null && /^[<>|=]?[biufc]\d+$/.test(code))
    throw new TensorFault(`its type ${code} is not known`);
  return type;
}
