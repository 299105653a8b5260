/** Style torchinfo against what torchinfo itself printed, byte for byte but for what a program does not tell. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { memorySource } from "../../src/io/memory.ts";
import { formatSummary, inspect, summaryNotes, torchinfoColumns } from "../../src/public/index.ts";
import { inspectFile } from "../../src/public/node.ts";
import { openZip, type ZipEntry } from "../../src/wire/zip.ts";
import { fixture, runCli } from "../cli/run-cli.ts";
import { labelOf, programOf, reasonsOf, truths } from "./torchinfo-truth.ts";

/** Texts that differ, by the reasons that `reasonsOf` finds; `name:depth` where the depth is not 3. */
const differing: Readonly<Record<string, string>> = {
  class: `small/again small/frozen small/frozen:1 small/frozen:99 small/frozen:wide small/frozen:2:wide timm/pvt_v2_b0
    torchvision/deeplabv3_mobilenet_v3_large torchvision/deeplabv3_resnet50 torchvision/maxvit_t
    torchvision/ssd300_vgg16-backbone torchvision/ssdlite320_mobilenet_v3_large-backbone
    transformers/albert transformers/albert:99 transformers/bert-classifier transformers/bert
    transformers/bert:99 transformers/bert:wide transformers/t5:2:wide transformers/clip-vision transformers/deit transformers/distilbert
    transformers/electra transformers/gemma transformers/gpt-neox transformers/gpt2 transformers/llama
    transformers/opt transformers/qwen2 transformers/roberta transformers/vit`,
  "class other several": `torchvision/fasterrcnn_mobilenet_v3_large_320_fpn-backbone`,
  "class several": `timm/crossvit_tiny_240 torchvision/retinanet_resnet50_fpn-backbone transformers/bart
    transformers/mixtral transformers/segformer transformers/swin transformers/t5 transformers/t5:99 transformers/t5:wide
    transformers/wav2vec2`,
  "class several silent": `timm/coat_tiny timm/hrnet_w18_small`,
  "class silent": `timm/cait_xxs24_224 timm/convit_tiny timm/eva02_tiny_patch14_224 timm/fastvit_t8 timm/gcvit_xxtiny
    timm/mobileone_s0 timm/poolformer_s12 timm/res2net50_26w_4s timm/test_vit_relpos
    timm/xcit_nano_12_p16_224 torchvision/mvit_v1_b torchvision/mvit_v2_s`,
  // A second name of a module in a pickle is told, and has no row.
  other: "weights/Shared",
  several: `torchvision/lraspp_mobilenet_v3_large torchvision/raft_large torchvision/raft_small:1`,
  "several silent": `timm/pit_ti_224 torchvision/raft_small torchvision/raft_small:99`,
  silent: `timm/bat_resnext26ts timm/convnext_atto timm/convnextv2_atto timm/deit_tiny_distilled_patch16_224
    timm/dla34 timm/dpn48b timm/edgenext_xx_small timm/efficientformer_l1 timm/efficientvit_b0
    timm/efficientvit_m0 timm/ese_vovnet19b_dw timm/fbnetc_100 timm/ghostnet_100 timm/ghostnetv2_100
    timm/gmlp_ti16_224 timm/halonet26t timm/hgnetv2_b0 timm/lambda_resnet26t timm/lcnet_050
    timm/levit_128s timm/mixer_s32_224 timm/mixnet_s timm/mobilenetv4_conv_small timm/mobilevit_xxs
    timm/mobilevitv2_050 timm/nfnet_l0 timm/repvgg_a0 timm/repvit_m0_9 timm/resmlp_12_224
    timm/resnest14d timm/resnet10t timm/resnetv2_50 timm/rexnet_100 timm/selecsls42 timm/semnasnet_075
    timm/starnet_s1 timm/swiftformer_xs timm/test_byobnet timm/test_coatnet timm/test_convnext
    timm/test_efficientnet timm/test_mambaout timm/test_maxvit timm/test_nfnet timm/test_resnet
    timm/test_vit timm/test_vit2 timm/tf_efficientnet_lite0 timm/tiny_vit_5m_224 timm/tinynet_e
    timm/visformer_tiny timm/vit_tiny_patch16_224 timm/xception41 torchvision/quantized_googlenet
    torchvision/quantized_inception_v3 torchvision/quantized_mobilenet_v2
    torchvision/quantized_mobilenet_v3_large torchvision/quantized_resnet18
    torchvision/quantized_resnet50 torchvision/quantized_shufflenet_v2_x0_5`,
};

