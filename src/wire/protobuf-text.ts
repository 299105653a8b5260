/** Texts out of a stretch of a file that is in memory. */

export interface Window {
  readonly bytes: Uint8Array;
  /** The bytes as characters, of which the ASCII ones are right; made with the first text. */
  characters: string | null;
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
 * are short and ASCII: those are cut out of the window, decoded once, which costs a tenth of decoding each for itself.
 */
export function decodeText(window: Window, from: number, end: number): { text: string; valid: boolean } {
  const { bytes } = window;
  let at = from;
  while (at < end && (bytes[at] as number) < 0x80) at += 1;
  if (at === end) {
    window.characters ??= latin1.decode(bytes);
    return { text: window.characters.slice(from, end), valid: true };
  }
  const view = bytes.subarray(from, end);
  try {
    return { text: utf8.decode(view), valid: true };
  } catch {
    return { text: Array.from(view, (byte) => String.fromCharCode(byte)).join(""), valid: false };
  }
}
