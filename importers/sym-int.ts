/** Sizes as PyTorch writes them into exported programs and ONNX files: sympy's expressions, as `srepr` or `str` writes them, into symbolic dimensions. */

import {
  addDims,
  ceilDivideDim,
  type Dim,
  divideProducts,
  floorDivideDim,
  maxDims,
  minDims,
  moduloDim,
  multiplyDims,
} from "../src/ir/dim.ts";
import { symbol, symbolsOf } from "../src/ir/symbolic-dim.ts";
import { maxSymIntCharacters, maxSymIntDepth } from "../src/limits/pytorch.ts";

/** A number over a number: sympy writes `s0//2` also as `floor(s0*Rational(1, 2))`. Null: not known. */
type Fraction = { readonly above: Dim; readonly below: Dim } | null;

const whole = (above: Dim): Fraction => (above === null ? null : { above, below: 1 });

const unknown: Dim = null;

/** The size that an expression stands for; null, unknown, for what is no arithmetic on whole numbers. */
export function parseSymInt(text: string): Dim {
  if (text.length > maxSymIntCharacters) return unknown;
  const tokens = text.match(/'[^']*'|"[^"]*"|\d+\.\d+|\d+|[A-Za-z_][\w.]*|\/\/|\*\*|[-+*/%(),=]|\S/g) ?? [];
  const parser = new Parser(tokens);
  const value = parser.sum(0);
  return value === null || !parser.done() ? unknown : exact(value);
}

function exact(value: Fraction): Dim {
  if (value === null) return unknown;
  return value.below === 1 ? value.above : divideProducts([value.above], [value.below]);
}

function times(a: Fraction, b: Fraction): Fraction {
  if (a === null || b === null) return null;
  return { above: multiplyDims(a.above, b.above), below: multiplyDims(a.below, b.below) };
}

function plus(a: Fraction, b: Fraction): Fraction {
  if (a === null || b === null) return null;
  if (a.below === 1 && b.below === 1) return whole(addDims(a.above, b.above));
  const above = addDims(multiplyDims(a.above, b.below), multiplyDims(b.above, a.below));
  return { above, below: multiplyDims(a.below, b.below) };
}

function over(a: Fraction, b: Fraction): Fraction {
  return b === null || b.above === 0 ? null : times(a, { above: b.below, below: b.above });
}

function floored(value: Fraction): Fraction {
  return value === null ? null : whole(floorDivideDim(value.above, value.below));
}

function power(base: Fraction, exponent: Fraction): Fraction {
  const times_ = exact(exponent);
  if (typeof times_ !== "number" || Math.abs(times_) > 8) return null;
  let result: Fraction = { above: 1, below: 1 };
  for (let i = 0; i < Math.abs(times_); i++) result = times(result, base);
  return times_ < 0 ? over({ above: 1, below: 1 }, result) : result;
}

/** A decimal as a fraction of a power of two; none for 0.1, which is no such fraction as it is written. */
function decimal(text: string): Fraction {
  const value = Number(text);
  for (let below = 1; below <= 1024; below *= 2) {
    if (Number.isSafeInteger(value * below)) return { above: value * below, below };
  }
  return null;
}

const fold =
  (combine: (a: Fraction, b: Fraction) => Fraction) =>
  (...items: readonly Fraction[]): Fraction =>
    items.length === 0 ? null : items.reduce(combine);

const onDims =
  (combine: (a: Dim, b: Dim) => Dim) =>
  (a: Fraction, b: Fraction): Fraction =>
    whole(combine(exact(a), exact(b)));

const floorDivision = (a: Fraction, b: Fraction): Fraction => floored(over(a, b));
const first = (a: Fraction): Fraction => a;

/** What sympy and PyTorch's own functions on sizes do. */
const functions: Readonly<Record<string, (...items: Fraction[]) => Fraction>> = {
  Integer: first,
  Add: fold(plus),
  Mul: fold(times),
  Pow: (a = null, b = null) => power(a, b),
  PowByNatural: (a = null, b = null) => power(a, b),
  Rational: (a = null, b = null) => over(a, b),
  Max: fold(onDims(maxDims)),
  Min: fold(onDims(minDims)),
  Mod: (a = null, b = null) => onDims(moduloDim)(a, b),
  PythonMod: (a = null, b = null) => onDims(moduloDim)(a, b),
  FloorDiv: (a = null, b = null) => floorDivision(a, b),
  CleanDiv: (a = null, b = null) => floorDivision(a, b),
  CeilDiv: (a = null, b = null) => onDims(ceilDivideDim)(a, b),
  IntTrueDiv: (a = null, b = null) => over(a, b),
  FloatTrueDiv: (a = null, b = null) => over(a, b),
  ToFloat: first,
  floor: (a = null) => floored(a),
  FloorToInt: (a = null) => floored(a),
  // Sizes are not negative.
  TruncToInt: (a = null) => floored(a),
  ceiling: (a = null) => (a === null ? null : whole(ceilDivideDim(a.above, a.below))),
  CeilToInt: (a = null) => (a === null ? null : whole(ceilDivideDim(a.above, a.below))),
};

