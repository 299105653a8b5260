import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { InvalidOptionError } from "../src/errors.ts";
import { inspectFile } from "../src/public/node.ts";
import type { Report } from "../src/report/report.ts";
import { formatSummary, type SummaryOptions, type SummaryStyle } from "../src/reporters/index.ts";
import { isKnown, knownDifferences } from "./known-differences.ts";
import { shortDiff } from "./reporters/spec.ts";

/**
 * What the real frameworks printed for the files in fixtures/, byte for byte. GOLDENS=<part of a case name> runs only
 * those; GOLDENS_SHOW=<number> sets how many differing lines of each text are shown.
 */
interface Golden {
  readonly file: string;
  readonly style: SummaryStyle;
  readonly options: SummaryOptions & { readonly compile?: boolean };
}

interface Expected {
  readonly models: readonly {
    readonly file: string;
    readonly summaries?: readonly Golden[];
    /** Where the real printer refused. */
    readonly summaryErrors?: readonly (Omit<Golden, "file"> & { readonly error: string })[];
  }[];
}

const root = process.env.FIXTURES ?? resolve(import.meta.dirname, "../fixtures/keras");
const only = process.env.GOLDENS ?? "";
const shown = Number(process.env.GOLDENS_SHOW ?? 2);

const cases = readdirSync(root)
  .filter((name) => name.includes(only) && existsSync(join(root, name, "expected.json")))
  .sort();

const tally = { texts: 0, equal: 0, known: 0 };

describe("summaries are those of the real Keras", () => {
  for (const name of cases) {
    const expected = JSON.parse(readFileSync(join(root, name, "expected.json"), "utf8")) as Expected;
    const models = expected.models.filter((model) => model.summaries?.length || model.summaryErrors?.length);
    if (models.length === 0) continue;
    test(name, async () => {
      const failures: string[] = [];
      for (const model of models) {
        const reports = new Map<boolean, Promise<Report>>();
        const load = (compile: boolean): Promise<Report> => {
          const found = reports.get(compile) ?? inspectFile(join(root, name, model.file), { compile });
          reports.set(compile, found);
          return found;
        };
        for (const golden of model.summaries ?? []) {
          const wanted = readFileSync(join(root, name, golden.file), "utf8");
          const got = await attempt(golden, load);
          tally.texts++;
          if (got === wanted) tally.equal++;
          else if (isKnown(knownDifferences, { name, oracle: golden.style, golden: golden.file }))
            tally.known++;
          else failures.push(`${model.file} -> ${golden.file}\n${shortDiff(wanted, got, shown)}`);
        }
        for (const refused of model.summaryErrors ?? []) {
          const got = await attempt(refused, load);
          if (isOptionError(refused.error) && got !== "InvalidOptionError") {
            failures.push(
              `${model.file} ${JSON.stringify(refused.options)}: should refuse (${refused.error})`,
            );
          }
        }
      }
      expect(failures.length, `${failures.length} texts differ\n${failures.join("\n")}`).toBe(0);
    });
  }
  // Printed also when tests fail: how near the whole is.
  afterAll(() => {
    process.stdout.write(
      `goldens: ${tally.equal} of ${tally.texts} texts are equal, ${tally.known} differ for a listed reason\n`,
    );
  });
});

async function attempt(
  golden: Pick<Golden, "style" | "options">,
  load: (compile: boolean) => Promise<Report>,
): Promise<string> {
  const { compile = true, ...options } = golden.options;
  try {
    return formatSummary(await load(compile), { ...options, style: golden.style });
  } catch (error) {
    return error instanceof InvalidOptionError ? "InvalidOptionError" : String(error);
  }
}

function isOptionError(text: string): boolean {
  return /Insufficient console width|do not match the layer names/.test(text);
}
