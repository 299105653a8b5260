/** Names as the exporters of PyTorch 2.14 and tf2onnx write them. */

import { expect, test } from "vitest";
import { modulesOf, ownerName } from "../../../importers/onnx/names.ts";

const node = (name: string, metadata: Readonly<Record<string, string>> = {}) => ({
  name,
  opType: "Add",
  domain: "",
  overload: "",
  inputs: [],
  outputs: [],
  attributes: [],
  metadata: new Map(Object.entries(metadata)),
});

const scoped = (scopes: readonly string[], classes: readonly string[]) =>
  node("node_Add_1", {
    "pkg.torch.onnx.name_scopes": JSON.stringify(scopes).replaceAll('"', "'"),
    "pkg.torch.onnx.class_hierarchy": JSON.stringify(classes).replaceAll('"', "'"),
  });

test("modules from scopes; what PyTorch adds for a node of its own is none", () => {
  expect(
    modulesOf(
      scoped(
        ["", "layer1", "layer1.0", "relu"],
        ["torchvision.models.resnet.ResNet", "torch.nn.Sequential", "BasicBlock", "aten.relu"],
      ),
    ),
  ).toEqual([
    { path: "layer1", type: "Sequential" },
    { path: "layer1.0", type: "BasicBlock" },
  ]);
  const own = "_empty_nn_module_stack_from_metadata_hook";
  expect(modulesOf(scoped([own, "sym_size_int_22"], [own, "aten.sym_size.int"]))).toEqual([]);
});

test("modules from the names of nodes", () => {
  expect(modulesOf(node("/layer1/layer1.0/conv1/Conv")).map(({ path }) => path)).toEqual([
    "layer1",
    "layer1.0",
    "layer1.0.conv1",
  ]);
  expect(modulesOf(node("StatefulPartitionedCall/model/dense/MatMul")).map(({ path }) => path)).toEqual([
    "model",
    "model/dense",
  ]);
  expect(modulesOf(node("Conv_3"))).toEqual([]);
});

test("owners of tensors", () => {
  expect(ownerName("layer1.0.conv1.weight")).toBe("layer1.0.conv1");
  expect(ownerName("StatefulPartitionedCall/model/dense/MatMul/ReadVariableOp:0")).toBe("model/dense");
  expect(ownerName("onnx::MatMul_123")).toBeNull();
});
