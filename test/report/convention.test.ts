/** One network counted in two ways gives the totals that two frameworks publish for it. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { memorySource } from "../../src/io/memory.ts";
import { type Convention, formatSummary, inspect } from "../../src/public/index.ts";
import type { Report } from "../../src/report/report.ts";
import { openZip } from "../../src/wire/zip.ts";
import { buildZip } from "../wire/zip-builder.ts";

const fixtures = join(import.meta.dirname, "../../fixtures");

const read = (path: string): Uint8Array => new Uint8Array(readFileSync(join(fixtures, path)));

async function stateDict(name: string): Promise<Uint8Array> {
  const zip = await openZip(memorySource(read("pytorch/zoo/pickles.zip")));
  const found = zip.find(`${name}/data.pkl`);
  if (!found) throw new Error(`no ${name}`);
  const source = await zip.openEntry(found);
  return buildZip([{ name: "archive/data.pkl", data: await source.read(0, source.size) }]);
}

/**
 * Published totals: keras.applications 3.15.1 (`Model.count_params()`), torchvision 0.20 (`num_params`), and, of the light ONNX
 * model, what its float initializers add up to.
 */
const mobileNetV2 = { keras: 3_538_984, pytorch: 3_504_872 };
const resNet50 = { keras: 25_610_152, pytorch: 25_557_032 };

const files: readonly (readonly [
  string,
  () => Uint8Array | Promise<Uint8Array>,
  Convention,
  Readonly<Record<Convention, number>>,
])[] = [
  ["MobileNetV2 of Keras", () => read("keras/k3-app-mobilenetv2/model.keras"), "keras", mobileNetV2],
  ["MobileNetV2 of torchvision", () => stateDict("torchvision/mobilenet_v2"), "pytorch", mobileNetV2],
  ["ResNet-50 of torchvision", () => stateDict("torchvision/resnet50"), "pytorch", resNet50],
  ["ResNet-50 as ONNX", () => read("onnx/light/light_resnet50.onnx"), "keras", resNet50],
];

const shown = (report: Report): number =>
  Number(/Total params: ([\d,]+)/.exec(formatSummary(report))?.[1]?.replaceAll(",", ""));

describe.each(files)("%s", (_, bytes, own, totals) => {
  test("counts as its own framework does unless told otherwise", async () => {
    const { totals: found } = await inspect(await bytes());
    expect([found.convention, found.parameters]).toEqual([own, totals[own]]);
  });

  test.each(["keras", "pytorch"] as const)("as %s counts", async (convention) => {
    const report = await inspect(await bytes(), { convention });
    expect(report.totals).toMatchObject({ convention, parameters: totals[convention] });
    expect(shown(report)).toBe(totals[convention]);
    const rows = report.layers.reduce((sum, { params }) => sum + params, 0);
    expect(rows).toBe(totals[convention]);
    expect(report.totals.statistics).toBe(totals.keras - totals.pytorch);
  });
});

test("an unknown convention is refused", async () => {
  const bytes = read("keras/k3-lenet5/model.keras");
  await expect(inspect(bytes, { convention: "torch" as Convention })).rejects.toThrow(
    'convention is "torch": only "keras" and "pytorch" can be asked for',
  );
});

test.each(["keras", "pytorch"] as const)(
  "as %s counts, statistics of a state dict are not trained",
  async (convention) => {
    const { totals, layers } = await inspect(await stateDict("torchvision/mobilenet_v2"), { convention });
    expect(totals.trainable).toBe(mobileNetV2.pytorch);
    expect(totals.nonTrainable).toBe(mobileNetV2[convention] - mobileNetV2.pytorch);
    expect(layers.reduce((sum, { nonTrainable }) => sum + nonTrainable, 0)).toBe(totals.nonTrainable);
  },
);
