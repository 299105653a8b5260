import { expect, test } from "vitest";
import { NodeView } from "../../../importers/onnx/op.ts";

test("an element type that nobody knows is none", () => {
  const attributes = [
    { name: "to", kind: "int", value: 1 },
    { name: "stash_type", kind: "int", value: 77 },
    { name: "dtype", kind: "int", value: 0 },
  ] as const;
  const plain = { inputs: [], outputs: [], name: "", domain: "", overload: "", metadata: new Map() };
  const view = new NodeView({ ...plain, opType: "Cast", attributes }, 13);
  expect(["to", "stash_type", "dtype", "from"].map((name) => view.dtype(name))).toEqual([
    "float32",
    null,
    null,
    null,
  ]);
});
