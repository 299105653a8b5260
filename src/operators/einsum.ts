/** A linear layer written as an Einstein sum: `abc,cd->abd`, `...x,xy->...y`, `ab...,bc->ac...` (Keras: einsum_dense.py). */

import { counted } from "../counted.ts";
import { type Dim, multiplyDims } from "../ir/dim.ts";
import type { Shape } from "../ir/shape.ts";
import { maxEquationCharacters } from "../limits.ts";
import { mainInput, realType, single } from "./arguments.ts";
import { readChoice, readOptionalInteger, readShape, readText } from "./attributes.ts";
import { type OperatorDef, type RuleContext, RuleError } from "./operator.ts";
import { loraWeights, type Quantization, quantizationWeights, readQuantization } from "./quantization.ts";

interface EinsumAttributes {
  readonly equation: Equation;
  /** Shape of the output without batch and axes under an ellipsis; null for what follows from the input. */
  readonly outputShape: readonly Dim[];
  /**
   * What says how long the axes of the output are: the equation, or `outputShape` alone, with the elided axes put beside
   * it. Keras 3 does the latter, although that leaves axes unknown that the input knows, and puts several axes under an
   * ellipsis on the left in reverse order.
   */
  readonly outputFrom: "equation" | "output-shape";
  /** Letters of the output that the bias has. */
  readonly biasAxes: string | null;
  readonly quantization: Quantization | null;
  readonly loraRank: number | null;
}

interface Equation {
  readonly text: string;
  readonly input: string;
  readonly kernel: string;
  readonly output: string;
  /** Where axes without a letter stand. */
  readonly ellipsis: "left" | "right" | null;
}

const forms: readonly (readonly [RegExp, Equation["ellipsis"]])[] = [
  [/^([a-zA-Z]+),([a-zA-Z]+)->([a-zA-Z]+)$/, null],
  [/^\.\.\.([a-zA-Z]+),([a-zA-Z]+)->\.\.\.([a-zA-Z]+)$/, "left"],
  [/^([a-zA-Z]{2,})\.\.\.,([a-zA-Z]+)->([a-zA-Z]+)\.\.\.$/, "right"],
];

function parseEquation(text: string): Equation {
  if (text.length <= maxEquationCharacters) {
    for (const [form, ellipsis] of forms) {
      const [, input, kernel, output] = form.exec(text) ?? [];
      if (input !== undefined && kernel !== undefined && output !== undefined) {
        return { text, input, kernel, output, ellipsis };
      }
    }
  }
  throw new RuleError(`"${text.slice(0, 40)}" is not an equation of an input and a kernel`);
}

interface Analysis {
  readonly output: readonly Dim[];
  readonly kernel: readonly Dim[];
  readonly bias: Shape;
}

/** Shapes of output, kernel and bias; null when the input's rank is unknown. */
function analyze({ attributes, inputs }: RuleContext<EinsumAttributes>): Analysis | null {
  const { shape } = mainInput(inputs);
  if (shape === null) return null;
  const { equation } = attributes;
  const elided = shape.length - equation.input.length;
  if (elided < 0 || (elided > 0 && equation.ellipsis === null)) {
    throw new RuleError(`"${equation.text}" does not fit an input of rank ${shape.length}`);
  }
  const left = equation.ellipsis === "left" ? elided : 0;
  const stated = statedShape(attributes, shape, elided);
  const inputDim = letterDims(equation.input, shape, left);
  const outputDim = letterDims(equation.output, stated, left);
  for (const [letter, dim] of inputDim) {
    const other = outputDim.get(letter);
    if (other !== undefined && other !== null && dim !== null && other !== dim) {
      throw new RuleError(
        `axis "${letter}" of "${equation.text}" has ${dim} elements in the input and ${other} in the output`,
      );
    }
  }
  const dimOf = (letter: string): Dim => outputDim.get(letter) ?? inputDim.get(letter) ?? null;
  for (const letter of equation.kernel) {
    if (!outputDim.has(letter) && !inputDim.has(letter)) {
      throw new RuleError(`axis "${letter}" of "${equation.text}" is in the kernel alone`);
    }
  }
  for (const letter of equation.output) {
    if (!inputDim.has(letter) && !equation.kernel.includes(letter)) {
      throw new RuleError(`axis "${letter}" of "${equation.text}" is in the output alone`);
    }
  }
  const kernel = [...equation.kernel].map(dimOf);
  const output =
    attributes.outputFrom === "equation" ? summedShape(attributes, shape, elided, dimOf) : stated;
  return { output, kernel, bias: biasShape(attributes, outputDim, elided) };
}

/** As Keras 3 puts it together: batch, elided axes on the left (reversed), stated axes, elided axes on the right. */
function statedShape(
  { equation, outputShape }: EinsumAttributes,
  shape: readonly Dim[],
  elided: number,
): readonly Dim[] {
  const batch = shape[0] ?? null;
  const left = equation.ellipsis === "left";
  const full = left
    ? [batch, ...shape.slice(1, Math.max(elided, 1)).reverse(), ...outputShape]
    : [batch, ...outputShape, ...shape.slice(shape.length - elided)];
  const rank = equation.output.length + elided;
  if (full.length < rank) {
    throw new RuleError(
      `"${equation.text}" gives an output of rank ${rank}, but its shape has only ${counted(full.length, "axis", "axes")}`,
    );
  }
  return full;
}

