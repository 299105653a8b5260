/** The grammar of the command line. What a command does stands in commands/, loaded when it is called. */

import { Command, CommanderError } from "commander";
import {
  joinValues,
  parseBatch,
  parseColumnNames,
  parseConvention,
  parseDepth,
  parseDim,
  parseGroup,
  parseLayerRange,
  parseLineLength,
  parsePositions,
  parseStyle,
} from "./arguments.ts";
import type { SummaryFlags } from "./commands/summary.ts";
import { type ExitCode, exitCode } from "./exit-code.ts";
import { convertNotes, description, examples, exitCodes, summaryNotes } from "./help.ts";
import type { Host } from "./host.ts";

/** Of help that does not go to a terminal. */
const helpWidth = 90;

/** Parses the host's arguments and carries out the command. */
export async function runProgram(host: Host, version: string): Promise<ExitCode> {
  let ended: ExitCode = exitCode.fine;
  const program = createProgram(host, version, (code) => {
    ended = code;
  });
  if (host.argv.length === 0) {
    host.stderr.write(program.helpInformation());
    return exitCode.usage;
  }
  try {
    refuseUnknownHelp(program, host.argv);
    await program.parseAsync(joinValues(host.argv), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version end this way too, with 0; whatever else the parser throws is a usage error.
    return error.exitCode === 0 ? exitCode.fine : exitCode.usage;
  }
  return ended;
}

function createProgram(host: Host, version: string, end: (code: ExitCode) => void): Command {
  const summarize = async (files: string[], flags: SummaryFlags): Promise<void> => {
    const { summary } = await import("./commands/summary.ts");
    end(await summary(host, files, flags));
  };

  const program = configure(new Command("weighbridge"), host)
    .version(version, "-V, --version", "print the version")
    .description(description)
    .usage("[options] FILE...\n       weighbridge COMMAND ...")
    .enablePositionalOptions()
    .helpCommand("help [command]", "print this help, or that of a command")
    .action(summarize)
    .addHelpText("after", () => [summaryNotes(), exitCodes, examples].join("\n"));
  addSummaryOptions(program);
  program.hook("preSubcommand", (_, command) => refuseEarlyOptions(program, command));

  const summary = configure(program.command("summary"), host)
    .summary("print the summary of each file; the command may be left out")
    .description("Prints the summary of each file, one after the other.")
    .action(summarize)
    .addHelpText("after", () => [summaryNotes(), exitCodes].join("\n"));
  addSummaryOptions(summary);

  configure(program.command("formats"), host)
    .summary("list the file formats that can be read")
    .description("Lists the file formats that can be read. Files are recognised by content, never by name.")
    .option("--json", "print a JSON array")
    .action(async (flags: { json?: boolean }) => {
      const { listFormats } = await import("./commands/formats.ts");
      end(listFormats(host, flags));
    });

  configure(program.command("convert"), host)
    .summary("write the model itself as JSON, without weights")
    .description("Writes the model of a file as JSON, without weights.")
    .argument("<file>", 'model file, or "-" for standard input')
    .requiredOption("-o, --output <file>", 'file to write, or "-" for standard output')
    .option("--no-compile", "leave the training configuration out, as compile=False does")
    .option("-q, --quiet", "no notes on standard error")
    .action(async (file: string, flags: { output: string; compile: boolean; quiet?: boolean }) => {
      const { convert } = await import("./commands/convert.ts");
      end(await convert(host, file, flags));
    })
    .addHelpText("after", () => [convertNotes, exitCodes].join("\n"));

  return program;
}

function addSummaryOptions(command: Command): void {
  command
    .argument("<file...>", 'model files, or "-" for standard input')
    .option("-s, --style <style>", "whose summary it looks like (default: keras3)", parseStyle)
    .option("--line-length <n>", "length of the lines in characters", parseLineLength)
    .option(
      "--positions <a,b,c>",
      "where the columns end, as fractions of the line (before Keras 3 also in characters)",
      parsePositions,
    )
    .option("--expand-nested", "show the layers of nested models too, and what branches and loops run")
    .option("--show-trainable", "add a column that tells which layers are trainable")
    .option("--layer-range <first> <last>", "show only the layers from FIRST to LAST", parseLayerRange)
    .option("--all-nodes", "a row for every node of a graph, plumbing too")
    .option(
      "--group <what>",
      "module: a row for each module of the network, as a tree (default for PyTorch's exported programs); node: for each operation",
      parseGroup,
    )
    .option(
      "--depth <n>",
      "how many levels of modules to show (default: all; of style torchinfo, 3)",
      parseDepth,
    )
    .option(
      "--column-names <a,b,c>",
      "columns of style torchinfo: output_size, num_params, params_percent, mult_adds, trainable",
      parseColumnNames,
    )
    .option("--var-names", "in style torchinfo, the names of modules beside their classes")
    .option("--dim <name=size>", "size of a dimension that the file only names (repeatable)", parseDim)
    .option("--batch <n>", "size of the first dimension of the inputs, where it is open", parseBatch)
    .option(
      "--convention <name>",
      "what counts as a parameter: keras, with moving means and variances, or pytorch, without (default: as the format's own framework counts)",
      parseConvention,
    )
    .option("--no-compile", "load without the training configuration, as compile=False does")
    .option("--json", "print the whole report as JSON (schema/report.v1.schema.json)")
    .option("--color", "colour the keras3 style even when not in a terminal")
    .option("--no-color", "never colour")
    .option("-q, --quiet", "no notes on standard error");
}

function configure(command: Command, host: Host): Command {
  return command
    .helpOption("-h, --help", "print this help")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => host.stderr.write(text),
      outputError: (text, write) => write(`${text.replace(/^error: /, "weighbridge: ").trimEnd()}\n`),
      getOutHelpWidth: () => Math.min(host.stdout.columns ?? helpWidth, helpWidth),
      getErrHelpWidth: () => Math.min(host.stderr.columns ?? helpWidth, helpWidth),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError(
      `Run weighbridge ${command.name() === "weighbridge" ? "" : `${command.name()} `}--help for all options.`,
    );
}

/** `weighbridge help onnx`: the parser would print all of the help and not say why. */
function refuseUnknownHelp(program: Command, [word, name]: readonly string[]): void {
  if (word !== "help" || name === undefined || name.startsWith("-") || name === "help") return;
  if (program.commands.some((command) => command.name() === name)) return;
  const names = program.commands.map((command) => command.name()).join(", ");
  program.error(`error: no command '${name}' to help with; the commands are ${names}`);
}

/** `weighbridge --json formats`: the option belongs to a summary that is not asked for, and would be lost in silence. */
function refuseEarlyOptions(program: Command, command: Command): void {
  const early = program.options.find(
    (option) => program.getOptionValueSource(option.attributeName()) === "cli",
  );
  if (early) {
    program.error(
      `error: put ${early.long} after the command: weighbridge ${command.name()} ${early.long} ...`,
    );
  }
}
