import { withinStringLength } from "../errors.ts";
import type { Report } from "../report/report.ts";

/** What JSON allows raw, but a terminal or a reader should not get raw: C1 controls and bidirectional overrides. */
const unsafe = /(?!\n)[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** What is not plain ASCII: quicker to see than that nothing is unsafe, which takes as long as writing the JSON. */
const unusual = /[^\n -~]/;

/** The report as JSON text: two blanks of indent and a line end; keys stand in the order in which the report is built. */
export function formatJson(report: Report): string {
  const write = (): string => JSON.stringify(report, null, 2);
  return withinStringLength(report.file.name, () => `${escapeUnsafe(write())}\n`);
}

function escapeUnsafe(text: string): string {
  if (!unusual.test(text)) return text;
  return text.replace(unsafe, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
