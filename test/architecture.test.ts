/**
 * The walls of ARCHITECTURE.md, read off the import statements. This file is the law on what may import what; the text
 * explains it.
 */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { operators } from "../src/operators/index.ts";

const root = resolve(import.meta.dirname, "..");

interface Import {
  /** The specifier as written. */
  readonly specifier: string;
  /** The file it leads to, from the root; undefined for a package or a `node:` module. */
  readonly target: string | undefined;
}

interface SourceFile {
  /** From the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** The text without comments. */
  readonly code: string;
  readonly imports: readonly Import[];
}

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
    .sort();
}

/** Strings and templates are matched first, so that `//` inside one does not count as a comment. */
function withoutComments(text: string): string {
  return text.replace(
    /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g,
    (_, quoted: string | undefined) => quoted ?? "",
  );
}

/** Static, type-only, side-effect and dynamic imports, re-exports, and types written as `import("...")`. */
function importsOf(path: string, code: string): Import[] {
  const found = code.matchAll(
    /^\s*(?:import|export)\b[^"'`;]*?\bfrom\s*["']([^"']+)["']|^\s*import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gm,
  );
  return [...found].map((match) => {
    const specifier = match[1] ?? match[2] ?? match[3] ?? "";
    const target = specifier.startsWith(".")
      ? relative(root, resolve(root, dirname(path), specifier)).replaceAll("\\", "/")
      : undefined;
    return { specifier, target };
  });
}

function load(path: string): SourceFile {
  const text = readFileSync(join(root, path), "utf8");
  const code = withoutComments(text);
  return { path, text, code, imports: importsOf(path, code) };
}

const sources = [...filesBelow("src"), ...filesBelow("importers")].map(load);
const tests = filesBelow("test").map(load);

/** `importers/keras` for the room of one format, `src/io` for a folder, `src/errors` for a file beside the folders. */
function roomOf(path: string): string {
  const [top = "", second = "", ...rest] = path.split("/");
  if (rest.length > 0) return `${top}/${second}`;
  return top === "importers"
    ? `importers/${second.replace(/\.ts$/, "")}`
    : `src/${second.replace(/\.ts$/, "")}`;
}

/** What a room may import besides itself and the ground floor. Rooms of one level never meet. */
const ground = ["src/counted", "src/errors", "src/diagnostics", "src/limits"];
const walls: Readonly<Record<string, readonly string[]>> = {
  // L0: none imports another, but for the words that diagnostics count with.
  "src/counted": [],
  "src/errors": [],
  "src/diagnostics": ["src/counted"],
  "src/limits": [],
  "src/io": [],
  // L1: encodings on one side, what a model is on the other.
  "src/wire": ["src/io"],
  "src/ir": [],
  // L2: what an operator is knows nothing of bytes; importers know nothing of operators.
  "src/operators": ["src/ir"],
  "importers/importer": ["src/io", "src/wire", "src/ir"],
  "importers/detect": ["importers/importer", "src/io", "src/wire", "src/ir"],
  "importers/*": ["importers/importer", "src/io", "src/wire", "src/ir"],
  // No formats: what several of them have in common.
  "importers/state-dict": ["src/ir"],
  "importers/sym-int": ["src/ir"],
  "importers/onnx": [
    "importers/importer",
    "importers/state-dict",
    "importers/sym-int",
    "src/io",
    "src/wire",
    "src/ir",
  ],
  "importers/pytorch": [
    "importers/importer",
    "importers/state-dict",
    "importers/sym-int",
    "src/io",
    "src/wire",
    "src/ir",
  ],
  "importers/safetensors": [
    "importers/importer",
    "importers/state-dict",
    "importers/weight-files",
    "src/io",
    "src/wire",
    "src/ir",
  ],
  // L3 - L5: pure functions of what the importer gave; no bytes from here on.
  "src/passes": ["src/operators", "src/ir"],
  "src/report": ["src/passes", "src/ir"],
  "src/reporters": ["src/report", "src/ir"],
  // L6
  "src/public": [
    "importers/index",
    "importers/detect",
    "importers/importer",
    "importers/weight-files",
    "src/io",
    "src/wire",
    "src/ir",
    "src/operators",
    "src/passes",
    "src/report",
    "src/reporters",
  ],
  "src/cli": ["src/public"],
};

