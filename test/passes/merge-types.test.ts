import { expect, test } from "vitest";
import { maxDims } from "../../src/ir/dim.ts";
import { symbol } from "../../src/ir/symbolic-dim.ts";
import { mergeTypes } from "../../src/passes/merge-types.ts";

const [seq, past] = [symbol("seq"), symbol("past")];
const type = (...shape: readonly (number | typeof seq | null)[]) => ({ dtype: "float32", shape }) as const;

test("what is inferred goes before what is declared, but for the choice between sizes, which the file may know", () => {
  expect(mergeTypes(type(2, null, seq), type(null, 3, past))).toEqual({
    merged: type(2, 3, seq),
    conflict: false,
  });
  expect(mergeTypes(type(maxDims(seq, past)), type(past)).merged).toEqual(type(past));
  expect(mergeTypes(type(maxDims(seq, past)), type(symbol("other"))).merged).toEqual(
    type(maxDims(seq, past)),
  );
  expect(mergeTypes(type(2), type(3))).toEqual({ merged: type(2), conflict: true });
});
