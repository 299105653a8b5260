/**
 * Symbolic dimensions: whole-number expressions over named sizes (`batch`, `2*seq`, `floor((h - 1)/2) + 1`), as plain
 * trees in one canonical form, a sum of products, so that equal expressions look equal. Every named size is taken to be
 * at least 1. Arithmetic that would grow past the caps answers null, unknown.
 */

import { maxSymbolicDepth, maxSymbolicTerms } from "../limits.ts";
import {
  type Atom,
  argumentsOf,
  atomKey,
  atomOf,
  build,
  constantOf,
  depthOf,
  type Expression,
  finite,
  fromAtom,
  onlyAtom,
  partsOf,
  type Result,
  type SymbolicDim,
  sameExpression,
  sortedAtoms,
  type Term,
  termsOf,
} from "./expression.ts";
/** A size of that name. Names that start with "?" stand for sizes nobody named; people see them as unknown. */
export function symbol(name: string): SymbolicDim {
  return fromAtom({ symbol: name });
}

export function addExpressions(a: Expression, b: Expression): Result {
  return build(constantOf(a) + constantOf(b), [...termsOf(a), ...termsOf(b)]);
}

export function multiplyExpressions(a: Expression, b: Expression): Result {
  if (typeof a === "number" && typeof b === "object" && isWhole(a)) return scale(b, a);
  if (typeof b === "number" && typeof a === "object" && isWhole(b)) return scale(a, b);
  const left = termsOf(a);
  const right = termsOf(b);
  if ((left.length + 1) * (right.length + 1) > maxSymbolicTerms * 4) return null;
  const terms: Term[] = [];
  const scaled = (term: Term, by: number): Term => ({ ...term, coefficient: term.coefficient * by });
  for (const term of left) {
    terms.push(scaled(term, constantOf(b)));
    for (const other of right) {
      terms.push({
        coefficient: term.coefficient * other.coefficient,
        atoms: sortedAtoms([...term.atoms, ...other.atoms]),
      });
    }
  }
  for (const other of right) terms.push(scaled(other, constantOf(a)));
  return build(constantOf(a) * constantOf(b), terms);
}

/** By a whole number, which no term comes to 0 with and which leaves their order. */
function scale({ constant, terms }: SymbolicDim, by: number): Result {
  const scaled = terms.map(({ coefficient, atoms }) => ({ coefficient: coefficient * by, atoms }));
  if (finite(constant * by) === null || scaled.some((term) => finite(term.coefficient) === null)) return null;
  return { constant: constant * by, terms: scaled };
}

function isWhole(value: number): boolean {
  return value !== 0 && Number.isInteger(value);
}

/** Rounds down. Null for a division by 0. */
export function floorDivideExpressions(a: Expression, b: Expression): Result {
  if (b === 0) return null;
  if (typeof b !== "number") return divideBySymbolic(a, b);
  if (typeof a === "number") return finite(Math.floor(a / b));
  if (b < 0 || !Number.isSafeInteger(b)) return floorOf(a, b);
  return divideByNumber(a, b);
}

/** The quotient when the division leaves nothing for any sizes; else null. */
export function divideExactly(a: Expression, b: Expression): Result {
  if (b === 0) return null;
  if (typeof a === "number" && typeof b === "number") return a % b === 0 ? a / b : null;
  if (sameExpression(a, b)) return 1;
  if (typeof b === "number") {
    const divides = a as SymbolicDim;
    if (divides.constant % b !== 0 || divides.terms.some((term) => term.coefficient % b !== 0)) return null;
    return build(
      divides.constant / b,
      divides.terms.map((term) => ({ ...term, coefficient: term.coefficient / b })),
    );
  }
  return divideByMonomial(a, b) ?? divideByPolynomial(a, b);
}

/** a - floor(a / b) * b. */
export function moduloExpressions(a: Expression, b: Expression): Result {
  const quotient = floorDivideExpressions(a, b);
  const product = quotient === null ? null : multiplyExpressions(quotient, b);
  return product === null ? null : subtractExpressions(a, product);
}

export function subtractExpressions(a: Expression, b: Expression): Result {
  const negative = multiplyExpressions(b, -1);
  return negative === null ? null : addExpressions(a, negative);
}

/** The larger of two, where that is the same one for all sizes; else an expression that leaves it open. */
export function maxExpressions(a: Expression, b: Expression): Result {
  if (isAtMost(a, b)) return b;
  if (isAtMost(b, a)) return a;
  return atomOf((items) => ({ max: items }), [...partsOf(a, "max"), ...partsOf(b, "max")]);
}

/** The smaller of two; see `maxExpressions`. */
export function minExpressions(a: Expression, b: Expression): Result {
  if (isAtMost(a, b)) return a;
  if (isAtMost(b, a)) return b;
  return atomOf((items) => ({ min: items }), [...partsOf(a, "min"), ...partsOf(b, "min")]);
}