function allowedFor(room: string): readonly string[] | undefined {
  if (room === "importers/index") return ["importers/*", "importers/importer", "importers/detect", "src/io"];
  const own = walls[room] ?? (room.startsWith("importers/") ? walls["importers/*"] : undefined);
  // The command line gets everything through the one public door.
  return own && (room === "src/cli" || ground.includes(room) ? own : [...own, ...ground]);
}

function mayImport(from: string, to: string): boolean {
  const fromRoom = roomOf(from);
  const toRoom = roomOf(to);
  if (fromRoom === toRoom) return true;
  const allowed = allowedFor(fromRoom) ?? [];
  return (
    allowed.includes(toRoom) ||
    (allowed.includes("importers/*") && toRoom.startsWith("importers/") && toRoom !== "importers/index")
  );
}

describe("walls", () => {
  test("every file stands in a room that has walls", () => {
    const homeless = sources.map((file) => roomOf(file.path)).filter((room) => !allowedFor(room));
    expect([...new Set(homeless)]).toEqual([]);
  });

  test("imports go downward, never to a sibling", () => {
    const broken = sources.flatMap((file) =>
      file.imports.flatMap(({ target }) =>
        target !== undefined && !mayImport(file.path, target) ? [`${file.path} -> ${target}`] : [],
      ),
    );
    expect(broken).toEqual([]);
  });

  test("every relative import leads to a file of the project", () => {
    const known = new Set(sources.map((file) => file.path));
    const lost = sources.flatMap((file) =>
      file.imports.flatMap(({ target }) =>
        target !== undefined && !known.has(target) ? [`${file.path} -> ${target}`] : [],
      ),
    );
    expect(lost).toEqual([]);
  });

  test("no cycles, type-only ones included", () => {
    expect(cyclesOf(new Map(sources.map((file) => [file.path, targetsOf(file)])))).toEqual([]);
  });

  test("Node appears in three places only", () => {
    const allowed = /^src\/(io\/node-file\.ts|public\/node\.ts|cli\/.*)$/;
    const strangers = sources
      .filter((file) => !allowed.test(file.path))
      .filter(
        (file) =>
          file.imports.some(({ specifier }) => specifier.startsWith("node:")) ||
          /(?<![\w.$"'])(process\.|Buffer\b|__dirname\b|__filename\b|require\()/.test(
            withoutStrings(file.code),
          ),
      );
    expect(strangers.map((file) => file.path)).toEqual([]);
  });

  test("each library is loaded by the one file that wraps it", () => {
    const users = new Map<string, string[]>();
    for (const file of sources) {
      const packages = file.imports
        .filter(({ specifier, target }) => target === undefined && !specifier.startsWith("node:"))
        .map(({ specifier }) =>
          specifier
            .split("/")
            .slice(0, specifier.startsWith("@") ? 2 : 1)
            .join("/"),
        );
      for (const name of new Set(packages)) users.set(name, [...(users.get(name) ?? []), file.path]);
    }
    const homes = /^src\/(wire\/[\w-]+|cli\/program)\.ts$/;
    const scattered = [...users].filter(([, paths]) => paths.length > 1 || !homes.test(paths[0] ?? ""));
    expect(scattered).toEqual([]);
  });

  test("the list of importers is read by src/public alone", () => {
    const readers = sources.filter((file) =>
      file.imports.some(({ target }) => target === "importers/index.ts"),
    );
    expect(readers.filter((file) => roomOf(file.path) !== "src/public")).toEqual([]);
  });

  test("the walls are not made of air", () => {
    expect(mayImport("src/ir/shape.ts", "src/io/memory.ts")).toBe(false);
    expect(mayImport("src/operators/conv.ts", "importers/keras/config.ts")).toBe(false);
    expect(mayImport("importers/onnx/model.ts", "importers/keras/config.ts")).toBe(false);
    expect(mayImport("importers/keras/config.ts", "src/operators/index.ts")).toBe(false);
    expect(mayImport("src/reporters/keras3.ts", "src/passes/analyze.ts")).toBe(false);
    expect(mayImport("src/cli/main.ts", "src/errors.ts")).toBe(false);
    const code = 'import type { A } from "./a.ts";\nexport { b } from "./b.ts";\nawait import("./c.ts");';
    expect(importsOf("src/x/y.ts", code).map(({ target }) => target)).toEqual([
      "src/x/a.ts",
      "src/x/b.ts",
      "src/x/c.ts",
    ]);
    expect(
      cyclesOf(
        new Map([
          ["a", ["b"]],
          ["b", ["c"]],
          ["c", ["b"]],
        ]),
      ),
    ).toEqual(["b -> c -> b"]);
  });
});

describe("operators", () => {
  test("every operator that an importer names exists", () => {
    // Made by the engine itself, for nested models and for what no rule knows.
    const builtIn = new Set(["Model", "Opaque"]);
    const named = sources
      .filter((file) => file.path.startsWith("importers/"))
      .flatMap((file) =>
        [...file.code.matchAll(/\boperator:\s*"([^"]+)"/g)].map((match) => ({
          at: file.path,
          name: match[1] ?? "",
        })),
      );
    expect(named.filter(({ name }) => !operators.has(name) && !builtIn.has(name))).toEqual([]);
  });

  test("each is listed under its own name, once", () => {
    for (const [name, operator] of operators) expect(operator.name).toBe(name);
    const declared = sources
      .filter((file) => file.path.startsWith("src/operators/"))
      .flatMap((file) => [...file.code.matchAll(/^\s+name: "([A-Z]\w*)"/gm)].map((match) => match[1] ?? ""));
    const twice = declared.filter((name, i) => declared.indexOf(name) !== i);
    expect(twice).toEqual([]);
  });
});

