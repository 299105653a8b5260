/** What load.js of the quick-start image exports; see scripts/hdf5-image.js. */
export interface Hdf5Image {
  /** A new instance of the library, whose files lie at `base`; its memory may not grow beyond `maxHeap` bytes. */
  instantiate(options: {
    readonly base: URL;
    readonly maxHeap: number;
    readonly print: (line: string) => void;
  }): Promise<unknown>;
}

/**
 * Imports the image by an address that bundlers cannot follow, as it may not be there. In the bundle of the command line,
 * where it is, scripts/bundle.js puts the module itself in the place of this one.
 */
export function importImage(): Promise<Hdf5Image> {
  return import(new URL("../../hdf5/load.js", import.meta.url).href);
}
