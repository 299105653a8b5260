import { expect, test } from "vitest";
import { maxDims } from "../../src/ir/dim.ts";
import { symbol } from "../../src/ir/symbolic-dim.ts";
import { mergeTypes } from "../../src/passes/merge-types.ts";

const [seq, past] = [symbol("seq"), symbol("past")];
const type = (...shape: readonly (number | typeof seq | null)[]) => ({ dtype: "float32", shape }) as const;

test("what is inferred goes before what is declared, but for the choice between sizes, which the file may know", () => {
  expect(mergeTypes(type(2, null, seq), type(null, 3, past), false)).toEqual({
    merged: type(2, 3, seq),
    conflict: false,
  });
  expect(mergeTypes(type(maxDims(seq, past)), type(past), false).merged).toEqual(type(past));
  expect(mergeTypes(type(maxDims(seq, past)), type(symbol("other")), false).merged).toEqual(
    type(maxDims(seq, past)),
  );
  expect(mergeTypes(type(2), type(3), false)).toEqual({ merged: type(2), conflict: true });
});

test("a number where a named size follows was one run's, unless it was traced", () => {
  expect(mergeTypes(type(seq, 4), type(1, 4), false)).toEqual({ merged: type(seq, 4), conflict: true });
  expect(mergeTypes(type(seq, 4), type(1, 4), true)).toEqual({ merged: type(1, 4), conflict: false });
  expect(mergeTypes(type(maxDims(seq, past)), type(7), false)).toEqual({ merged: type(7), conflict: false });
});
