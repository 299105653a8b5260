import { existsSync, readFileSync } from "node:fs";
import Module, { createRequire } from "node:module";
import { join } from "node:path";
import { Script } from "node:vm";

/** Runs a module of the bundle when it is first asked for, and gives its exports; `id` is what the bundle says: `./main.js`. */
export type RequireModule = (id: string) => unknown;

/** Where the compiled code of a bundle lies for the Node that runs. */
export function compiledCodeFolder(bundle: string): string {
  return join(bundle, "compiled", `${process.version}-${process.platform}-${process.arch}`);
}

/**
 * What compiled code needs of Node beyond its version, which V8 checks itself: the way it was built. A Node built without a part of
 * V8 numbers the rest differently.
 */
export function buildOfNode(): string {
  return JSON.stringify(process.config);
}

/**
 * Modules of the bundle in the folder `bundle`, started from what V8 made of them when the package was built.
 *
 * Compiling is most of what a run on a small model would cost, so the build keeps its result (scripts/compiled-code.js) and V8
 * gets it back here. It checks that the code is of its own version and flags and else compiles, as it does for every
 * Node that no code was made for.
 */
export function requireCompiled(bundle: string): RequireModule {
  const folder = compiledCodeFolder(bundle);
  if (read(join(folder, "node.json"))?.toString() !== buildOfNode())
    return createRequire(join(bundle, "main.js"));
  return moduleLoader(bundle, (id) => scriptOf(bundle, id, read(join(folder, `${id}.bin`))));
}

function read(path: string): Buffer | undefined {
  return existsSync(path) ? readFileSync(path) : undefined;
}

/** A loader of CommonJS modules that lie in one folder, which `compile` compiles; all others are Node's to load. */
export function moduleLoader(bundle: string, compile: (id: string) => Script): RequireModule {
  const requireOther = createRequire(join(bundle, "main.js"));
  const modules = new Map<string, { exports: unknown }>();
  return function requireModule(id) {
    if (!id.startsWith("./")) return requireOther(id);
    const known = modules.get(id);
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    modules.set(id, module);
    compile(id).runInThisContext()(module.exports, requireModule, module, join(bundle, id), bundle);
    return module.exports;
  };
}

/**
 * A module as a script whose value is Node's usual function around it. It is in ASCII (scripts/bundle.js), which is read as it stands.
 * `code` that does not fit is not used.
 */
export function scriptOf(bundle: string, id: string, code?: Buffer): Script {
  const filename = join(bundle, id);
  return new Script(Module.wrap(readFileSync(filename, "latin1")), {
    filename,
    ...(code && { cachedData: code }),
  });
}
