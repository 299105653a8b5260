/** What programs around PyTorch write, against what PyTorch counts in it (fixtures/build/pytorch/forms.py). */

import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { inspect } from "../../../src/public/index.ts";
import { inspectFile } from "../../../src/public/node.ts";
import { checkFigures, said } from "../../hostile/survive.ts";

const folder = join(import.meta.dirname, "../../../fixtures/pytorch/forms");

interface Facts {
  readonly parameters: number;
  /** Of those, how many the file does not have; `null`: it has not even their shapes. */
  readonly lacks?: number | null;
  readonly optimizer?: number;
}

const { files } = JSON.parse(readFileSync(join(folder, "facts.json"), "utf8")) as {
  readonly files: Readonly<Record<string, Facts>>;
};

test.each(Object.entries(files))("%s", async (file, { parameters, lacks, optimizer }) => {
  const report = await inspectFile(join(folder, file));
  checkFigures(report, file);
  const { totals, ledger } = report;
  expect(totals).toMatchObject({
    parameters: parameters - (lacks ?? 0),
    optimizer: optimizer ?? (file.startsWith("lightning") ? ledger.classes.optimizer.elements : 0),
    status: lacks === undefined ? "complete" : "partial",
  });
  expect(ledger.classes.unclassified.elements).toBe(0);
  expect(report.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const told = said(report, "weights-left-out").join();
  if (lacks)
    expect(told).toMatch(
      new RegExp(
        `${lacks} elements more|1 tensor has a shape|: 2_Dense$|2 tensors that were made for oneDNN|one process's part of the weights`,
      ),
    );
});

test.each([
  [
    "a diffusers pipeline",
    '{"_class_name":"StableDiffusionPipeline","unet":["diffusers","UNet2DConditionModel"],"scheduler":["diffusers","DDPMScheduler"],"vae":["diffusers","AutoencoderKL"]}',
    /diffusers pipeline.* give one of those: unet, vae$/,
  ],
  [
    "a configuration without weights",
    '{"architectures":["BertModel"]}',
    /none of the usual files of weights/,
  ],
  ["an adapter's configuration", '{"peft_type":"LORA"}', /give adapter_model\.safetensors/],
  ["ExecuTorch", "\x40\0\0\0ET12\0\0\0\0", /program of ExecuTorch/],
  ["an array", "\x93NUMPY\x01\0", /one array of NumPy/],
])("%s says what it is", async (_, content, message) => {
  const bytes = Uint8Array.from(content, (character) => character.charCodeAt(0));
  await expect(inspect(bytes)).rejects.toMatchObject({
    kind: "unknown-format",
    message: expect.stringMatching(message),
  });
});

test("averages of Lightning stand for the model; what they are averages of is a copy", async () => {
  const report = await inspectFile(join(folder, "lightning-average.pt"));
  expect(said(report, "weights-copied")[0]).toMatch(/current_model_state is named like a second set/);
  expect(report.ledger.classes.unused.elements).toBe(18);
});

test("two models alike are counted, and said", async () => {
  const state = (key: string): string => `X${String.fromCharCode(key.length)}\0\0\0${key}`;
  const tensor = (key: number): string =>
    `ctorch._utils\n_rebuild_tensor_v2\n((${state("storage")}ctorch\nFloatStorage\n${state(String(key))}${state("cpu")}K\x06tQK\x00K\x02K\x03\x86K\x03K\x01\x86\x89)tR`;
  const model = (key: number, before = ""): string =>
    `}(${state(`${before}a.w`)}${tensor(key)}${state(`${before}b.w`)}${tensor(key + 1)}u`;
  const pickle = `\x80\x02}(${state("student")}${model(0, "module.")}${state("teacher")}${model(2)}u.`;
  const report = await inspect(Uint8Array.from(pickle, (character) => character.charCodeAt(0)));
  expect(report.totals.parameters).toBe(24);
  expect(said(report, "names-guessed").join()).toMatch(/student and teacher hold tensors of the same names/);
});

test("a row of weights of FSDP may be a part of them", async () => {
  const state = (key: string): string => `X${String.fromCharCode(key.length)}\0\0\0${key}`;
  const tensor = `ctorch._utils\n_rebuild_tensor_v2\n((${state("storage")}ctorch\nFloatStorage\n${state("0")}${state("cpu")}K\x06tQK\x00K\x06\x85K\x01\x85\x89)tR`;
  for (const key of ["_flat_param", "layers.0._fsdp_wrapped_module.flat_param_0"]) {
    const pickle = `\x80\x02}${state("model")}}${state(key)}${tensor}ss.`;
    const report = await inspect(Uint8Array.from(pickle, (character) => character.charCodeAt(0)));
    expect(report.totals).toMatchObject({ parameters: 6, status: "partial" });
    expect(said(report, "weights-left-out").join()).toMatch(/1 tensor holds weights that FSDP put in a row/);
  }
});

const copies: string[] = [];
afterAll(() => {
  for (const copy of copies) rmSync(copy, { recursive: true });
});

test("a distributed checkpoint: its table is asked, files that are not there are told, one of them alone is refused", async () => {
  const copy = mkdtempSync(join(tmpdir(), "weighbridge-test-"));
  copies.push(copy);
  cpSync(join(folder, "distributed/.metadata"), join(copy, ".metadata"));
  const report = await inspectFile(copy);
  expect(report.totals.parameters).toBe(files.distributed?.parameters);
  expect(said(report, "companion-missing").join()).toContain("__0_0.distcp");
  await expect(inspectFile(join(folder, "distributed/__0_0.distcp"))).rejects.toMatchObject({
    kind: "unsupported-feature",
    message: expect.stringMatching(/several archives of torch\.save .* give the folder/),
  });
});
