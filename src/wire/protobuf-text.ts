/** Texts out of a stretch of a file that is in memory. */

export interface Window {
  readonly bytes: Uint8Array;
  /** Blocks of the bytes as characters, of which the ASCII ones are right; each made with the first text in it. */
  readonly blocks: (string | undefined)[];
  /** Texts that were met lately, by a hash of their bytes: the same one again is the same string. */
  readonly known: (string | undefined)[];
}

/** A power of two. Every name of a graph comes at least twice, mostly within some hundred others. */
const knownTexts = 4096;
const longestKnown = 64;

/**
 * Bytes that are decoded at a time. The texts in them keep the block in memory, so whole windows would keep nearly the whole
 * file: between its names stand the weights.
 */
const blockSize = 512;

/** The window after `last`. */
export function windowOn(bytes: Uint8Array, last?: Window): Window {
  return { bytes, blocks: [], known: last?.known ?? new Array(knownTexts) };
}

/** Where to stop so that a cut does not go through a character of several bytes. */
export function wholeCharacters(bytes: Uint8Array, from: number, taken: number, length: number): number {
  let end = from + taken;
  if (taken === length) return end;
  const lowest = Math.max(from, end - 3);
  while (end > lowest && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return end;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const latin1 = new TextDecoder("latin1");

/**
 * UTF-8; bytes that are none become one character each (Latin-1), so that two names that differ stay two names. Nearly all
 * are short and ASCII: those are cut out of a block that is decoded once, which costs a third of decoding each for itself.
 */
export function decodeText(window: Window, from: number, end: number): { text: string; valid: boolean } {
  const { bytes } = window;
  let at = from;
  let hash = end - from;
  for (; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte > 0x7f) break;
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  if (at === end) return { text: ascii(window, from, end, hash & (knownTexts - 1)), valid: true };
  const view = bytes.subarray(from, end);
  try {
    return { text: utf8.decode(view), valid: true };
  } catch {
    return { text: Array.from(view, (byte) => String.fromCharCode(byte)).join(""), valid: false };
  }
}

function textAt({ bytes, blocks }: Window, from: number, end: number): string {
  const block = Math.floor(from / blockSize);
  const start = block * blockSize;
  if (end > start + blockSize) return latin1.decode(bytes.subarray(from, end));
  let characters = blocks[block];
  if (characters === undefined) {
    characters = latin1.decode(bytes.subarray(start, start + blockSize));
    blocks[block] = characters;
  }
  return characters.slice(from - start, end - start);
}

function ascii(window: Window, from: number, end: number, slot: number): string {
  const { bytes, known } = window;
  const candidate = known[slot];
  if (candidate !== undefined && candidate.length === end - from) {
    let at = from;
    while (at < end && candidate.charCodeAt(at - from) === bytes[at]) at += 1;
    if (at === end) return candidate;
  }
  const text = textAt(window, from, end);
  if (end - from <= longestKnown) known[slot] = text;
  return text;
}