/** What the sum really gives. */
function summedShape(
  { equation }: EinsumAttributes,
  shape: readonly Dim[],
  elided: number,
  dimOf: (letter: string) => Dim,
): readonly Dim[] {
  const named = [...equation.output].map(dimOf);
  if (equation.ellipsis === "left") return [...shape.slice(0, elided), ...named];
  return [...named, ...shape.slice(shape.length - elided)];
}

/** Dimension of each letter, the first of which stands at axis `from`. */
function letterDims(letters: string, shape: readonly Dim[], from: number): ReadonlyMap<string, Dim> {
  return new Map([...letters].map((letter, i) => [letter, shape[i + from] ?? null]));
}

/** From the first axis with a bias on, 1 for axes without. */
function biasShape(
  { biasAxes, equation }: EinsumAttributes,
  outputDim: ReadonlyMap<string, Dim>,
  elided: number,
): Shape {
  if (biasAxes === null) return null;
  const letters = [...equation.output];
  const unknown = [...biasAxes].find((letter) => !letters.includes(letter));
  if (unknown !== undefined)
    throw new RuleError(`the bias has axis "${unknown}", which "${equation.text}" has not in its output`);
  const first = letters.findIndex((letter) => biasAxes.includes(letter));
  const shape = letters
    .slice(first)
    .map((letter): Dim => (biasAxes.includes(letter) ? (outputDim.get(letter) ?? null) : 1));
  return equation.ellipsis === "left" ? shape : [...shape, ...Array.from({ length: elided }, () => 1)];
}

/**
 * Shape of the int8 scale: that of the kernel arranged like the output, with 1 for axes that are summed or missing.
 * Keras puts the summed axes where the output has an axis that the kernel lacks; those left over are squeezed.
 */
function int8Scale({ kernel: letters, output }: Equation, kernel: readonly Dim[]): Shape {
  const missing = [...output].flatMap((letter, axis) => (letters.includes(letter) ? [] : [axis]));
  const scale = [...output].flatMap((letter): Dim[] => {
    const at = letters.indexOf(letter);
    return at === -1 ? [] : [kernel[at] ?? null];
  });
  const squeezed: number[] = [];
  let place = 0;
  [...letters].forEach((letter, axis) => {
    if (output.includes(letter)) return;
    const free = missing.shift();
    if (free === undefined) squeezed.unshift(axis);
    else place = free;
    scale.splice(place, 0, 1);
  });
  for (const axis of missing) scale.splice(axis, 0, 1);
  for (const axis of squeezed) scale.splice(axis, 1);
  return scale;
}

/** The kernel as a matrix: summed axes are its rows, the others its columns. */
function asMatrix(
  { kernel: letters, output }: Equation,
  kernel: readonly Dim[],
  mode: Quantization["mode"] | undefined,
): [Dim, Dim] {
  if (mode === "gptq" || mode === "awq") return calibratedMatrix(kernel);
  const rows = kernel.filter((_, i) => !output.includes(letters[i] ?? ""));
  const columns = kernel.filter((_, i) => output.includes(letters[i] ?? ""));
  return [multiplyDims(...rows), multiplyDims(...columns)];
}

/** GPTQ and AWQ guess from the sizes which axes of a kernel of rank 3 are inputs: the longest axis is the model's. */
function calibratedMatrix(kernel: readonly Dim[]): [Dim, Dim] {
  const [a = null, b = null, c = null] = kernel;
  if (kernel.length === 2) return [a, b];
  if (kernel.length !== 3) throw new RuleError(`a kernel of rank ${kernel.length} is not quantised this way`);
  if (a === null || b === null || c === null) return [null, null];
  return a >= b && a >= c ? [a, multiplyDims(b, c)] : [multiplyDims(a, b), c];
}

/** Kernel and bias as the equation has them. */
const einsumLinear: OperatorDef<EinsumAttributes> = {
  name: "EinsumLinear",
  attributes: (raw) => {
    const stated = typeof raw.outputShape === "number" ? { outputShape: [raw.outputShape] } : raw;
    return {
      equation: parseEquation(readText(raw, "equation")),
      outputShape: readShape(stated, "outputShape") ?? [],
      outputFrom: readChoice(raw, "outputFrom", ["equation", "output-shape"], "equation"),
      biasAxes: raw.biasAxes === undefined || raw.biasAxes === null ? null : readText(raw, "biasAxes"),
      quantization: readQuantization(raw),
      loraRank: readOptionalInteger(raw, "loraRank"),
    };
  },
  weights: (context) => {
    const { attributes } = context;
    const analysis = analyze(context);
    if (analysis === null) return { kernel: null, ...(attributes.biasAxes !== null && { bias: null }) };
    const { kernel, bias } = analysis;
    const { equation, quantization } = attributes;
    const [rows, columns] =
      quantization === null ? [null, null] : asMatrix(equation, kernel, quantization.mode);
    const scale = quantization?.mode === "int8" ? int8Scale(equation, kernel) : null;
    return {
      kernel,
      ...(bias !== null && { bias }),
      ...quantizationWeights(quantization, rows, columns, scale),
      ...loraWeights(kernel, attributes.loraRank),
    };
  },
  infer: (context) => single(analyze(context)?.output ?? null, realType(mainInput(context.inputs).dtype)),
};

export const einsumOperators: readonly OperatorDef<unknown>[] = [einsumLinear];