/** Sizes that values decide, as how many elements are not zero. */
const unbacked = /^u\d+$/;

const constants: Readonly<Record<string, number>> = { Zero: 0, One: 1, NegativeOne: -1 };

class Parser {
  private readonly tokens: readonly string[];
  /** Sizes that may be 0: nothing says that they are positive, and which of two is larger is then open. */
  private readonly mayBeZero = new Set<string>();
  private at = 0;

  constructor(tokens: readonly string[]) {
    this.tokens = tokens;
  }

  done(): boolean {
    return this.at === this.tokens.length;
  }

  sum(depth: number): Fraction {
    let value = this.product(depth);
    for (let sign = this.peek(); sign === "+" || sign === "-"; sign = this.peek()) {
      this.at += 1;
      const next = this.product(depth);
      value = plus(value, sign === "-" ? times(next, whole(-1)) : next);
    }
    return value;
  }

  private product(depth: number): Fraction {
    let value = this.factor(depth);
    for (let sign = this.peek(); sign !== undefined && /^(\*|\/|\/\/|%)$/.test(sign); sign = this.peek()) {
      this.at += 1;
      const next = this.factor(depth);
      if (sign === "*") value = times(value, next);
      else if (sign === "/") value = over(value, next);
      else value = sign === "%" ? onDims(moduloDim)(value, next) : floorDivision(value, next);
    }
    return value;
  }

  private factor(depth: number): Fraction {
    if (depth > maxSymIntDepth) return null;
    if (this.take("-")) return times(this.factor(depth + 1), whole(-1));
    const base = this.operand(depth);
    return this.take("**") ? power(base, this.factor(depth + 1)) : base;
  }

  private operand(depth: number): Fraction {
    const token = this.tokens[this.at++];
    if (token === undefined) return null;
    if (token === "(") {
      const value = this.sum(depth + 1);
      return this.take(")") ? value : null;
    }
    if (/^\d+\.\d+$/.test(token)) return decimal(token);
    if (/^\d+$/.test(token)) return Number.isSafeInteger(Number(token)) ? whole(Number(token)) : null;
    if (!/^[A-Za-z_]/.test(token)) return null;
    if (unbacked.test(token)) this.mayBeZero.add(token);
    return this.take("(") ? this.call(token.slice(token.lastIndexOf(".") + 1), depth) : named(token);
  }

  /** After the opening bracket. Assumptions (`positive=True`) are passed over. */
  private call(name: string, depth: number): Fraction {
    const quoted = /^['"](.*)['"]$/.exec(this.peek() ?? "");
    const items: Fraction[] = [];
    let positive = false;
    if (quoted) this.at += 1;
    while (!this.take(")")) {
      this.take(",");
      if (this.done()) return null;
      if (this.tokens[this.at + 1] === "=") {
        positive ||= this.peek() === "positive" && this.tokens[this.at + 2] === "True";
        this.at += 3;
      } else if (this.peek() !== ")") {
        const before = this.at;
        items.push(this.sum(depth + 1));
        if (this.at === before) return null;
      }
    }
    if (name === "Float") return quoted?.[1] ? decimal(quoted[1]) : null;
    if (name === "Symbol" || name === "Dummy") {
      if (quoted?.[1] && !positive && unbacked.test(quoted[1])) this.mayBeZero.add(quoted[1]);
      return quoted?.[1] ? whole(symbol(quoted[1])) : null;
    }
    if (/^(Max|Min)$/.test(name) && items.some((item) => this.isOpen(item))) return null;
    return Object.hasOwn(functions, name) ? (functions[name]?.(...items) ?? null) : null;
  }

  private isOpen(value: Fraction): boolean {
    return [value?.above, value?.below].some((dim) => {
      const names = typeof dim === "object" && dim !== null ? [...symbolsOf(dim)] : [];
      return names.some((name) => this.mayBeZero.has(name));
    });
  }

  private peek(): string | undefined {
    return this.tokens[this.at];
  }

  private take(token: string): boolean {
    if (this.tokens[this.at] !== token) return false;
    this.at += 1;
    return true;
  }
}

function named(token: string): Fraction {
  const base = token.replace(/^S\./, "");
  if (Object.hasOwn(constants, base)) return whole(constants[base] ?? null);
  return /^(oo|zoo|nan|True|False|int_oo)$/.test(token) ? null : whole(symbol(token));
}
