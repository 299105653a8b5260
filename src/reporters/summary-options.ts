import { counted } from "../counted.ts";
import { InvalidOptionError } from "../errors.ts";

/** How a summary looks: as a generation of Keras prints it, or the one that wrote the file, or torchinfo. */
export type SummaryStyle =
  | "keras3"
  | "keras2"
  | "keras2.7"
  | "keras2.3"
  | "keras2.2"
  | "torchinfo"
  | "as-written";

/** The arguments of Keras's `model.summary()`, what Keras takes from the terminal, and those of torchinfo's `summary()`. */
export interface SummaryOptions {
  /** Default: `keras3`. */
  readonly style?: SummaryStyle | undefined;
  /** Length of the lines. */
  readonly lineLength?: number | undefined;
  /** Where the columns end: fractions of the line, or (before Keras 3) characters. */
  readonly positions?: readonly number[] | undefined;
  /** Rows for the layers of nested models too. */
  readonly expandNested?: boolean | undefined;
  /** A column that tells which layers are trainable. */
  readonly showTrainable?: boolean | undefined;
  /** Regular expressions for the names of the first and the last layer to show. */
  readonly layerRange?: readonly [string, string] | undefined;
  /** Width of the console: Keras 3 cuts what is wider. Default: 80, as Keras 3 takes it without a terminal. */
  readonly columns?: number | undefined;
  /** Escape sequences for colour, as Keras 3 sends them to a terminal. */
  readonly color?: boolean | undefined;
  /** Levels of modules that style `torchinfo` shows. Default: 3. */
  readonly depth?: number | undefined;
  /** Its columns, as its `col_names`. Default: `output_size` and `num_params`; of weights alone, `num_params`. */
  readonly columnNames?: readonly TorchinfoColumn[] | undefined;
  /** The names of modules beside their classes, as its row setting `var_names`. */
  readonly varNames?: boolean | undefined;
}

/** Columns of torchinfo that files tell enough for; there are `input_size` and `kernel_size` too. */
export type TorchinfoColumn = "output_size" | "num_params" | "params_percent" | "mult_adds" | "trainable";

/** Every one of them. */
export const torchinfoColumns: readonly TorchinfoColumn[] = [
  "output_size",
  "num_params",
  "params_percent",
  "mult_adds",
  "trainable",
];

/** The styles with a layout of their own. */
export type OwnStyle = Exclude<SummaryStyle, "as-written">;

/** Those that Keras prints. */
export type KerasStyle = Exclude<OwnStyle, "torchinfo">;

/** Every style, with a line on what it is. */
export const summaryStyles: readonly { readonly name: SummaryStyle; readonly description: string }[] = [
  { name: "keras3", description: "Keras 3 (3.0.5 and later)" },
  { name: "keras2", description: "Keras 2.13 to 2.15, and tf-keras" },
  { name: "keras2.7", description: "Keras 2.7 to 2.12" },
  { name: "keras2.3", description: "Keras 2.2.5 to 2.6" },
  { name: "keras2.2", description: "Keras 2.2.4 and older" },
  {
    name: "torchinfo",
    description: "torchinfo 1.8 on Python 3.11 and later; for PyTorch's programs and weights",
  },
  { name: "as-written", description: "the style of the Keras that wrote the file" },
];

/** Options that only some styles have; the others have those of the console at most. */
const stylesWith: readonly {
  readonly options: readonly (keyof SummaryOptions)[];
  readonly styles: readonly OwnStyle[];
  readonly whose: string;
}[] = [
  {
    options: ["expandNested", "layerRange"],
    styles: ["keras3", "keras2", "keras2.7"],
    whose: "Keras had it from 2.7 on",
  },
  {
    options: ["showTrainable"],
    styles: ["keras3", "keras2", "keras2.7", "torchinfo"],
    whose: "Keras had it from 2.7 on",
  },
  {
    options: ["lineLength", "positions"],
    styles: ["keras3", "keras2", "keras2.7", "keras2.3", "keras2.2"],
    whose: "it is one of Keras's",
  },
  { options: ["depth", "columnNames", "varNames"], styles: ["torchinfo"], whose: "it is one of torchinfo's" },
];

/** Throws when an option is no good for `style`, which is the style after `as-written` was looked up. */
export function checkSummaryOptions(options: SummaryOptions, style: OwnStyle): void {
  checkCount("lineLength", options.lineLength, "characters", 10_000);
  checkCount("columns", options.columns, "characters", 1_000_000);
  checkCount("depth", options.depth, "levels", 1_000_000);
  checkPositions(options.positions);
  checkColumnNames(options.columnNames);
  checkRange(options.layerRange);
  for (const { options: names, styles, whose } of stylesWith) {
    const name = names.find((one) => options[one] !== undefined && options[one] !== false);
    if (name === undefined || styles.includes(style)) continue;
    throw new InvalidOptionError(
      `${name} does not exist in style ${style}: ${whose}; use style ${styles.join(", ")}`,
    );
  }
}

/** Throws unless `style` is one of the styles. */
export function checkStyle(style: string): asserts style is SummaryStyle {
  if (summaryStyles.some(({ name }) => name === style)) return;
  const names = summaryStyles.map(({ name }) => name).join(", ");
  throw new InvalidOptionError(`there is no style ${JSON.stringify(style)}: use one of ${names}`);
}

function checkCount(name: string, value: number | undefined, unit: string, most: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && value > 0 && value <= most)) return;
  throw new InvalidOptionError(`${name} is ${value}: give a whole number of ${unit} from 1 to ${most}`);
}

function checkPositions(positions: readonly number[] | undefined): void {
  if (positions === undefined) return;
  if (positions.every((position) => Number.isFinite(position) && position > 0 && position <= 10_000)) return;
  throw new InvalidOptionError(
    `positions are ${positions.join(", ")}: give for each column the place where it ends, ` +
      "as fractions of the line such as 0.45, 0.85, 1",
  );
}

function checkColumnNames(names: readonly string[] | undefined): void {
  const unknown = names?.find((name) => !torchinfoColumns.some((one) => one === name));
  if (unknown === undefined && names?.length !== 0) return;
  throw new InvalidOptionError(
    `columnNames has ${unknown === undefined ? "no names" : JSON.stringify(unknown)}: use some of ${torchinfoColumns.join(", ")}`,
  );
}

function checkRange(range: readonly string[] | undefined): void {
  if (range === undefined) return;
  if (range.length === 2 && range.every((end) => typeof end === "string")) return;
  throw new InvalidOptionError(
    `layerRange has ${counted(range.length, "part")}: give two, the names of the first and the last layer to show`,
  );
}

/** Throws unless there is a position for every column. Like Keras, ignores positions past the last column. */
export function checkPositionCount(positions: readonly number[], columns: readonly string[]): void {
  if (positions.length >= columns.length) return;
  throw new InvalidOptionError(
    `positions has ${counted(positions.length, "number")}, but this model's summary has ${counted(columns.length, "column")} ` +
      `(${columns.join(", ")}): give one position for each`,
  );
}
