import { readdirSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { InvalidOptionError } from "../../src/errors.ts";
import { formatSummary, type SummaryOptions, type SummaryStyle } from "../../src/reporters/index.ts";
import { type ReportSpec, reportOf, shortDiff } from "./spec.ts";

/**
 * Random models through the real print_summary of eight releases of Keras (fixtures/build/printer_facts.py): the text
 * must be the same to the byte. Where Keras refuses or would never end (`text` null), an InvalidOptionError is thrown.
 */
interface Facts {
  readonly oracle: string;
  readonly producer: [string, string];
  readonly style: SummaryStyle;
  readonly cases: readonly (ReportSpec & {
    readonly options: SummaryOptions;
    readonly text: string | null;
  })[];
}

/** FACTS_DIR: other files to check, as printer_facts.py writes them with FACTS_SCALE. */
const folder = process.env.FACTS_DIR
  ? pathToFileURL(`${process.env.FACTS_DIR}/`)
  : new URL("./files/", import.meta.url);

describe("random models print as in the real Keras", () => {
  for (const file of readdirSync(folder).filter((name) => /^(tf-)?keras/.test(name))) {
    const facts = JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Facts;
    for (const style of new Set<SummaryStyle>([facts.style, "as-written"])) {
      test(`${facts.oracle}, style ${style}`, () => {
        const failures: string[] = [];
        for (const [index, entry] of facts.cases.entries()) {
          const report = reportOf({ ...entry, producer: facts.producer });
          const options = { ...entry.options, style };
          const wanted = entry.text ?? "InvalidOptionError";
          const got = attempt(() => formatSummary(report, options));
          if (got !== wanted)
            failures.push(`case ${index} ${JSON.stringify(options)}\n${shortDiff(wanted, got)}`);
        }
        expect(
          failures.length,
          `${failures.length} of ${facts.cases.length}\n${failures.slice(0, 8).join("\n")}`,
        ).toBe(0);
      });
    }
  }
});

function attempt(format: () => string): string {
  try {
    return format();
  } catch (error) {
    if (error instanceof InvalidOptionError) return "InvalidOptionError";
    throw error;
  }
}
