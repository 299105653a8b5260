import type { Host } from "./host.ts";

/** Widths beyond this are a mistake in COLUMNS, not a screen. */
const maxColumns = 100_000;

/**
 * The width that Python's `shutil.get_terminal_size()` gives, which Keras asks: COLUMNS if it is a positive whole
 * number, else the terminal's, else 80.
 */
export function consoleWidth(host: Host): number {
  const wanted = host.env.COLUMNS ?? "";
  // What Python's int() takes: blanks around, a sign, underscores between digits.
  const columns = /^\s*\+?\d+(_\d+)*\s*$/.test(wanted) ? Number(wanted.replaceAll("_", "")) : 0;
  if (columns > 0) return Math.min(columns, maxColumns);
  return host.stdout.columns || 80;
}

/** Whether to colour standard output: the option first, then NO_COLOR, FORCE_COLOR, TERM, and whether it is a terminal. */
export function wantsColor(host: Host, option: boolean | undefined): boolean {
  if (option !== undefined) return option;
  if (host.env.NO_COLOR) return false;
  const force = host.env.FORCE_COLOR;
  if (force !== undefined && force !== "") return force !== "0" && force !== "false";
  return host.stdout.isTTY && host.env.TERM !== "dumb";
}
