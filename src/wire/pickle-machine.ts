/** The state of one pickle while it is read: stack, marks and memo, each with its cap. */

import { maxPickleMarks, maxPickleObjects, maxPickleOpcodes, maxPickleStack } from "../limits/pickle.ts";
import { PickleNames } from "./pickle-names.ts";
import type { PickleReader } from "./pickle-reader.ts";
import { isRecord, type PickleRecord, type PickleValue } from "./pickle-value.ts";

/** What most objects have of states and items; most objects being tensors, four lists of their own are half of the memory. */
const none: readonly PickleValue[] = [];

export class PickleMachine {
  readonly reader: PickleReader;
  readonly names: PickleNames;
  /** Numbers are handed out in order; what is out of order is kept apart. */
  readonly #memo: PickleValue[] = [];
  readonly #sparse = new Map<number, PickleValue>();
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
    this.names = new PickleNames(reader);
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
    if (typeof value === "object") this.names.place(value);
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
    const value = this.top();
    if (index > this.#memo.length) {
      this.#sparse.set(index, value);
      return;
    }
    this.#memo[index] = value;
    if (this.#sparse.size > 0) this.#sparse.delete(index);
  }

  rememberNext(): void {
    this.remember(this.#memo.length + this.#sparse.size);
  }

  recall(index: number): void {
    const value = index < this.#memo.length ? this.#memo[index] : this.#sparse.get(index);
    if (value === undefined) throw this.reader.fault(`memo ${index} was never set`);
    this.push(value);
  }

  /** Pushes the record of a name, and counts it. */
  addGlobal(module: string, name: string): void {
    this.push(this.names.ask(module, name));
  }

  addExtension(code: number): void {
    this.names.askExtension(code);
    this.add({ kind: "extension", code });
  }

  addObject(callable: PickleValue, args: PickleValue, kwargs?: PickleValue): void {
    this.names.call(callable);
    this.add({
      kind: "object",
      callable,
      args,
      ...(kwargs !== undefined && { kwargs }),
      states: none,
      items: none,
      keys: none,
      values: none,
    });
  }

  /** Adds items to the top: a list, a set or an object. */
  append(items: readonly PickleValue[]): void {
    const target = this.top();
    if (isRecord(target) && (target.kind === "list" || target.kind === "set")) extend(target.items, items);
    else if (isRecord(target) && target.kind === "object") target.items = extended(target.items, items);
    else throw this.reader.fault("items are added to something that is no list or set");
  }

  /** Sets keys in the top: a dictionary or an object. */
  assign(keys: readonly PickleValue[], values: readonly PickleValue[]): void {
    const target = this.top();
    if (isRecord(target) && target.kind === "dict") {
      extend(target.keys, keys);
      extend(target.values, values);
    } else if (isRecord(target) && target.kind === "object") {
      target.keys = extended(target.keys, keys);
      target.values = extended(target.values, values);
    } else throw this.reader.fault("keys are set in something that is no dictionary");
  }

  /** Hands a state to the top, an object. */
  build(state: PickleValue): void {
    const target = this.top();
    if (!isRecord(target) || target.kind !== "object")
      throw this.reader.fault("a state is handed to something that is no object");
    target.states = extended(target.states, [state]);
  }
}

/** One by one: as arguments of a call, a hundred thousand would overflow the stack. */
function extend(list: PickleValue[], items: readonly PickleValue[]): void {
  for (const item of items) list.push(item);
}

/** The list itself with more items, or a new one where there was none yet. */
function extended(list: readonly PickleValue[], items: readonly PickleValue[]): readonly PickleValue[] {
  const own = list === none ? [] : (list as PickleValue[]);
  extend(own, items);
  return own;
}
