/** Symbolic dimensions of a model that is read from JSON. */

import { maxSymbolicDepth, maxSymbolicTerms } from "../limits.ts";
import { each, fail, type Key, list, object, type Place, text } from "./fault.ts";

/** @throws Fault unless `value` is a symbolic dimension of bounded size. */
export function checkExpression(value: unknown, at: Place, depth: number): void {
  if (depth > maxSymbolicDepth) fail(at, `nested at most ${maxSymbolicDepth} deep`);
  const dim = object(value, at);
  finite(dim.constant, at, "constant");
  const terms = list(dim.terms, at, "terms");
  if (terms.length === 0 || terms.length > maxSymbolicTerms) fail(at, `of 1 to ${maxSymbolicTerms} terms`);
  each(terms, at, "terms", (item, place) => {
    const term = object(item, place);
    finite(term.coefficient, place, "coefficient");
    const atoms = list(term.atoms, place, "atoms");
    if (atoms.length === 0 || atoms.length > maxSymbolicTerms)
      fail(at, `of 1 to ${maxSymbolicTerms} factors`);
    each(atoms, place, "atoms", (atom, where) => checkAtom(atom, where, depth));
  });
}

function checkAtom(value: unknown, at: Place, depth: number): void {
  const atom = object(value, at);
  if (atom.symbol !== undefined) {
    text(atom.symbol, at, "symbol");
    return;
  }
  const kind = ["floor", "max", "min"].find((name) => atom[name] !== undefined) ?? fail(at, "an atom");
  const parts = list(atom[kind], at, kind);
  if (parts.length < 2 || parts.length > maxSymbolicTerms || (kind === "floor" && parts.length > 2))
    fail(at, "of a fitting length", kind);
  each(parts, at, kind, (part, where) => {
    if (typeof part === "number") finite(part, where);
    else checkExpression(part, where, depth + 1);
  });
}

function finite(value: unknown, at: Place, key?: Key): void {
  if (typeof value !== "number" || !Number.isFinite(value)) fail(at, "a number", key);
}
