/**
 * What a reader wants of a message of the protobuf wire format: a rule for each field it knows, by number. Fields without
 * a rule are skipped, as the format asks for.
 */

/** Where a message is, for what is said about it; right while it is being finished. */
export interface MessagePlace {
  /** `graph.initializer[3]`; worked out only when asked for. */
  path(): string;
}

/** Bytes of a length-delimited field, which stay where they are unless they were wanted. */
export interface Payload {
  /** In the source. */
  readonly offset: number;
  readonly length: number;
  /** A view, for use at once; `null` when not wanted. */
  readonly bytes: Uint8Array | null;
}

/**
 * A message type: `start` makes what the rules fill, `finish` makes the value of it once the message has ended. A message
 * that is written in two pieces is finished after each, and the value of the last one counts.
 */
export interface MessageShape<State, Value> {
  readonly fields: Readonly<Record<number, FieldRule<State>>>;
  start(): State;
  finish(state: State, place: MessagePlace): Value;
}

export interface NumberRule<State> {
  readonly kind: "int" | "uint" | "float" | "double";
  readonly name: string;
  readonly repeated: boolean;
  /** `length` is that of the number as written, in bytes. */
  set(state: State, value: number, length: number): void;
  /** Whether a packed run of `length` bytes is read; without this it is. */
  wants?(state: State, length: number): boolean;
  /** Told of a packed run that is not read. */
  skipped?(state: State, payload: Payload): void;
}

export interface TextRule<State> {
  readonly kind: "text";
  readonly name: string;
  /**
   * Bytes that are read of a text; a longer one comes cut, or is refused when it is `exact` (a name that other places
   * refer to is worth nothing in part).
   */
  limit(state: State): number;
  readonly exact: boolean;
  /** `length` is that of the whole text, in bytes; `valid` is false when it was not UTF-8, see `decodeText`. */
  set(state: State, value: string, length: number, valid: boolean): void;
}

export interface PayloadRule<State> {
  readonly kind: "payload";
  readonly name: string;
  wants(state: State, length: number): boolean;
  set(state: State, payload: Payload): void;
}

export interface MessageRule<State> {
  readonly kind: "message";
  readonly name: string;
  readonly repeated: boolean;
  /** A function, because message types contain one another. */
  shape(): MessageShape<unknown, unknown>;
  set(state: State, value: unknown): void;
}

export type FieldRule<State> = NumberRule<State> | TextRule<State> | PayloadRule<State> | MessageRule<State>;

type SetNumber<State> = (state: State, value: number, length: number) => void;

function numberRule<State>(
  kind: NumberRule<State>["kind"],
  name: string,
  repeated: boolean,
  set: SetNumber<State>,
  bulk: Pick<NumberRule<State>, "wants" | "skipped"> = {},
): NumberRule<State> {
  return { kind, name, repeated, set, ...bulk };
}

/**
 * A varint taken as a signed number of 64 bits: an integer, an enumeration or a boolean. Past 2^53 it is
 * `Number.MAX_SAFE_INTEGER`, or `MIN`: "that or beyond".
 */
export function int<State>(name: string, set: SetNumber<State>): NumberRule<State> {
  return numberRule("int", name, false, set);
}

export function float<State>(name: string, set: SetNumber<State>): NumberRule<State> {
  return numberRule("float", name, false, set);
}

/** Numbers that are written one field each or packed into one; both come to `set` one by one. */
export function numbers<State>(
  kind: NumberRule<State>["kind"],
  name: string,
  set: SetNumber<State>,
  bulk?: Pick<NumberRule<State>, "wants" | "skipped">,
): NumberRule<State> {
  return numberRule(kind, name, true, set, bulk);
}

/** A text that is needed whole: at most `limit` bytes. */
export function name<State>(
  field: string,
  limit: number,
  set: (state: State, value: string, valid: boolean) => void,
): TextRule<State> {
  return {
    kind: "text",
    name: field,
    exact: true,
    limit: () => limit,
    set: (state, value, _, valid) => set(state, value, valid),
  };
}

/** A text of which the first bytes are enough. */
export function text<State>(
  field: string,
  limit: (state: State) => number,
  set: TextRule<State>["set"],
): TextRule<State> {
  return { kind: "text", name: field, exact: false, limit, set };
}

/** Bytes that are read only when `wants` says so. */
export function payload<State>(
  field: string,
  wants: (state: State, length: number) => boolean,
  set: (state: State, payload: Payload) => void,
): PayloadRule<State> {
  return { kind: "payload", name: field, wants, set };
}

/** A message inside, of which there is at most one. */
export function message<State, Inner, Value>(
  field: string,
  shape: () => MessageShape<Inner, Value>,
  set: (state: State, value: Value) => void,
): MessageRule<State> {
  return messageRule(field, false, shape, set);
}

export function messages<State, Inner, Value>(
  field: string,
  shape: () => MessageShape<Inner, Value>,
  set: (state: State, value: Value) => void,
): MessageRule<State> {
  return messageRule(field, true, shape, set);
}

/** The walker hands each shape its own states and each rule the values of its own shape, so the types may be let go. */
function messageRule<State, Inner, Value>(
  field: string,
  repeated: boolean,
  shape: () => MessageShape<Inner, Value>,
  set: (state: State, value: Value) => void,
): MessageRule<State> {
  return {
    kind: "message",
    name: field,
    repeated,
    shape: shape as unknown as () => MessageShape<unknown, unknown>,
    set: set as (state: State, value: unknown) => void,
  };
}
