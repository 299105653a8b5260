/**
 * A pickle machine that builds plain data (pickle-value.ts), for every protocol there is. Where Python would import a name it
 * keeps the name, and where Python would call something it keeps what and with what: there is no code here that could
 * resolve or call anything, so there is nothing to allow or to forbid.
 */

import { LimitExceededError, MalformedFileError } from "../errors.ts";
import type { ByteSource } from "../io/byte-source.ts";
import { memorySource } from "../io/memory.ts";
import { PickleMachine } from "./pickle-machine.ts";
import { opcodes } from "./pickle-opcodes.ts";
import { PickleReader } from "./pickle-reader.ts";
import type { PickleImport, PickleValue } from "./pickle-value.ts";

export interface Pickle {
  readonly value: PickleValue;
  /** The byte after it: several pickles may follow one another. */
  readonly end: number;
  /** The highest protocol it names; 0 when it names none, as protocols 0 and 1 do. */
  readonly protocol: number;
  /** Every name that Python would import, in the order of the file. */
  readonly imports: readonly PickleImport[];
}

export interface PickleOptions {
  /** Byte at which the pickle starts. Default 0. */
  readonly at?: number;
  /** What messages call it. Default: the name of the source. */
  readonly label?: string;
  /** Called with the names that were asked for up to where reading failed. */
  readonly onFault?: (imports: readonly PickleImport[]) => void;
}

/**
 * Reads one pickle. Costs as many bytes as it is long, strings above a cap excepted, and a window after it.
 * @throws MalformedFileError with the byte where it stops being a pickle, LimitExceededError
 */
export async function readPickle(source: ByteSource, options: PickleOptions = {}): Promise<Pickle> {
  const reader = new PickleReader(source, options.at ?? 0, options.label ?? source.name);
  const machine = new PickleMachine(reader);
  try {
    await reader.run(() => step(machine));
  } catch (error) {
    options.onFault?.(machine.names.imports);
    throw error;
  }
  return {
    value: machine.result,
    end: reader.at,
    protocol: machine.protocol,
    imports: machine.names.imports,
  };
}

/**
 * Whether `head`, the first of `size` bytes, starts a pickle of protocol 0 or 1, which say nothing of themselves: every step has
 * to be one, up to the end where all bytes are here.
 */
export async function startsPickle(head: Uint8Array, size: number): Promise<boolean> {
  const reader = new PickleReader(memorySource(head), 0, "");
  const machine = new PickleMachine(reader);
  let steps = 0;
  try {
    await reader.run(() => {
      const last = step(machine);
      steps += 1;
      return last;
    });
    return reader.at === size;
  } catch (error) {
    if (!(error instanceof MalformedFileError || error instanceof LimitExceededError)) throw error;
    return reader.ended && head.length < size && steps >= fewestSteps;
  }
}

/** A dictionary, its memo and its first key, or a name, its memo and its arguments. */
const fewestSteps = 3;

function step(machine: PickleMachine): boolean {
  const { reader } = machine;
  const code = reader.byte();
  const opcode = opcodes[code];
  if (opcode === undefined) throw reader.fault(`0x${code.toString(16).padStart(2, "0")} is no opcode`);
  machine.countStep();
  return opcode(machine) === true;
}
