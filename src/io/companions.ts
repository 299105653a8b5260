/**
 * Names of sibling files come from inside a model file, so they are hostile until checked: only a plain file name
 * may pass. The check is the same on every host: a name that is a path on Windows is refused on Linux too.
 */

/** Why `name` may not be opened as a sibling file, or `null` when it may. */
export function refuseCompanionName(name: string): string | null {
  if (name === "") return "the name is empty";
  if (name.length > 255) return "the name is longer than 255 characters";
  if (name === "." || name === "..") return "it is a folder";
  if (/[/\\]/.test(name)) return "it has a folder in it; only files beside the model are opened";
  if (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(name)) return "it is a URL or a drive";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(name)) return "it has control characters";
  if (/[. ]$/.test(name)) return "it ends in a dot or a space";
  if (/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(name)) return "it is a device name on Windows";
  return null;
}
