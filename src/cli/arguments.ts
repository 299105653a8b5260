/** From words on the command line to values. */

import {
  type Convention,
  conventions,
  InvalidOptionError,
  type SummaryStyle,
  summaryStyles,
  type TorchinfoColumn,
  torchinfoColumns,
} from "../public/index.ts";

/**
 * Options whose values may be several words, made into one word each, since the parser would take every word after
 * them, the file too: `--layer-range FIRST LAST` and `--positions A B C`.
 */
export function joinValues(argv: readonly string[]): string[] {
  const joined: string[] = [];
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--") return [...joined, word, ...rest];
    const [name = "", value] = splitOnce(word);
    if (name === "--layer-range") {
      joined.push(`${name}=${JSON.stringify(takeRange(value, rest))}`);
    } else if (name === "--positions") {
      joined.push(`${name}=${takeNumbers(value, rest).join(",")}`);
    } else {
      joined.push(word);
    }
  }
  return joined;
}

function splitOnce(word: string): [string, string | undefined] {
  const at = word.indexOf("=");
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

function takeRange(first: string | undefined, rest: string[]): [string, string] {
  const names = first === undefined ? [] : [first];
  while (names.length < 2) {
    const next = rest[0];
    if (next === undefined || next.startsWith("--")) {
      throw new InvalidOptionError(
        "--layer-range takes two layer names, the first and the last to show: --layer-range conv1 conv3",
      );
    }
    names.push(next);
    rest.shift();
  }
  const [from = "", to = ""] = names;
  return [from, to];
}

/** Number lists only, so that the file after them is left alone. */
function takeNumbers(first: string | undefined, rest: string[]): string[] {
  const taken = first === undefined ? rest.splice(0, 1) : [first];
  while (/^[\d.,]*\d[\d.,\]]*$/.test(rest[0] ?? "")) taken.push(...rest.splice(0, 1));
  return taken;
}

export function parseStyle(text: string): SummaryStyle {
  const style = summaryStyles.find(({ name }) => name === text);
  if (style) return style.name;
  const names = summaryStyles.map(({ name }) => name).join(", ");
  throw new InvalidOptionError(`--style is ${JSON.stringify(text)}: give one of ${names}`);
}

/** `.45,.85,1` or a Python list of such. */
export function parsePositions(text: string): number[] {
  const words = text
    .replace(/^\s*[[(]|[\])]\s*$/g, "")
    .split(/[\s,]+/)
    .filter((word) => word !== "");
  const numbers = words.map(Number);
  if (numbers.length > 0 && numbers.every((number) => Number.isFinite(number))) return numbers;
  throw new InvalidOptionError(
    `--positions is ${JSON.stringify(text)}: give the place where each column ends: --positions .45,.85,1`,
  );
}

/** A whole number from 1. */
export function parseLineLength(text: string): number {
  if (/^\d+$/.test(text) && Number(text) > 0) return Number(text);
  throw new InvalidOptionError(
    `--line-length is ${JSON.stringify(text)}: give a number of characters, such as --line-length 100`,
  );
}

/** A whole number from 1. */
export function parseBatch(text: string): number {
  if (isSize(text)) return Number(text);
  throw new InvalidOptionError(`--batch is ${JSON.stringify(text)}: give a whole number, such as --batch 1`);
}

/** A whole number from 1. */
export function parseDepth(text: string): number {
  if (isSize(text)) return Number(text);
  throw new InvalidOptionError(
    `--depth is ${JSON.stringify(text)}: give a number of levels, such as --depth 2`,
  );
}

export function parseColumnNames(text: string): readonly TorchinfoColumn[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== "");
  const names = words.flatMap((word) => torchinfoColumns.find((name) => name === word) ?? []);
  if (names.length > 0 && names.length === words.length) return names;
  throw new InvalidOptionError(
    `--column-names is ${JSON.stringify(text)}: give some of ${torchinfoColumns.join(",")}`,
  );
}

export function parseGroup(text: string): "module" | "node" {
  if (text === "module" || text === "node") return text;
  throw new InvalidOptionError(`--group is ${JSON.stringify(text)}: give --group module or --group node`);
}

export function parseConvention(text: string): Convention {
  const convention = conventions.find((name) => name === text);
  if (convention) return convention;
  const names = conventions.join(" or ");
  throw new InvalidOptionError(`--convention is ${JSON.stringify(text)}: give ${names}`);
}

/** `NAME=SIZE`, added to those before it. */
export function parseDim(
  text: string,
  before: Readonly<Record<string, number>> = {},
): Readonly<Record<string, number>> {
  const at = text.lastIndexOf("=");
  const name = text.slice(0, Math.max(at, 0));
  if (name === "" || !isSize(text.slice(at + 1))) {
    throw new InvalidOptionError(
      `--dim is ${JSON.stringify(text)}: give the name of a dimension and its size, such as --dim seq=128`,
    );
  }
  if (Object.hasOwn(before, name)) {
    throw new InvalidOptionError(`--dim gives ${JSON.stringify(name)} two sizes: give each name once`);
  }
  return { ...before, [name]: Number(text.slice(at + 1)) };
}

function isSize(text: string): boolean {
  return /^\d+$/.test(text) && Number(text) > 0 && Number.isSafeInteger(Number(text));
}

/** What `joinValues` made of the two names. */
export function parseLayerRange(text: string): [string, string] {
  return JSON.parse(text);
}