describe("habits", () => {
  test("no source file is longer than 400 lines", () => {
    const long = sources.map((file) => ({ path: file.path, lines: file.text.split("\n").length - 1 }));
    expect(long.filter(({ lines }) => lines > 400)).toEqual([]);
  });

  test("files are kebab-case nouns, none of them a drawer", () => {
    const drawers = /^(utils?|helpers?|misc|stuff)\.ts$/;
    const wrong = [...sources, ...tests].filter(({ path }) => {
      const name = path.split("/").at(-1) ?? "";
      return drawers.test(name) || !/^[a-z0-9]+(-[a-z0-9]+)*(\.(test|bench))?\.ts$/.test(name);
    });
    expect(wrong.map((file) => file.path)).toEqual([]);
  });

  test("no default exports, no enums, no export-everything", () => {
    // The door for Node is the door for any host, and files by path.
    const door = "src/public/node.ts";
    const wrong = [...sources, ...tests].filter(
      (file) =>
        file.path !== door &&
        /^\s*export\s+(default\b|\*|(?:const\s+|declare\s+)*enum\b)|^\s*enum\s/m.test(
          withoutStrings(file.code),
        ),
    );
    expect(wrong.map((file) => file.path)).toEqual([]);
  });

  test("no test is skipped or run alone", () => {
    // What only one system has (a FIFO) may be left out on another.
    const marks =
      /\b(?:test|it|describe)(?:\.\w+)*\.(?:only\b|skip\b|todo\b|fails\b|(?:skipIf|runIf)\b(?!\(process\.platform\b))/;
    expect(tests.filter((file) => marks.test(withoutStrings(file.code))).map((file) => file.path)).toEqual(
      [],
    );
  });
});

function targetsOf(file: SourceFile): string[] {
  return file.imports.flatMap(({ target }) => (target === undefined ? [] : [target]));
}

/** Blanks the insides of quoted strings; the code of `${...}` in templates is blanked with them. */
function withoutStrings(code: string): string {
  return code.replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g, '""');
}

/** One cycle for each edge that closes one, as `a -> b -> a`. */
function cyclesOf(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (node: string, trail: readonly string[]): void => {
    const from = trail.indexOf(node);
    if (from >= 0) {
      found.push([...trail.slice(from), node].join(" -> "));
      return;
    }
    if (done.has(node)) return;
    for (const next of graph.get(node) ?? []) visit(next, [...trail, node]);
    done.add(node);
  };
  for (const node of graph.keys()) visit(node, []);
  return found;
}
