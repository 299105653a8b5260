/** What the package promises to those who install it. That the tarball works is tried by .ci/try-package. */

import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import * as browser from "../src/public/index.ts";
import * as node from "../src/public/node.ts";

const root = resolve(import.meta.dirname, "..");
const manifest: {
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
} = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** The source that the compiler makes a file of dist/ from. */
function sourceOf(path: string): string {
  return join(root, path.replace("./dist/", "").replace(/\.d\.ts$|\.js$/, ".ts"));
}

describe("package.json", () => {
  test("every export has a source", () => {
    const paths = Object.values(manifest.exports).flatMap((entry) =>
      typeof entry === "string" ? [entry] : [entry.types, entry.default],
    );
    for (const path of paths) expect(existsSync(sourceOf(path)), path).toBe(true);
  });

  test("the program is what scripts/bundle.js makes of a file that can be run", () => {
    expect(manifest.bin.weighbridge).toBe("dist/bin/weighbridge.js");
    expect(readFileSync(join(root, "scripts/bundle.js"), "utf8")).toContain(
      'weighbridge: "dist/src/cli/bin.js"',
    );
    expect(readFileSync(join(root, "src/cli/bin.ts"), "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  test("versions are exact, so that a build today and one next year are the same", () => {
    const loose = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
      ([, version]) => !/^\d+\.\d+\.\d+$/.test(version),
    );
    expect(loose).toEqual([]);
  });

  test("the lock file has a build of every tool for every platform it names", () => {
    const lock: { readonly packages: Readonly<Record<string, LockedPackage>> } = JSON.parse(
      readFileSync(join(root, "package-lock.json"), "utf8"),
    );
    const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((name) => !lock.packages[`node_modules/${name}`])
        .map((name) => `${path} -> ${name}`),
    );
    expect(missing).toEqual([]);
  });

  test("the changelog knows the version", () => {
    expect(readFileSync(join(root, "CHANGELOG.md"), "utf8")).toContain(`## ${manifest.version} (`);
  });
});

interface LockedPackage {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

describe("the library's names", () => {
  const anywhere = [
    "InvalidModelError",
    "InvalidOptionError",
    "LimitExceededError",
    "MalformedFileError",
    "ModelError",
    "SourceReadError",
    "UnknownFormatError",
    "UnsupportedFeatureError",
    "conventions",
    "escapeText",
    "formatDiagnostic",
    "formatJson",
    "formatSummary",
    "formats",
    "inspect",
    "isModelError",
    "readModel",
    "reportOf",
    "serializeModel",
    "severityOf",
    "summaryNotes",
    "summaryStyles",
    "takesWholeTree",
    "torchinfoColumns",
  ];

  test("weighbridge", () => {
    expect(Object.keys(browser).sort()).toEqual(anywhere);
  });

  test("weighbridge/node adds files by path", () => {
    const files = ["inspectFile", "openModel", "openStandardInput", "readModelFile"];
    expect(Object.keys(node).sort()).toEqual([...anywhere, ...files].sort());
  });
});
