/** What each opcode does, as Python's own `pickletools` describes it, except that nothing is imported or called. */

import { maxPickleIntegerBytes, maxPickleStringBytes } from "../limits/pickle.ts";
import type { PickleMachine } from "./pickle-machine.ts";
import {
  asciiOf,
  decodeLong,
  decodeOldText,
  decodeQuoted,
  decodeRawUnicode,
  decodeText,
  parseFloat64,
  parseInteger,
} from "./pickle-text.ts";
import type { PickleList, PickleValue } from "./pickle-value.ts";

/** True when the pickle ends with it. Arguments are read before the machine is changed. */
type Opcode = (machine: PickleMachine) => boolean | undefined;

const newestProtocol = 5;

function take<T>(m: PickleMachine, value: T | null, what: string): T {
  if (value === null) throw m.reader.fault(what);
  return value;
}

function text(m: PickleMachine, length: number, decode: (bytes: Uint8Array) => string | null): undefined {
  if (length > maxPickleStringBytes) {
    const at = m.reader.at;
    m.reader.skip(length);
    m.add({ kind: "long-text", at, length });
    return;
  }
  m.push(take(m, decode(m.reader.bytes(length)), "a text that is not UTF-8"));
}

function bytes(m: PickleMachine, kind: "bytes" | "bytearray", length: number): undefined {
  const at = m.reader.at;
  if (length > maxPickleStringBytes) {
    m.reader.skip(length);
    m.add({ kind, at, length });
    return;
  }
  // A copy: a view would keep a whole window in memory.
  m.add({ kind, at, length, bytes: m.reader.bytes(length).slice() });
}

function long(m: PickleMachine, length: number): undefined {
  if (length < 0) throw m.reader.fault(`a number of ${length} bytes`);
  if (length > maxPickleIntegerBytes)
    throw m.reader.limit("maxPickleIntegerBytes", length, maxPickleIntegerBytes, "bytes in a number");
  m.push(decodeLong(m.reader.bytes(length)));
}

/** A number in digits, and the two ways protocol 1 has for true and false. */
function integer(m: PickleMachine, digits: string): undefined {
  // Three digits a byte, nearly.
  if (digits.length > 3 * maxPickleIntegerBytes)
    throw m.reader.limit(
      "maxPickleIntegerBytes",
      digits.length / 3,
      maxPickleIntegerBytes,
      "bytes in a number",
    );
  m.push(take(m, parseInteger(digits), "a whole number that is none"));
}

function decimal(m: PickleMachine): undefined {
  const line = asciiOf(m.reader.line());
  if (line === "00" || line === "01") m.push(line === "01");
  else integer(m, line);
}

function sized(m: PickleMachine, length: number, what: string): number {
  if (length < 0) throw m.reader.fault(`${what} of ${length} bytes`);
  return length;
}

function tuple(m: PickleMachine, count: number): undefined {
  const items: PickleValue[] = [];
  for (let i = 0; i < count; i++) items.unshift(m.pop());
  m.add({ kind: "tuple", items });
}

function list(m: PickleMachine, kind: PickleList["kind"], items: PickleValue[] = []): undefined {
  m.add({ kind, items });
}

function lineName(m: PickleMachine): [module: string, name: string] {
  const module = take(m, decodeText(m.reader.line()), "a module that is not UTF-8");
  const name = take(m, decodeText(m.reader.line()), "a name that is not UTF-8");
  return [module, name];
}

function setItem(m: PickleMachine): undefined {
  const value = m.pop();
  m.assign([m.pop()], [value]);
}

function setItems(m: PickleMachine): undefined {
  const { keys, values } = m.popPairs();
  m.assign(keys, values);
}

function stackGlobal(m: PickleMachine): undefined {
  const name = m.pop();
  const module = m.pop();
  if (typeof name !== "string" || typeof module !== "string")
    throw m.reader.fault("a name to import that is no text");
  m.addGlobal(module, name);
}

function instance(m: PickleMachine): undefined {
  const [module, name] = lineName(m);
  m.addObject(m.names.ask(module, name), { kind: "tuple", items: m.popToMark() });
}

function object(m: PickleMachine): undefined {
  const [callable, ...args] = m.popToMark();
  if (callable === undefined) throw m.reader.fault("an object without a class");
  m.addObject(callable, { kind: "tuple", items: args });
}

function call(m: PickleMachine): undefined {
  const args = m.pop();
  m.addObject(m.pop(), args);
}

function reduce(m: PickleMachine): undefined {
  const args = m.pop();
  const callable = m.pop();
  const inner = m.names.inside(callable, args);
  if (inner === null) m.addObject(callable, args);
  else m.push(inner);
}

function callWithNames(m: PickleMachine): undefined {
  const kwargs = m.pop();
  const args = m.pop();
  m.addObject(m.pop(), args, kwargs);
}