/** Columns of what was run. */
const ofNetworks: readonly string[] = ["output_size", "mult_adds"];

const reasons = new Map(
  Object.entries(differing).flatMap(([why, names]) =>
    names
      .trim()
      .split(/\s+/)
      .map((name) => [name, why.split(" ")] as const),
  ),
);

describe.each([...new Set(truths.map(({ name }) => name))])("%s", (name) => {
  const own = truths.filter((truth) => truth.name === name);

  test.each(own.map((truth) => [labelOf(truth), truth] as const))(
    "%s is as torchinfo prints it",
    async (label, truth) => {
      const [data, sizes] = await programOf(name);
      const columnNames = torchinfoColumns.filter((column) => !(sizes.group && ofNetworks.includes(column)));
      const text = formatSummary(await inspect(data, sizes), {
        style: "torchinfo",
        depth: truth.depth,
        ...(truth.wide && { varNames: true, columnNames }),
      });
      const known = reasons.get(label);
      if (known) expect(reasonsOf(text, `${truth.text}\n`)).toEqual(known);
      else expect(text).toBe(`${truth.text}\n`);
    },
  );
});

test("every network that is said to differ is one of these", () => {
  const all = new Set(truths.map(labelOf));
  expect([...reasons.keys()].filter((name) => !all.has(name))).toEqual([]);
});

describe("what a program does not tell", () => {
  test("sizes that are open are shown as they are named, and what depends on them is unknown", async () => {
    const [data] = await programOf("small/half");
    const report = await inspect(data);
    const lines = formatSummary(report, { style: "torchinfo" }).split("\n");
    expect(lines[3]).toBe("Half                                     [s23, s27, 11]            --");
    expect(lines.filter((line) => line.endsWith(": ?")).map((line) => line.split(" ")[0])).toEqual([
      "Total",
      "Input",
      "Forward/backward",
      "Estimated",
    ]);
    expect(said(summaryNotes(report, { style: "torchinfo" }))).toEqual([
      "leaves sizes open (s23, s27)",
      "counts 144 parameters, the network has 78",
    ]);
    expect(summaryNotes(report, {})).toEqual([]);
  });

  test.each([
    ["timm/test_vit", ["left no trace in the program: patch_embed.norm, patch_drop, norm_pre and "]],
    ["transformers/bert", ["called by themselves: bert.encoder.layer; ~ModuleList stands for"]],
    ["torchvision/raft_large", ["several values: update_block; "]],
    [
      "transformers/t5",
      ["counts 51104 parameters, the network has 44768", "of another: decoder.embed_tokens; if"],
    ],
    ["small/again", ["class and parameters: block.0, block"]],
  ])("%s has notes on it", async (name, parts) => {
    const [data, sizes] = await programOf(name);
    const notes = summaryNotes(await inspect(data, sizes), { style: "torchinfo" }).join("\n");
    for (const part of parts) expect(notes).toContain(part);
  });

  test("frozen parameters are known from pickles, and of JSON from PyTorch 2.6 on", async () => {
    const data = readFileSync(fixture("../pytorch/archives/2.4.1/batch.pt2"));
    const zip = await openZip(memorySource(data));
    const program = await zip.openEntry(zip.find("serialized_exported_program.json") as ZipEntry);
    const alone = await inspect(await program.read(0, program.size));
    expect(summaryNotes(alone, { style: "torchinfo" }).join()).toContain(
      "nothing tells which parameters are trainable",
    );
    const pickled = await inspect(data);
    expect(summaryNotes(pickled, { style: "torchinfo" }).join()).not.toContain("are trainable");
    const newer = await inspectFile(fixture("../pytorch/archives/2.6.0/batch.pt2"));
    expect(summaryNotes(newer, { style: "torchinfo" }).join()).not.toContain("are trainable");
  });
});

