/** What `--json` and `convert` really print, held against the schemas, for every fixture. */

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { reportOf, serializeModel } from "../../src/public/index.ts";
import { inspectFile, readModelFile } from "../../src/public/node.ts";
import { fixtureModels } from "../fixture-models.ts";

const root = resolve(import.meta.dirname, "../..");
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
const report = ajv.compile(schema("report"));
const model = ajv.compile(schema("model"));

describe("what every fixture gives", () => {
  test.each([...fixtureModels(), ...fixtureModels("pytorch"), ...fixtureModels("safetensors")])(
    "%s keeps both contracts",
    async (path) => {
      const file = join(root, path);
      const imported = await readModelFile(file);
      const built = JSON.parse(JSON.stringify(await inspectFile(file)));
      expect(errorsOf(report, built)).toEqual([]);
      expect(errorsOf(model, JSON.parse(serializeModel(imported)))).toEqual([]);
      expect(JSON.parse(JSON.stringify(reportOf(imported)))).toEqual(built);
    },
  );

  test("a field too many is refused", async () => {
    const [first = ""] = fixtureModels();
    const built = await inspectFile(join(root, first));
    expect(errorsOf(report, { ...built, more: 1 })).not.toEqual([]);
    expect(errorsOf(report, { ...built, file: { ...built.file, more: 1 } })).not.toEqual([]);
  });
});

function errorsOf(validate: ValidateFunction, data: unknown): string[] {
  validate(data);
  return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`).slice(0, 5);
}

function schema(name: string): object {
  return JSON.parse(readFileSync(join(root, `schema/${name}.v1.schema.json`), "utf8"));
}