/** Whether a <= b for all sizes of at least 1. False also where it cannot be told. */
export function isAtMost(a: Expression, b: Expression): boolean {
  const difference = subtractExpressions(b, a);
  if (difference !== null && lowerBound(difference) >= 0) return true;
  const [below, above] = [onlyAtom(a), onlyAtom(b)];
  // Parts hold no such function of the same kind, so this goes down a level at each step.
  if (below && "max" in below) return below.max.every((part) => isAtMost(part, b));
  if (above && "min" in above) return above.min.every((part) => isAtMost(a, part));
  if (below && "min" in below && below.min.some((part) => isAtMost(part, b))) return true;
  return above !== null && "max" in above && above.max.some((part) => isAtMost(a, part));
}

/** The expression with sizes put in for symbols. */
export function substitute(dim: SymbolicDim, sizes: ReadonlyMap<string, Expression>): Result {
  let sum: Result = dim.constant;
  for (const term of dim.terms) {
    let product: Result = term.coefficient;
    for (const atom of term.atoms) {
      const value = substituteAtom(atom, sizes);
      product = product === null || value === null ? null : multiplyExpressions(product, value);
    }
    sum = sum === null || product === null ? null : addExpressions(sum, product);
  }
  return sum;
}

/** Names of the sizes in it. */
export function symbolsOf(dim: Expression, found: Set<string> = new Set()): ReadonlySet<string> {
  for (const { atoms } of termsOf(dim)) {
    for (const atom of atoms) {
      if ("symbol" in atom) found.add(atom.symbol);
      else for (const part of argumentsOf(atom)) symbolsOf(part, found);
    }
  }
  return found;
}

// Division -------------------------------------------------------------------------------------------------------

function floorOf(a: Expression, b: Expression): Result {
  const atom: Atom = { floor: [a, b] };
  return depthOf(atom) > maxSymbolicDepth ? null : fromAtom(atom);
}

/**
 * By a positive whole number. What divides goes out of the floor; the constant that stays inside is 0 or negative, so
 * that a strided window reads `floor((h - 1)/2) + 1`.
 */
function divideByNumber(a: SymbolicDim, b: number): Result {
  if (b === 1) return hasFractions(a) ? floorOf(a, 1) : a;
  if (hasFractions(a)) return floorOf(a, b);
  const outside: Term[] = [];
  const inside: Term[] = [];
  for (const term of a.terms) {
    const whole = Math.floor(term.coefficient / b);
    const rest = term.coefficient - whole * b;
    outside.push({ ...term, coefficient: whole });
    inside.push({ ...term, coefficient: rest });
  }
  const steps = Math.ceil(a.constant / b);
  const quotient = build(steps, outside);
  const remainder = build(a.constant - steps * b, inside);
  if (quotient === null || remainder === null) return null;
  const floored = floorOfRemainder(remainder, b);
  return floored === null ? null : addExpressions(quotient, floored);
}

function floorOfRemainder(a: Expression, b: number): Result {
  if (typeof a === "number") return Math.floor(a / b);
  const common = a.terms.reduce((divisor, term) => greatestDivisor(divisor, term.coefficient), b);
  if (common > 1) {
    const terms = a.terms.map((term) => ({ ...term, coefficient: term.coefficient / common }));
    const reduced = build(Math.floor(a.constant / common), terms);
    return reduced === null ? null : floorDivideExpressions(reduced, b / common);
  }
  const [term] = a.terms;
  const [atom] = term?.atoms ?? [];
  if (a.terms.length === 1 && term?.coefficient === 1 && term.atoms.length === 1 && atom && "floor" in atom) {
    // floor((floor(x/m) + k)/n) = floor((x + k*m)/(m*n))
    const [numerator, by] = atom.floor;
    if (typeof by === "number" && by > 0 && Number.isSafeInteger(by * b)) {
      const raised = addExpressions(numerator, a.constant * by);
      return raised === null ? null : floorDivideExpressions(raised, by * b);
    }
  }
  return floorOf(a, b);
}

/** The largest denominator of fractions that are told to be exact: factors of images are halves, quarters, eighths. */
const largestDenominator = 1024;

/** Rounded down; null where a coefficient is no fraction of a small power of two. */
export function floorExpression(a: SymbolicDim): Result {
  if (!hasFractions(a)) return a;
  for (let below = 2; below <= largestDenominator; below *= 2) {
    const whole = multiplyExpressions(a, below);
    if (whole === null || typeof whole === "number") return null;
    if (!hasFractions(whole)) return floorDivideExpressions(whole, below);
  }
  return null;
}

function divideBySymbolic(a: Expression, b: SymbolicDim): Result {
  if (a === 0) return 0;
  return divideExactly(a, b) ?? floorOf(a, b);
}

/** Each term over the one term that `b` is. */
function divideByMonomial(a: Expression, b: SymbolicDim): Result {
  const [divisor] = b.terms;
  if (b.constant !== 0 || b.terms.length !== 1 || !divisor || constantOf(a) !== 0) return null;
  const terms: Term[] = [];
  for (const term of termsOf(a)) {
    if (term.coefficient % divisor.coefficient !== 0) return null;
    const atoms = withoutAtoms(term.atoms, divisor.atoms);
    if (atoms === null) return null;
    terms.push({ coefficient: term.coefficient / divisor.coefficient, atoms });
  }
  const constant = terms.filter((t) => t.atoms.length === 0).reduce((sum, t) => sum + t.coefficient, 0);
  return build(
    constant,
    terms.filter((term) => term.atoms.length > 0),
  );
}