describe("what is no network", () => {
  test.each([
    ["k3-mnist-cnn/model.keras", [], "model.keras (keras-archive) does not: give another style"],
    ["../onnx/torch/resnet18-dynamo/model.onnx", [], "does not: give another style"],
    ["../pytorch/trained-adam/zip.pt", ["--group", "node"], "inspect with group module"],
    ["../pytorch/archives/2.14.1/several.pt2", [], "take one program alone"],
    ["../pytorch/program-tied/model.pt2", ["--group", "node"], "do not ask for nodes as rows"],
    ["../pytorch/program-tied/model.pt2", ["--all-nodes"], "do not ask for nodes as rows"],
    [
      "../pytorch/program-tied/model.pt2",
      ["--line-length", "70"],
      "--line-length does not exist in style torchinfo",
    ],
  ])("%s %s is refused with a way on", async (file, options, message) => {
    const { code, stdout, stderr } = await runCli(["--style", "torchinfo", ...options, fixture(file)]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
  });

  test("neither is a tree that was cut, nor does another style take a depth", async () => {
    const [data] = await programOf("small/recurrent");
    const cut = await inspect(data, { depth: 1 });
    expect(cut.layers.map(({ name, folded }) => [name, folded])).toContainEqual(["head", true]);
    expect(() => formatSummary(cut, { style: "torchinfo" })).toThrow("inspect without depth");
    expect(() => formatSummary(cut, { depth: 1 })).toThrow("depth does not exist in style keras3");
    expect(() => formatSummary(cut, { style: "torchinfo", depth: 0 })).toThrow("whole number of levels");
  });
});

test("a state dict has marks for classes that are read from names, or unknown, and notes on it", async () => {
  const { code, stdout, stderr } = await runCli([
    "--style",
    "torchinfo",
    fixture("../pytorch/trained-adam/zip.pt"),
  ]);
  expect(code).toBe(0);
  const rows = stdout.split("\n").map((line) => line.replace(/ {2,}/g, "  "));
  expect(rows.slice(3, 8)).toEqual([
    "~Module  24",
    "├─~Conv2d: 1-1  224",
    "├─~Module: 1-2  --",
    "│  └─~Module: 2-1  --",
    "│  │  └─~Conv2d: 3-1  576",
  ]);
  expect(stdout).toContain("Total params: 1,477\nTrainable params: 1,477\nNon-trainable params: 0\n====");
  expect(stderr).toContain("weights have no classes");
  expect(stderr).toContain("nothing tells which parameters are trainable");
});

test("the command line shows as many levels as it is asked for, and writes notes beside them", async () => {
  const file = fixture("../pytorch/program-recurrent/model.pt2");
  const run = (...options: string[]) => runCli(["--style", "torchinfo", ...options, file]);
  const textOf = (depth: number) =>
    truths.find((one) => one.name === "small/recurrent" && one.depth === depth && !one.wide);
  expect((await run()).stdout).toBe(`${textOf(3)?.text}\n`);
  const { stdout, stderr } = await run("--depth", "1");
  expect(stdout).toBe(`${textOf(1)?.text}\n`);
  const wide = (await run("--show-trainable", "--column-names", "mult_adds")).stdout.split("\n");
  expect(wide[1]?.split(/ {2,}/)).toEqual(["Layer (type:depth-idx)", "Mult-Adds", "Trainable"]);
  expect((await run("--var-names")).stdout).toContain("\n├─LSTM (lstm): 1-1 ");
  expect(stderr).toMatch(/^info: modules that left no trace in the program: attention\.out_proj;/);
  expect((await run("--quiet")).stderr).toBe("");
  const { layers } = JSON.parse((await run("--depth", "1", "--json")).stdout);
  expect(layers.at(-1)).toMatchObject({ name: "head", folded: true });
});

/** The part of each note that tells how much. */
function said(notes: readonly string[]): readonly string[] {
  return notes.map(
    (note) => note.replace(/^the program |^torchinfo /, "").split(/[,:] (?=so|tied)/)[0] ?? "",
  );
}
