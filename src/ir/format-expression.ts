/** Symbolic dimensions as text. */

import type { Atom, Expression, Term } from "./expression.ts";

const names = /^[A-Za-z_?][\w.]*$/;

/** `floor((h - 1)/2) + 1`. A name that is no plain word stands in angle brackets when there is more than the name. */
export function formatExpression(dim: Expression): string {
  if (typeof dim === "number") return String(dim);
  const [only] = dim.terms;
  const [atom] = only?.atoms ?? [];
  const alone =
    dim.constant === 0 && dim.terms.length === 1 && only?.coefficient === 1 && only.atoms.length === 1;
  if (alone && atom && "symbol" in atom) return atom.symbol;
  const parts = dim.terms.map((term) => [term.coefficient < 0, formatTerm(term)] as const);
  // What grows stands before what shrinks.
  parts.sort(([a], [b]) => Number(a) - Number(b));
  let text = "";
  for (const [negative, part] of parts) {
    if (text === "") text = negative ? `-${part}` : part;
    else text += negative ? ` - ${part}` : ` + ${part}`;
  }
  if (dim.constant === 0) return text;
  return `${text} ${dim.constant < 0 ? "-" : "+"} ${Math.abs(dim.constant)}`;
}

function formatTerm({ coefficient, atoms }: Term): string {
  const size = Math.abs(coefficient);
  const counted = new Map<string, number>();
  for (const atom of atoms) {
    const text = formatAtom(atom);
    counted.set(text, (counted.get(text) ?? 0) + 1);
  }
  const factors = [...counted].map(([text, power]) => (power === 1 ? text : `${text}^${power}`));
  return (size === 1 ? factors : [String(size), ...factors]).join("*");
}

function formatAtom(atom: Atom): string {
  if ("symbol" in atom) return names.test(atom.symbol) ? atom.symbol : `<${atom.symbol}>`;
  if ("floor" in atom) return `floor(${atom.floor.map(formatOperand).join("/")})`;
  if ("max" in atom) return `max(${atom.max.map(formatExpression).join(", ")})`;
  return `min(${atom.min.map(formatExpression).join(", ")})`;
}

function formatOperand(dim: Expression): string {
  const text = formatExpression(dim);
  return typeof dim !== "number" && (dim.constant !== 0 || dim.terms.length > 1 || /[*]/.test(text))
    ? `(${text})`
    : text;
}
