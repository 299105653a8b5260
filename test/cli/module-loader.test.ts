import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Script } from "node:vm";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  buildOfNode,
  compiledCodeFolder,
  moduleLoader,
  requireCompiled,
  scriptOf,
} from "../../src/cli/module-loader.ts";
import { ensureBuilt, projectRoot } from "../built.ts";

const folder = mkdtempSync(join(tmpdir(), "module-loader-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(ensureBuilt, 120_000);

let bundle: string;
beforeEach(() => {
  bundle = mkdtempSync(join(folder, "bundle-"));
  writeFileSync(join(bundle, "package.json"), '{ "type": "commonjs" }');
  writeFileSync(
    join(bundle, "main.js"),
    `exports.runs = []; const b = require("./b.js"); exports.b = b; exports.basename = require("node:path").basename(__filename);`,
  );
  writeFileSync(join(bundle, "b.js"), `require("./main.js").runs.push("b"); exports.sum = (x) => x + 1;`);
});

interface Main {
  readonly runs: readonly string[];
  readonly basename: string;
  readonly b: { sum(x: number): number };
}

/** As scripts/compiled-code.js does. */
function keepCode(): void {
  const scripts = new Map<string, Script>();
  const load = moduleLoader(bundle, (id) => {
    const script = scriptOf(bundle, id);
    scripts.set(id, script);
    return script;
  });
  load("./main.js");
  const code = compiledCodeFolder(bundle);
  mkdirSync(code, { recursive: true });
  for (const [id, script] of scripts) writeFileSync(join(code, `${id}.bin`), script.createCachedData());
  writeFileSync(join(code, "node.json"), buildOfNode());
}

function expectRuns(sumOf5 = 6): void {
  const load = requireCompiled(bundle);
  const main = load("./main.js") as Main;
  expect(main.runs).toEqual(["b"]);
  expect(main.basename).toBe("main.js");
  expect(main.b.sum(5)).toBe(sumOf5);
  expect(load("./main.js")).toBe(main);
}

test("without compiled code modules are Node's to load", () => {
  expectRuns();
});

test("with compiled code they run the same, each once, also where they need each other", () => {
  keepCode();
  const code = readFileSync(join(compiledCodeFolder(bundle), "b.js.bin"));
  expect(scriptOf(bundle, "./b.js", code).cachedDataRejected).toBe(false);
  expectRuns();
});

test.each([
  ["cut off", (code: Buffer) => code.subarray(0, code.length / 2)],
  ["empty", () => Buffer.alloc(0)],
  ["no code", (code: Buffer) => Buffer.alloc(code.length, 1)],
])("code that is %s is not used", (_, damage) => {
  keepCode();
  const path = join(compiledCodeFolder(bundle), "b.js.bin");
  writeFileSync(path, damage(readFileSync(path)));
  expectRuns();
});

test("code of a module that was changed since is not used", () => {
  keepCode();
  writeFileSync(join(bundle, "b.js"), `require("./main.js").runs.push("b"); exports.sum = (x) => 3 * x - 1;`);
  expectRuns(14);
});

test("code of a Node that was built in another way is not used", () => {
  keepCode();
  const code = compiledCodeFolder(bundle);
  writeFileSync(join(code, "node.json"), "{}");
  // V8 itself would not notice: it tells sources apart by their length.
  writeFileSync(join(bundle, "b.js"), readFileSync(join(bundle, "b.js"), "utf8").replace("x + 1", "x * 2"));
  expectRuns(10);
});

test("what the package was built with is taken by V8 under the flags of a run", () => {
  const script = `
    import { readdirSync, readFileSync } from "node:fs";
    import { join } from "node:path";
    import { setEngineFlags } from "./dist/src/cli/engine-flags.js";
    import { compiledCodeFolder, scriptOf } from "./dist/src/cli/module-loader.js";
    setEngineFlags();
    const bundle = join(process.cwd(), "dist/bin/modules");
    const names = readdirSync(bundle).filter((name) => name.endsWith(".js"));
    const taken = names.filter((name) => {
      const code = readFileSync(join(compiledCodeFolder(bundle), name + ".bin"));
      return scriptOf(bundle, "./" + name, code).cachedDataRejected === false;
    });
    console.log(JSON.stringify({ names, taken }));`;
  const { names, taken } = JSON.parse(
    execFileSync(process.execPath, ["--input-type=module", "-e", script], {
      cwd: projectRoot,
      encoding: "utf8",
    }),
  );
  expect(names.length).toBeGreaterThan(10);
  expect(taken).toEqual(names);
});

test("without its image of HDF5 the built command prints the same, from the library as published", () => {
  const copy = join(folder, "package");
  const dist = join(projectRoot, "dist");
  cpSync(dist, join(copy, "dist"), { recursive: true, filter: (path) => path !== join(dist, "hdf5") });
  cpSync(join(projectRoot, "package.json"), join(copy, "package.json"));
  symlinkSync(join(projectRoot, "node_modules"), join(copy, "node_modules"), "junction");
  const printed = [projectRoot, copy].map((root) => {
    const argv = [join(root, "dist/bin/weighbridge.js"), "fixtures/keras/k3-opt-sgd/model.h5"];
    const { status, stdout, stderr } = spawnSync(process.execPath, argv, {
      cwd: projectRoot,
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  });
  expect(printed[0]).toMatchObject({ status: 0, stderr: "" });
  expect(printed[1]).toEqual(printed[0]);
});
