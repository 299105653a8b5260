import { expect, test } from "vitest";
import { knownBuffers } from "../../../importers/state-dict/known-buffers.ts";
import type { NamedTensor } from "../../../importers/state-dict/state-dict.ts";

const tensor = (name: string, shape: readonly number[] = [4], dtype: NamedTensor["dtype"] = "float32") => ({
  name,
  dtype,
  shape,
  bytes: 16,
});

const classesOf = (...tensors: readonly NamedTensor[]) =>
  Object.fromEntries([...knownBuffers(tensors)].map(([name, found]) => [name, found.class]));

test("names of buffers, wherever they stand; of other names nothing is said", () => {
  expect(
    classesOf(
      tensor("model.rotary_emb.inv_freq"),
      tensor("final_logits_bias", [1, 4]),
      tensor("h.0.attn.bias", [1, 1, 8, 8]),
      tensor("h.0.attn.weight"),
      tensor("h.1.mlp.bias"),
      tensor("onnx::MatMul_12"),
      tensor("pos_embed"),
      tensor("blur.filt"),
      tensor("bn.running_mean"),
    ),
  ).toEqual({
    "model.rotary_emb.inv_freq": "constant",
    final_logits_bias: "constant",
    "h.0.attn.bias": "constant",
    "blur.filt": "unclassified",
    "bn.running_mean": "statistic",
  });
});

test("rules that look at the names beside see them", () => {
  expect(classesOf(tensor("conv.weight_orig"), tensor("conv.weight_u"))).toEqual({
    "conv.weight_u": "statistic",
  });
  expect(classesOf(tensor("conv.weight_u"))).toEqual({});
});

test("a transform of signals is told by its own name, or by the module that it stands in", () => {
  const names = ["a.stft.forward_basis", "a.mel_scale.fb", "a.resample.kernel", "a.spectrogram.window"];
  expect(Object.values(classesOf(...names.map((name) => tensor(name))))).toEqual(names.map(() => "constant"));
  expect(classesOf(tensor("a.proj.fb"), tensor("a.attention.kernel"), tensor("a.fb"))).toEqual({});
});

test("whole numbers are left to their slot", () => {
  expect(classesOf(tensor("m.position_ids", [1, 4], "int64"), tensor("m.inv_freq", [4], "int8"))).toEqual({});
});
