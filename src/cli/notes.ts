import { escapeText, type ReportDiagnostic } from "../public/index.ts";

export type Note = Pick<ReportDiagnostic, "severity" | "at" | "message">;

/** More would push the table itself off the screen. */
const maxNotes = 10;

const ranks: Readonly<Record<Note["severity"], number>> = { error: 0, warning: 1, info: 2 };

/**
 * One line a diagnostic, the serious ones first: `warning: conv1: ...`. `file` names the file in front where there are
 * several. Names in them come from the file, so they are escaped.
 */
export function formatNotes(diagnostics: readonly Note[], file?: string): string {
  const prefix = file === undefined ? "" : `${file}: `;
  const lines = diagnostics
    .toSorted((a, b) => ranks[a.severity] - ranks[b.severity])
    .slice(0, maxNotes)
    .map(({ severity, at, message }) => `${severity}: ${at === "" ? "" : `${at}: `}${message}`);
  const left = diagnostics.length - lines.length;
  if (left > 0) lines.push(`and ${left} more (see --json)`);
  return lines.map((line) => `${escapeText(prefix + line)}\n`).join("");
}
