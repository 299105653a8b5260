import { describe, expect, test } from "vitest";
import { type Dim, multiplyDims } from "../../src/ir/dim.ts";
import { formatShape, type Shape } from "../../src/ir/shape.ts";
import { symbol } from "../../src/ir/symbolic-dim.ts";
import { named, run } from "./run-operator.ts";

const batch = symbol("batch");
const seq = symbol("seq");

describe("reshape", () => {
  const to = (shape: Shape, target: readonly Dim[], attributes = {}): string =>
    formatShape(
      run(
        { operator: "GraphReshape", attributes },
        named("data", shape),
        named("shape", [target.length], target),
      ).shapes[0] ?? null,
    );

  test("copies for 0 and works -1 out", () => {
    expect(to([2, 3, 4], [0, -1])).toBe("(2, 12)");
    expect(to([batch, seq, 768], [0, 0, 12, -1])).toBe("(batch, seq, 12, 64)");
    expect(to([batch, seq, 768], [-1, 768])).toBe("(batch*seq, 768)");
    expect(to([multiplyDims(batch, seq), 8], [batch, -1, 8])).toBe("(batch, seq, 8)");
    expect(to([null, 8], [0, 2, -1])).toBe("(?, 2, 4)");
    expect(to([0, 4], [0, 3], { allowZero: true })).toBe("(0, 3)");
  });

  test("works out one size of which nothing is known", () => {
    expect(to([batch, 6], [batch, null, 2])).toBe("(batch, 3, 2)");
    expect(to([batch, 6], [null, null])).toBe("(?, ?)");
    expect(to(null, [0, -1, 3])).toBe("(?, ?, 3)");
  });

  test("refuses what does not fit", () => {
    expect(() => to([4, 3], [5, -1])).toThrow("does not fit");
    expect(() => to([4, 3], [4, 4])).toThrow("does not fit");
    expect(() => to([4], [-1, -1])).toThrow("more than one -1");
    expect(() => to([4], [4, 0])).toThrow("no axis");
    expect(() => to([4], [-4])).toThrow("no size");
  });
});

test("axes of size 1 come and go", () => {
  const shape = (operator: string, from: Shape, axes: readonly number[] | null): Shape =>
    run({ operator, attributes: { axes } }, named("data", from)).shapes[0] ?? null;
  expect(shape("Unsqueeze", [seq, 4], [0, -1])).toEqual([1, seq, 4, 1]);
  expect(shape("GraphSqueeze", [1, seq, 1], [0, -1])).toEqual([seq]);
  expect(shape("GraphSqueeze", [1, 4, 1], null)).toEqual([4]);
  // A named size may be 1.
  expect(shape("GraphSqueeze", [1, seq], null)).toBeNull();
  // Of an empty list onnx's reference makes nothing, onnxruntime 1.31 removes all axes of size 1.
  expect(shape("GraphSqueeze", [4, 1], [])).toBeNull();
  expect(shape("GraphSqueeze", [4, 2], [])).toEqual([4, 2]);
  expect(() => shape("GraphSqueeze", [4, 1], [0])).toThrow("is not 1");
});

test("sizes are values", () => {
  const shape = run(
    { operator: "GraphShape", attributes: { start: 1, end: -1 } },
    named("data", [2, seq, 3, 4]),
  );
  expect(shape.shapes).toEqual([[2]]);
  expect(shape.values).toEqual([[seq, 3]]);
  expect(run({ operator: "GraphSize" }, named("data", [2, seq])).values).toEqual([multiplyDims(2, seq)]);
});

test("the pads that PyTorch writes backwards are turned over", () => {
  // pads (1, 2, 3, 4) of the last axes first -> one column a side, rows turned over, transposed, flat.
  const rows = run(
    { operator: "GraphReshape", attributes: { shape: [-1, 2] } },
    named("data", [8], [1, 2, 3, 4, 0, 0, 0, 0]),
  );
  const turned = run(
    { operator: "GraphSlice", attributes: {} },
    named("data", [4, 2], rows.values[0]),
    ...[-1, Number.MIN_SAFE_INTEGER, 0, -1].map((value, i) =>
      named(["starts", "ends", "axes", "steps"][i] ?? "", [1], [value]),
    ),
  );
  const columns = run(
    { operator: "GraphTranspose", attributes: { axes: [1, 0] } },
    named("data", [4, 2], turned.values[0]),
  );
  expect(columns.values).toEqual([[0, 0, 3, 1, 0, 0, 4, 2]]);
  const padded = run(
    { operator: "GraphPad" },
    named("data", [batch, 3, 10, seq]),
    named("pads", [8], columns.values[0]),
  );
  expect(formatShape(padded.shapes[0] ?? null)).toBe("(batch, 3, 17, seq + 3)");
});

test("pixels move between channels and space", () => {
  const part = (operator: string) => ({ operator, attributes: { blockSize: 2 } });
  expect(run(part("GraphDepthToSpace"), named("input", [batch, 8, 3, 5])).shapes).toEqual([
    [batch, 2, 6, 10],
  ]);
  expect(run(part("GraphSpaceToDepth"), named("input", [batch, 2, 6, 10])).shapes).toEqual([
    [batch, 8, 3, 5],
  ]);
});
