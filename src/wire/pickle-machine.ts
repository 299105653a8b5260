/** The state of one pickle while it is read: stack, marks and memo, each with its cap. */

import { maxPickleMarks, maxPickleObjects, maxPickleOpcodes, maxPickleStack } from "../limits.ts";
import type { PickleReader } from "./pickle-reader.ts";
import type {
  PickleDict,
  PickleGlobal,
  PickleList,
  PickleObject,
  PickleRecord,
  PickleValue,
} from "./pickle-value.ts";

export class PickleMachine {
  readonly reader: PickleReader;
  readonly imports: Map<string, { name: string; count: number; readonly at: number }> = new Map();
  readonly #memo = new Map<number, PickleValue>();
  readonly #globals = new Map<string, PickleGlobal>();
  readonly #stack: PickleValue[] = [];
  readonly #marks: number[] = [];
  /** Where the stack starts since the last mark. */
  #floor = 0;
  #steps = 0;
  #objects = 0;
  protocol = 0;
  result: PickleValue = null;

  constructor(reader: PickleReader) {
    this.reader = reader;
  }

  /** Counts one step. */
  countStep(): void {
    this.#steps += 1;
    if (this.#steps > maxPickleOpcodes)
      throw this.reader.limit("maxPickleOpcodes", this.#steps, maxPickleOpcodes, "steps");
  }

  push(value: PickleValue): void {
    if (this.#stack.length >= maxPickleStack) {
      throw this.reader.limit(
        "maxPickleStack",
        this.#stack.length + 1,
        maxPickleStack,
        "values on its stack",
      );
    }
    this.#stack.push(value);
  }

  /** Pushes a record that was made just now. */
  add(record: PickleRecord): void {
    this.#objects += 1;
    if (this.#objects > maxPickleObjects) {
      throw this.reader.limit("maxPickleObjects", this.#objects, maxPickleObjects, "objects");
    }
    this.push(record);
  }

  pop(): PickleValue {
    if (this.#stack.length <= this.#floor) throw this.reader.fault("nothing is left on the stack");
    return this.#stack.pop() as PickleValue;
  }

  top(): PickleValue {
    if (this.#stack.length <= this.#floor) throw this.reader.fault("nothing is left on the stack");
    return this.#stack[this.#stack.length - 1] as PickleValue;
  }

  /** Drops the top, or the mark that lies there. */
  drop(): void {
    if (this.#stack.length > this.#floor) this.#stack.pop();
    else this.popToMark();
  }

  mark(): void {
    if (this.#marks.length >= maxPickleMarks) {
      throw this.reader.limit("maxPickleMarks", this.#marks.length + 1, maxPickleMarks, "open marks");
    }
    this.#marks.push(this.#floor);
    this.#floor = this.#stack.length;
  }

  /** Everything above the last mark; the mark goes. */
  popToMark(): PickleValue[] {
    const before = this.#marks.pop();
    if (before === undefined) throw this.reader.fault("there is no mark");
    const items = this.#stack.splice(this.#floor);
    this.#floor = before;
    return items;
  }

  /** Keys and values above the last mark. */
  popPairs(): { readonly keys: PickleValue[]; readonly values: PickleValue[] } {
    const items = this.popToMark();
    if (items.length % 2 !== 0) throw this.reader.fault("a key without a value");
    const keys: PickleValue[] = [];
    const values: PickleValue[] = [];
    for (let i = 0; i < items.length; i += 2) {
      keys.push(items[i] as PickleValue);
      values.push(items[i + 1] as PickleValue);
    }
    return { keys, values };
  }

  remember(index: number): void {
    this.#memo.set(index, this.top());
  }

  rememberNext(): void {
    this.#memo.set(this.#memo.size, this.top());
  }

  recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.reader.fault(`memo ${index} was never set`);
    this.push(value);
  }

  /** Pushes the record of a name, and counts it. */
  addGlobal(module: string, name: string): void {
    this.push(this.nameGlobal(module, name));
  }

  nameGlobal(module: string, name: string): PickleGlobal {
    this.#countImport(`${module}.${name}`);
    const key = `${module}\n${name}`;
    const known = this.#globals.get(key);
    if (known) return known;
    const global: PickleGlobal = { kind: "global", module, name };
    this.#globals.set(key, global);
    return global;
  }

  addExtension(code: number): void {
    this.#countImport(`extension ${code}`);
    this.add({ kind: "extension", code });
  }

  #countImport(name: string): void {
    const seen = this.imports.get(name);
    if (seen) seen.count += 1;
    else this.imports.set(name, { name, count: 1, at: this.reader.start });
  }

  addObject(callable: PickleValue, args: PickleValue, kwargs?: PickleValue): void {
    this.add({
      kind: "object",
      callable,
      args,
      ...(kwargs !== undefined && { kwargs }),
      states: [],
      items: [],
      keys: [],
      values: [],
    });
  }

  /** The top, which must take items: a list, a set or an object. */
  listAtTop(): PickleList | PickleObject {
    const target = this.top();
    if (typeof target === "object" && target !== null) {
      if (target.kind === "list" || target.kind === "set" || target.kind === "object") return target;
    }
    throw this.reader.fault("items are added to something that is no list or set");
  }

  /** The top, which must take keys and values: a dictionary or an object. */
  dictAtTop(): PickleDict | PickleObject {
    const target = this.top();
    if (typeof target === "object" && target !== null) {
      if (target.kind === "dict" || target.kind === "object") return target;
    }
    throw this.reader.fault("keys are set in something that is no dictionary");
  }
}
