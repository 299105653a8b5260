/** What every hostile file must come to: a typed error, or a report whose figures agree and which can be printed. */

import { expect } from "vitest";
import { isModelError, type ModelError } from "../../src/errors.ts";
import { memorySource } from "../../src/io/memory.ts";
import {
  formatJson,
  formatSummary,
  inspect,
  type ModelInput,
  summaryNotes,
  summaryStyles,
} from "../../src/public/index.ts";
import type { Report, ReportLayer } from "../../src/report/report.ts";
import { cpuMilliseconds } from "../cpu-time.ts";

export interface Outcome {
  readonly report: Report | null;
  readonly error: ModelError | null;
}

/** Of processor time. The slowest file takes a tenth of it. */
const milliseconds = 5000;

/** Reads `input` and checks what comes of it. `print` false leaves the printers out, where they have been tried. */
export async function survive(input: ModelInput | string, what: string, print = true): Promise<Outcome> {
  const start = cpuMilliseconds();
  const outcome = await read(typeof input === "string" ? new TextEncoder().encode(input) : input, what);
  if (outcome.report) {
    checkFigures(outcome.report, what);
    if (print) printAll(outcome.report, what);
  }
  expect(cpuMilliseconds() - start, what).toBeLessThan(milliseconds);
  return outcome;
}

async function read(input: ModelInput, what: string): Promise<Outcome> {
  try {
    return { report: await inspect(input), error: null };
  } catch (error) {
    if (!isModelError(error) || error.kind === "invalid-model")
      throw new Error(`${what}: ${error}`, { cause: error });
    expect(error.message, what).toMatch(/\S/);
    return { report: null, error };
  }
}

/** The report of a file that must be readable. */
export async function readable(input: ModelInput | string, what = "it"): Promise<Report> {
  const { report, error } = await survive(input, what);
  if (!report) throw new Error(`${what}: ${error?.message}`, { cause: error });
  return report;
}

/** The error of a file that must not be readable. */
export async function unreadable(input: ModelInput | string, what = "it"): Promise<ModelError> {
  const { error } = await survive(input, what);
  if (!error) throw new Error(`${what}: it was read`);
  return error;
}

/** Bytes under a file name, which messages begin with. */
export function named(name: string, bytes: Uint8Array | string): ModelInput {
  return memorySource(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes, name);
}

/** Diagnostics of one code, as `at: message`. */
export function said(report: Report, code: Report["diagnostics"][number]["code"]): string[] {
  return report.diagnostics.filter((d) => d.code === code).map(({ at, message }) => `${at}: ${message}`);
}

export function checkFigures(report: Report, what: string): void {
  const { ledger, totals } = report;
  const classes = Object.values(ledger.classes);
  const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
  expect(sum(classes.map(({ elements }) => elements)), what).toBe(ledger.elements);
  expect(sum(classes.map(({ bytes }) => bytes)), what).toBe(ledger.bytes);
  expect(totals.trainable + totals.nonTrainable, what).toBe(totals.parameters);
  for (const figure of [ledger.elements, ledger.bytes, totals.parameters, totals.optimizer, totals.bytes])
    expect(Number.isSafeInteger(figure) && figure >= 0, what).toBe(true);
  const checkRows = (layers: readonly ReportLayer[]): void => {
    for (const layer of layers) {
      if (layer.trainable + layer.nonTrainable !== layer.params || layer.params > totals.parameters)
        throw new Error(`${what}: row ${layer.name.slice(0, 80)} does not sum`);
      checkRows(layer.layers ?? []);
    }
  };
  checkRows(report.layers);
}

/** Nothing a name holds reaches the terminal raw: all text is printable, line ends aside. */
const raw = /(?!\n)[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

function printAll(report: Report, what: string): void {
  expect(JSON.parse(formatJson(report)).file, what).toEqual(report.file);
  for (const { name: style } of summaryStyles) {
    const nested = style === "keras3" || style === "keras2" || style === "keras2.7";
    try {
      const options = nested ? { expandNested: true, showTrainable: true } : {};
      const text = formatSummary(report, { style, ...options });
      if (raw.test(text)) throw new Error(`${what}: style ${style} prints a control character`);
      summaryNotes(report, { style });
    } catch (error) {
      if (!isModelError(error) || error.kind !== "invalid-option") throw error;
    }
  }
}

/** Numbers that are the same in every run. */
export function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
