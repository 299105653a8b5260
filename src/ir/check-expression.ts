/** Symbolic dimensions of a model that is read from JSON. */

import { maxSymbolicDepth, maxSymbolicTerms } from "../limits.ts";
import { fail, list, object, text } from "./fault.ts";

/** @throws Fault unless `value` is a symbolic dimension of bounded size. */
export function checkExpression(value: unknown, at: string, depth: number): void {
  if (depth > maxSymbolicDepth) fail(at, `nested at most ${maxSymbolicDepth} deep`);
  const dim = object(value, at);
  finite(dim.constant, `${at}.constant`);
  const terms = list(dim.terms, `${at}.terms`);
  if (terms.length === 0 || terms.length > maxSymbolicTerms) fail(at, `of 1 to ${maxSymbolicTerms} terms`);
  for (const [i, item] of terms.entries()) {
    const term = object(item, `${at}.terms[${i}]`);
    finite(term.coefficient, `${at}.terms[${i}].coefficient`);
    const atoms = list(term.atoms, `${at}.terms[${i}].atoms`);
    if (atoms.length === 0 || atoms.length > maxSymbolicTerms)
      fail(at, `of 1 to ${maxSymbolicTerms} factors`);
    for (const [k, atom] of atoms.entries()) checkAtom(atom, `${at}.terms[${i}].atoms[${k}]`, depth);
  }
}

function checkAtom(value: unknown, at: string, depth: number): void {
  const atom = object(value, at);
  if (atom.symbol !== undefined) {
    text(atom.symbol, `${at}.symbol`);
    return;
  }
  const kind = ["floor", "max", "min"].find((name) => atom[name] !== undefined) ?? fail(at, "an atom");
  const parts = list(atom[kind], `${at}.${kind}`);
  if (parts.length < 2 || parts.length > maxSymbolicTerms || (kind === "floor" && parts.length > 2))
    fail(`${at}.${kind}`, "of a fitting length");
  for (const [i, part] of parts.entries()) {
    if (typeof part === "number") finite(part, `${at}.${kind}[${i}]`);
    else checkExpression(part, `${at}.${kind}[${i}]`, depth + 1);
  }
}

function finite(value: unknown, at: string): void {
  if (typeof value !== "number" || !Number.isFinite(value)) fail(at, "a number");
}
