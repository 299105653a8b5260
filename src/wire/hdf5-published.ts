/**
 * h5wasm as its authors publish it: what browsers use, and Node when the package was not built. It is an ES module
 * alone, so this file stays one too when the rest of the command line is bundled as CommonJS (scripts/bundle.js).
 */

export async function firstInstance(): Promise<unknown> {
  return (await import("h5wasm")).ready;
}

/**
 * A second instance after a trap. h5wasm does not export its factory, so this reaches past its entry point; where that
 * cannot be done (a bundle in a browser) the trapped instance has to do.
 */
export async function anotherInstance(): Promise<unknown> {
  try {
    const factory = new URL("./hdf5_util.js", import.meta.resolve("h5wasm")).href;
    return (await import(factory)).default({ noInitialRun: true });
  } catch {
    return firstInstance();
  }
}
