/** Caps on one pickle, whatever it describes. */

const MiB = 1024 * 1024;

/**
 * Bytes of one pickle that are read. `data.pkl` is metadata, 100 to 200 bytes a tensor: 10 000 tensors take 2 MB; training
 * logs and tokenizers kept beside them reach some 10 MB. Long strings inside are passed over and do not count.
 */
export const maxPickleBytes: number = 256 * MiB;

/** Steps of one pickle. A checkpoint of 10 000 tensors with its optimizer takes a million; 20 million take a second or two. */
export const maxPickleOpcodes = 20_000_000;

/** Containers, calls and records that one pickle builds, about 100 bytes each: 10 000 tensors with their optimizer make 200 000. */
export const maxPickleObjects = 4_000_000;

/** Values on the stack. It grows with the longest tuple, and with nesting: picklers hand over lists in batches of 1000. */
export const maxPickleStack = 2_000_000;

/** Marks that are open at once: one a level of nesting. Python itself pickles some 1000 levels deep at most. */
export const maxPickleMarks = 100_000;

/** A longer string or byte string is not kept: where it is and how long is all that is known of it. Names have some hundred. */
export const maxPickleStringBytes: number = 1 * MiB;

/** Text lines that end an argument (protocol 0), where the end has to be looked for. */
export const maxPickleLineBytes: number = 1 * MiB;

/** Names to import that are listed. A pickled network of many classes has some hundred; nobody reads more. */
export const maxPickleGlobals = 1000;

/**
 * Characters of a module or a name to import: real ones have up to some hundred. Opcodes can ask for the same two texts millions
 * of times, and each time costs what they are long.
 */
export const maxPickleNameLength = 1024;

/** Different names to import, some kilobytes each at most: a pickled network has some hundred. */
export const maxPickleNames = 100_000;

/** Bytes of one whole number. Random states have 2500 bytes in some 600 numbers; turning digits to bits is not linear. */
export const maxPickleIntegerBytes = 4096;
