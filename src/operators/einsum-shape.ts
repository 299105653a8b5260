/** Shape of an Einstein sum of any number of operands, with ellipses on either side. */

import { counted } from "../counted.ts";
import { contradicts, type Dim, formatDim, sharperDim } from "../ir/dim.ts";
import { formatShape, type Shape } from "../ir/shape.ts";
import { maxEquationCharacters } from "../limits.ts";
import { broadcastShapes } from "./broadcast.ts";
import { RuleError } from "./operator.ts";

/** Letters before and after an ellipsis; `after` null: no ellipsis. */
interface Term {
  readonly before: string;
  readonly after: string | null;
}

function readTerm(text: string, equation: string): Term {
  const form = /^([a-zA-Z]*)(?:(\.\.\.)([a-zA-Z]*))?$/.exec(text);
  if (!form) throw new RuleError(`"${equation.slice(0, 40)}" is not an einsum equation`);
  return { before: form[1] ?? "", after: form[2] === undefined ? null : (form[3] ?? "") };
}

interface Bound {
  readonly letters: ReadonlyMap<string, Dim>;
  readonly rest: Shape;
}

/** Sizes of the letters, and the axes under the ellipsis, broadcast over the operands. */
function bind(terms: readonly Term[], shapes: readonly Shape[], equation: string): Bound {
  const letters = new Map<string, Dim>();
  let rest: Shape = [];
  const assign = (letter: string, dim: Dim): void => {
    const known = letters.get(letter);
    const merged = known === undefined ? dim : mergeDim(known, dim);
    if (merged === undefined)
      throw new RuleError(
        `axis ${letter} of "${equation}" has sizes ${formatDim(known ?? null)} and ${formatDim(dim)}`,
      );
    letters.set(letter, merged);
  };
  for (const [i, { before, after }] of terms.entries()) {
    const shape = shapes[i] ?? null;
    const all = before + (after ?? "");
    if (shape === null) {
      for (const letter of all) assign(letter, null);
      if (after !== null) rest = null;
      continue;
    }
    const covered = shape.length - all.length;
    if (covered < 0 || (covered > 0 && after === null)) {
      throw new RuleError(`"${equation}" does not fit shape ${formatShape(shape)}`);
    }
    const named = shape.toSpliced(before.length, covered);
    for (const [axis, letter] of [...all].entries()) assign(letter, named[axis] ?? null);
    if (after !== null) rest = broadcastShapes(rest, shape.slice(before.length, before.length + covered));
  }
  return { letters, rest };
}

function mergeDim(a: Dim, b: Dim): Dim | undefined {
  if (a === 1) return b === null ? a : b;
  if (b === 1) return a === null ? b : a;
  return contradicts(a, b) ? undefined : sharperDim(a, b);
}

/** Without an output the letters that occur once, in the order of the alphabet, behind the ellipsis. */
function implicitOutput(terms: readonly Term[]): Term {
  const letters = terms.flatMap(({ before, after }) => [...before, ...(after ?? "")]);
  const once = letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter));
  const ellipsis = terms.some(({ after }) => after !== null);
  const sorted = once.toSorted().join("");
  return ellipsis ? { before: "", after: sorted } : { before: sorted, after: null };
}

export function einsumShape(text: string, shapes: readonly Shape[]): Shape {
  const equation = text.replace(/\s+/g, "");
  if (equation.length > maxEquationCharacters) throw new RuleError("the einsum equation is too long");
  const [left = "", right, ...more] = equation.split("->");
  const terms = left.split(",").map((term) => readTerm(term, equation));
  if (more.length > 0 || terms.length !== shapes.length) {
    throw new RuleError(`"${equation}" does not fit ${counted(shapes.length, "operand")}`);
  }
  const output = right === undefined ? implicitOutput(terms) : readTerm(right, equation);
  const { letters, rest } = bind(terms, shapes, equation);
  const dimsOf = (part: string): Dim[] =>
    [...part].map((letter) => {
      const dim = letters.get(letter);
      if (dim === undefined) throw new RuleError(`axis ${letter} of "${equation}" is in no operand`);
      return dim;
    });
  if (output.after === null) return dimsOf(output.before);
  return rest === null ? null : [...dimsOf(output.before), ...rest, ...dimsOf(output.after)];
}
