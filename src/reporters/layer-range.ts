import { InvalidOptionError } from "../errors.ts";
import type { ReportLayer } from "../report/report.ts";
import { escapeName } from "./escape.ts";

/**
 * The layers from the first whose name matches the first pattern to the last whose name matches the second one; in
 * reversed order the ends are exchanged, as in Keras.
 */
export function selectRange(
  layers: readonly ReportLayer[],
  range: readonly [string, string] | undefined,
): readonly ReportLayer[] {
  if (range === undefined) return layers;
  const [lower, upper] = [matchingLayers(layers, range[0]), matchingLayers(layers, range[1])];
  if (lower.first > upper.last) return layers.slice(upper.first, lower.last + 1);
  return layers.slice(lower.first, upper.last + 1);
}

function matchingLayers(layers: readonly ReportLayer[], pattern: string): { first: number; last: number } {
  const expression = compile(pattern);
  const first = layers.findIndex((layer) => matchesStart(expression, layer.name));
  if (first < 0) throw noMatch(pattern, layers);
  return { first, last: layers.findLastIndex((layer) => matchesStart(expression, layer.name)) };
}

/** Python's re.match: at the start of the name, not necessarily up to its end. */
function matchesStart(expression: RegExp, name: string): boolean {
  expression.lastIndex = 0;
  return expression.test(name);
}

/** Python's spellings that JavaScript writes in another way. */
const translations: readonly (readonly [RegExp, string])[] = [
  [/\(\?P</g, "(?<"],
  [/\(\?P=(\w+)\)/g, "\\k<$1>"],
  [/\\A/g, "^"],
  [/\\Z/g, "$"],
];

function compile(pattern: string): RegExp {
  let source = pattern;
  let flags = "y";
  const inline = /^\(\?([aimsu]+)\)/.exec(source);
  if (inline) {
    source = source.slice(inline[0].length);
    flags += [..."ims"].filter((flag) => inline[1]?.includes(flag)).join("");
  }
  for (const [from, to] of translations) source = source.replace(from, to);
  try {
    return new RegExp(source, flags);
  } catch (cause) {
    throw new InvalidOptionError(
      `layerRange: ${JSON.stringify(pattern)} is no regular expression; to match such a name, put a backslash before its special characters`,
      { cause },
    );
  }
}

function noMatch(pattern: string, layers: readonly ReportLayer[]): InvalidOptionError {
  const shown = layers.slice(0, 8).map((layer) => escapeName(layer.name));
  const more = layers.length > shown.length ? ` and ${layers.length - shown.length} more` : "";
  return new InvalidOptionError(
    `layerRange: no layer at the top of the model has a name that starts with a match of ${JSON.stringify(pattern)}; ` +
      `the layers are ${shown.join(", ")}${more}`,
  );
}
