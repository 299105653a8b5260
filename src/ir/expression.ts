/** The canonical form of symbolic dimensions: what they are made of, and how they are put together and told apart. */

import { maxSymbolicDepth, maxSymbolicTerms } from "../limits.ts";

/** `constant + sum of coefficient * product of atoms`; it has at least one term. Terms and atoms are sorted by their key. */
export type SymbolicDim = {
  readonly constant: number;
  readonly terms: readonly Term[];
};

export type Term = {
  readonly coefficient: number;
  readonly atoms: readonly Atom[];
};

/** What is no sum or product: a named size, or a function of expressions. */
export type Atom =
  | { readonly symbol: string }
  /** Numerator over denominator, rounded down. */
  | { readonly floor: readonly [Expression, Expression] }
  | { readonly max: readonly Expression[] }
  | { readonly min: readonly Expression[] };

/** An expression, or the number it comes to. */
export type Expression = number | SymbolicDim;

export type Result = Expression | null;

export function sameExpression(a: Expression, b: Expression): boolean {
  if (a === b) return true;
  if (typeof a === "number" || typeof b === "number") return false;
  return keyOf(a) === keyOf(b);
}

const keys = new WeakMap<object, string>();

export function keyOf(value: SymbolicDim): string {
  return cached(value, () =>
    [...value.terms.map((t) => `${t.coefficient}*${termKey(t)}`), value.constant].join("+"),
  );
}

export function termKey(term: Term): string {
  return term.atoms.map(atomKey).join("*");
}

export function atomKey(atom: Atom): string {
  return cached(atom, () => {
    if ("symbol" in atom) return JSON.stringify(atom.symbol);
    const kind = "floor" in atom ? "floor" : "max" in atom ? "max" : "min";
    return `${kind}(${argumentsOf(atom)
      .map((part) => (typeof part === "number" ? String(part) : keyOf(part)))
      .join(",")})`;
  });
}

export function cached(value: object, make: () => string): string {
  let key = keys.get(value);
  if (key === undefined) {
    key = make();
    keys.set(value, key);
  }
  return key;
}

export function argumentsOf(atom: Exclude<Atom, { symbol: string }> | Atom): readonly Expression[] {
  if ("symbol" in atom) return [];
  return "floor" in atom ? atom.floor : "max" in atom ? atom.max : atom.min;
}

export function constantOf(dim: Expression): number {
  return typeof dim === "number" ? dim : dim.constant;
}

export function termsOf(dim: Expression): readonly Term[] {
  return typeof dim === "number" ? [] : dim.terms;
}

export function fromAtom(atom: Atom): SymbolicDim {
  return { constant: 0, terms: [{ coefficient: 1, atoms: [atom] }] };
}

export function finite(value: number): number | null {
  return Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER ? value : null;
}

/** Adds up terms with the same atoms, drops those that are zero, sorts. */
export function build(constant: number, terms: readonly Term[]): Result {
  const merged = new Map<string, Term>();
  for (const term of terms) {
    if (term.coefficient === 0) continue;
    const key = termKey(term);
    const before = merged.get(key);
    merged.set(key, before ? { ...term, coefficient: before.coefficient + term.coefficient } : term);
  }
  const kept = [...merged].filter(([, term]) => term.coefficient !== 0);
  if (finite(constant) === null || kept.some(([, term]) => finite(term.coefficient) === null)) return null;
  if (kept.length === 0) return constant;
  if (kept.length > maxSymbolicTerms || kept.some(([, term]) => term.atoms.length > maxSymbolicTerms))
    return null;
  kept.sort(([a], [b]) => (a < b ? -1 : 1));
  return { constant, terms: kept.map(([, term]) => term) };
}

export function sortedAtoms(atoms: readonly Atom[]): readonly Atom[] {
  return atoms.toSorted((a, b) => (atomKey(a) < atomKey(b) ? -1 : 1));
}

export function atomOf(make: (items: readonly Expression[]) => Atom, parts: readonly Expression[]): Result {
  const distinct = parts.filter((part, i) => parts.findIndex((other) => sameExpression(part, other)) === i);
  const atom = make(distinct.toSorted((a, b) => (textKey(a) < textKey(b) ? -1 : 1)));
  return distinct.length > maxSymbolicTerms || depthOf(atom) > maxSymbolicDepth ? null : fromAtom(atom);
}

export function textKey(dim: Expression): string {
  return typeof dim === "number" ? `~${dim}` : keyOf(dim);
}

export function partsOf(dim: Expression, kind: "max" | "min"): readonly Expression[] {
  const atom = onlyAtom(dim);
  if (atom && kind === "max" && "max" in atom) return atom.max;
  if (atom && kind === "min" && "min" in atom) return atom.min;
  return [dim];
}

/** The atom, when the expression is nothing else. */
export function onlyAtom(dim: Expression): Atom | null {
  if (typeof dim === "number" || dim.constant !== 0 || dim.terms.length !== 1) return null;
  const [term] = dim.terms;
  return term?.coefficient === 1 && term.atoms.length === 1 ? (term.atoms[0] ?? null) : null;
}

const depths = new WeakMap<object, number>();

export function depthOf(atom: Atom): number {
  const known = depths.get(atom);
  if (known !== undefined) return known;
  let depth = 1;
  for (const part of argumentsOf(atom)) {
    for (const { atoms } of termsOf(part)) {
      for (const inner of atoms) depth = Math.max(depth, 1 + depthOf(inner));
    }
  }
  depths.set(atom, depth);
  return depth;
}