function withoutAtoms(atoms: readonly Atom[], taken: readonly Atom[]): readonly Atom[] | null {
  const rest = [...atoms];
  for (const atom of taken) {
    const at = rest.findIndex((other) => atomKey(other) === atomKey(atom));
    if (at < 0) return null;
    rest.splice(at, 1);
  }
  return rest;
}

/** Long division by a sum, as far as it goes without a rest: `(h + 1)*w` over `h + 1`. */
function divideByPolynomial(a: Expression, b: SymbolicDim): Result {
  const [lead] = b.terms;
  if (!lead) return null;
  let rest: Result = a;
  let quotient: Result = 0;
  for (let step = 0; step < maxSymbolicTerms; step++) {
    if (rest === 0) return quotient;
    const term = rest === null ? undefined : leadingTerm(termsOf(rest), lead);
    if (rest === null || quotient === null || term === undefined) return null;
    const part = build(term.atoms.length === 0 ? term.coefficient : 0, term.atoms.length === 0 ? [] : [term]);
    const product = part === null ? null : multiplyExpressions(part, b);
    rest = product === null ? null : subtractExpressions(rest, product);
    quotient = part === null ? null : addExpressions(quotient, part);
  }
  return null;
}

/** The first term that the divisor's leading one divides, divided by it. */
function leadingTerm(terms: readonly Term[], lead: Term): Term | undefined {
  for (const term of terms) {
    const atoms = withoutAtoms(term.atoms, lead.atoms);
    if (atoms && term.coefficient % lead.coefficient === 0) {
      return { coefficient: term.coefficient / lead.coefficient, atoms };
    }
  }
  return undefined;
}

/** Whether a coefficient is no whole number, as in half of a size; inside a floor there may be one all the same. */
export function hasFractions(dim: SymbolicDim): boolean {
  return (
    !Number.isSafeInteger(dim.constant) || dim.terms.some((term) => !Number.isSafeInteger(term.coefficient))
  );
}

function greatestDivisor(a: number, b: number): number {
  let [x, y] = [Math.abs(a), Math.abs(b)];
  while (y > 0) [x, y] = [y, x % y];
  return x;
}

// Bounds ---------------------------------------------------------------------------------------------------------

/**
 * A number that the expression does not fall below, -Infinity where none is found. Floors are replaced by the nearest
 * linear expression on the safe side, which lets them cancel; what is left over is bounded by sizes of at least 1.
 */
function lowerBound(dim: Expression): number {
  const linear = relaxed(dim, 0);
  if (linear === null) return Number.NEGATIVE_INFINITY;
  let bound = constantOf(linear);
  for (const term of termsOf(linear)) {
    if (term.coefficient < 0) return Number.NEGATIVE_INFINITY;
    bound += term.coefficient * term.atoms.reduce((product, atom) => product * atomBound(atom), 1);
  }
  return bound;
}

function atomBound(atom: Atom): number {
  if ("symbol" in atom) return 1;
  if ("max" in atom) return Math.max(0, ...atom.max.map(lowerBound));
  if ("min" in atom) return Math.max(0, Math.min(...atom.min.map(lowerBound)));
  const [numerator, by] = atom.floor;
  return typeof by === "number" && by > 0 ? Math.max(0, Math.floor(lowerBound(numerator) / by)) : 0;
}

function relaxed(dim: Expression, depth: number): Result {
  if (typeof dim === "number" || depth > 8) return dim;
  let sum: Result = dim.constant;
  for (const term of dim.terms) {
    const part = relaxedTerm(term, depth);
    sum = sum === null || part === null ? null : addExpressions(sum, part);
  }
  return sum;
}

function relaxedTerm(term: Term, depth: number): Result {
  const [atom] = term.atoms;
  const whole = build(0, [term]);
  if (term.atoms.length !== 1 || !atom || !("floor" in atom)) return whole;
  const [numerator, by] = atom.floor;
  if (typeof by !== "number" || by <= 0) return whole;
  const shifted = term.coefficient > 0 ? subtractExpressions(numerator, by - 1) : numerator;
  const scaled = shifted === null ? null : multiplyExpressions(shifted, term.coefficient / by);
  return scaled === null ? null : relaxed(scaled, depth + 1);
}

// Substitution ---------------------------------------------------------------------------------------------------

function substituteAtom(atom: Atom, sizes: ReadonlyMap<string, Expression>): Result {
  if ("symbol" in atom) return sizes.get(atom.symbol) ?? fromAtom(atom);
  const parts = argumentsOf(atom).map((part) => (typeof part === "number" ? part : substitute(part, sizes)));
  if (parts.includes(null)) return null;
  const [first, ...rest] = parts as readonly Expression[];
  if (first === undefined) return null;
  const combine = "floor" in atom ? floorDivideExpressions : "max" in atom ? maxExpressions : minExpressions;
  let result: Result = first;
  for (const part of rest) result = result === null ? null : combine(result, part);
  return result;
}
