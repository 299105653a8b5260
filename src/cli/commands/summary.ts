import {
  type Convention,
  escapeText,
  formatJson,
  formatSummary,
  inspect,
  type Report,
  type SummaryOptions,
  summaryNotes,
  takesWholeTree,
} from "../../public/index.ts";
import type { OpenSource } from "../../public/node.ts";
import { type ExitCode, exitCode } from "../exit-code.ts";
import { reportFailure } from "../failure.ts";
import type { Host } from "../host.ts";
import { formatNotes, type Note } from "../notes.ts";
import { refuseTwice, withSource } from "../sources.ts";
import { consoleWidth, wantsColor } from "../terminal.ts";

/** Options of a summary as the parser hands them over. */
export interface SummaryFlags {
  readonly style?: SummaryOptions["style"];
  readonly lineLength?: number;
  readonly positions?: readonly number[];
  readonly expandNested?: boolean;
  readonly showTrainable?: boolean;
  readonly layerRange?: readonly [string, string];
  readonly allNodes?: boolean;
  readonly group?: "module" | "node";
  readonly depth?: number;
  readonly columnNames?: SummaryOptions["columnNames"];
  readonly varNames?: boolean;
  readonly convention?: Convention;
  readonly dim?: Readonly<Record<string, number>>;
  readonly batch?: number;
  readonly compile: boolean;
  readonly json?: boolean;
  readonly color?: boolean;
  readonly quiet?: boolean;
}

/**
 * Prints each file's summary or report. A file that fails does not keep the others from being done. `opened`: the only file, where it
 * has been opened already.
 */
export async function summary(
  host: Host,
  files: readonly string[],
  flags: SummaryFlags,
  opened: OpenSource | null = null,
): Promise<ExitCode> {
  refuseTwice(files);
  const print = flags.json ? jsonPrinter(host, files.length > 1) : textPrinter(host, files.length > 1, flags);
  let worst: ExitCode = exitCode.fine;
  for (const file of files) {
    try {
      print.report(file, await read(host, file, flags, opened));
    } catch (error) {
      const code = reportFailure(host, error, file);
      if (code > worst) worst = code;
    }
  }
  print.end();
  return worst;
}

async function read(
  host: Host,
  file: string,
  flags: SummaryFlags,
  opened: OpenSource | null,
): Promise<Report> {
  const weigh = (source: OpenSource, onProgress: (step: string) => void): Promise<Report> =>
    inspect(source, {
      compile: flags.compile,
      onProgress,
      allNodes: flags.allNodes,
      ...rowsFor(flags),
      convention: flags.convention,
      ...(flags.dim && { dims: flags.dim }),
      ...(flags.batch !== undefined && { batch: flags.batch }),
    });
  return await withSource(host, file, weigh, opened);
}

/** Some styles look at a whole tree, whatever they show of it. */
function rowsFor(flags: SummaryFlags): Pick<SummaryFlags, "group" | "depth"> {
  const { style, group, depth, json, allNodes } = flags;
  if (json || !takesWholeTree(style)) return { ...(group && { group }), ...(depth && { depth }) };
  return { group: group ?? (allNodes ? "node" : "module") };
}

interface Printer {
  report(file: string, report: Report): void;
  end(): void;
}

/** Standard output gets the very bytes that each file alone would give; names and notes go to standard error. */
function textPrinter(host: Host, several: boolean, flags: SummaryFlags): Printer {
  const options: SummaryOptions = {
    style: flags.style,
    lineLength: flags.lineLength,
    positions: flags.positions,
    expandNested: flags.expandNested,
    showTrainable: flags.showTrainable,
    layerRange: flags.layerRange,
    columns: consoleWidth(host),
    color: wantsColor(host, flags.color),
    ...(takesWholeTree(flags.style) && { depth: flags.depth }),
    columnNames: flags.columnNames,
    varNames: flags.varNames,
  };
  return {
    report: (file, report) => {
      const text = formatSummary(report, options);
      if (several && !flags.quiet) host.stderr.write(`${escapeText(file)}:\n`);
      host.stdout.write(text);
      if (flags.quiet) return;
      const notes = summaryNotes(report, options).map(
        (message): Note => ({ severity: "info", at: "", message }),
      );
      host.stderr.write(formatNotes([...notes, ...report.diagnostics], several ? file : undefined));
    },
    end: () => {},
  };
}

/** One report, or an array when several files were named, also if only some of them could be read. */
function jsonPrinter(host: Host, several: boolean): Printer {
  if (!several) {
    return { report: (_, report) => host.stdout.write(`${formatJson(report).trimEnd()}\n`), end: () => {} };
  }
  let separator = "[\n";
  return {
    report: (_, report) => {
      host.stdout.write(separator + formatJson(report).trimEnd());
      separator = ",\n";
    },
    end: () => host.stdout.write(separator === "[\n" ? "[]\n" : "\n]\n"),
  };
}