function protocol(m: PickleMachine): undefined {
  const version = m.reader.byte();
  if (version > newestProtocol)
    throw m.reader.fault(`protocol ${version}; the newest there is is ${newestProtocol}`);
  m.protocol = Math.max(m.protocol, version);
}

function memoIndex(m: PickleMachine): number {
  const index = parseInteger(asciiOf(m.reader.line()));
  if (typeof index !== "number" || index < 0) throw m.reader.fault("a memo that is no number");
  return index;
}

const byCode: Readonly<Record<string, Opcode>> = {
  "(": (m) => void m.mark(),
  ".": (m) => {
    m.result = m.pop();
    return true;
  },
  "0": (m) => void m.drop(),
  "1": (m) => void m.popToMark(),
  "2": (m) => void m.push(m.top()),
  F: (m) => void m.push(take(m, parseFloat64(asciiOf(m.reader.line())), "a number that is none")),
  I: decimal,
  J: (m) => void m.push(m.reader.int32()),
  K: (m) => void m.push(m.reader.byte()),
  L: (m) => integer(m, asciiOf(m.reader.line()).replace(/L$/, "")),
  M: (m) => void m.push(m.reader.uint16()),
  N: (m) => void m.push(null),
  P: (m) => void m.add({ kind: "persistent", id: decodeOldText(m.reader.line()) }),
  Q: (m) => void m.add({ kind: "persistent", id: m.pop() }),
  R: reduce,
  S: (m) => void m.push(take(m, decodeQuoted(m.reader.line()), "a string without its quotes")),
  T: (m) => text(m, sized(m, m.reader.int32(), "a string"), decodeOldText),
  U: (m) => text(m, m.reader.byte(), decodeOldText),
  V: (m) => void m.push(take(m, decodeRawUnicode(m.reader.line()), "a character that is none")),
  X: (m) => text(m, m.reader.uint32(), decodeText),
  a: (m) => void m.append([m.pop()]),
  b: (m) => void m.build(m.pop()),
  c: (m) => void m.addGlobal(...lineName(m)),
  d: (m) => void m.add({ kind: "dict", ...m.popPairs() }),
  "}": (m) => void m.add({ kind: "dict", keys: [], values: [] }),
  e: (m) => void m.append(m.popToMark()),
  g: (m) => void m.recall(memoIndex(m)),
  h: (m) => void m.recall(m.reader.byte()),
  i: instance,
  j: (m) => void m.recall(m.reader.uint32()),
  l: (m) => list(m, "list", m.popToMark()),
  "]": (m) => list(m, "list"),
  o: object,
  p: (m) => void m.remember(memoIndex(m)),
  q: (m) => void m.remember(m.reader.byte()),
  r: (m) => void m.remember(m.reader.uint32()),
  s: setItem,
  t: (m) => list(m, "tuple", m.popToMark()),
  ")": (m) => list(m, "tuple"),
  u: setItems,
  G: (m) => void m.push(m.reader.float64()),
  "\x80": protocol,
  "\x81": call,
  "\x82": (m) => void m.addExtension(m.reader.byte()),
  "\x83": (m) => void m.addExtension(m.reader.uint16()),
  "\x84": (m) => void m.addExtension(m.reader.int32()),
  "\x85": (m) => tuple(m, 1),
  "\x86": (m) => tuple(m, 2),
  "\x87": (m) => tuple(m, 3),
  "\x88": (m) => void m.push(true),
  "\x89": (m) => void m.push(false),
  "\x8a": (m) => long(m, m.reader.byte()),
  "\x8b": (m) => long(m, m.reader.int32()),
  B: (m) => bytes(m, "bytes", m.reader.uint32()),
  C: (m) => bytes(m, "bytes", m.reader.byte()),
  "\x8c": (m) => text(m, m.reader.byte(), decodeText),
  "\x8d": (m) => text(m, m.reader.uint64(), decodeText),
  "\x8e": (m) => bytes(m, "bytes", m.reader.uint64()),
  "\x8f": (m) => list(m, "set"),
  "\x90": (m) => void m.append(m.popToMark()),
  "\x91": (m) => list(m, "frozenset", m.popToMark()),
  "\x92": callWithNames,
  "\x93": stackGlobal,
  "\x94": (m) => void m.rememberNext(),
  // Frames say how much to read ahead; the window does that already.
  "\x95": (m) => void m.reader.uint64(),
  "\x96": (m) => bytes(m, "bytearray", m.reader.uint64()),
  "\x97": (m) => void m.add({ kind: "buffer" }),
  "\x98": (m) => void m.top(),
};

/** By the byte. */
export const opcodes: readonly (Opcode | undefined)[] = Array.from(
  { length: 256 },
  (_, code) => byCode[String.fromCharCode(code)],
);
