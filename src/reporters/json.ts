import type { Report } from "../report/report.ts";

/** What JSON allows raw, but a terminal or a reader should not get raw: C1 controls and bidirectional overrides. */
const unsafe = /(?!\n)[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** Keys in the order in which they are written, whatever object holds them; all others follow by name. */
const order = [
  ...["file", "producer", "model", "layers", "totals", "ledger", "optimizer", "diagnostics"],
  ...["name", "type", "kind", "format", "variant", "framework", "version", "operator", "scope", "topology"],
  ...["linear", "built", "size", "role", "shape", "dtype", "class", "outputShapes", "params", "parameters"],
  ...["trainable", "nonTrainable", "statistics", "trainableFlag", "connectedTo", "weights", "calls"],
  ...["storedShape", "stored", "inputs", "outputStructure", "layer", "call", "output", "status"],
  ...["tensors", "elements", "bytes", "classes", "parameter", "statistic", "bookkeeping", "quantization"],
  ...["constant", "unused", "unclassified", "code", "severity", "message", "at"],
];
const rank: ReadonlyMap<string, number> = new Map(order.map((key, index) => [key, index]));

/** The report as JSON text: two blanks of indent, a line end at the end, keys always in the same order. */
export function formatJson(report: Report): string {
  const text = JSON.stringify(report, (_, value: unknown) => (isRecord(value) ? inOrder(value) : value), 2);
  return `${text.replace(unsafe, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`)}\n`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function inOrder(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(record).sort(([a], [b]) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1));
  return Object.fromEntries(entries);
}

function rankOf(key: string): number {
  return rank.get(key) ?? order.length;
}
