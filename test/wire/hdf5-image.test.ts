import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "hdf5-image-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Library {
  readonly FS: { writeFile(path: string, data: Uint8Array): void };
  open(path: string, mode: number, trackOrder: boolean, low: number, high: number): bigint;
  get_names(file: bigint, path: string, recursive: boolean): string[];
  get_dataset_metadata(file: bigint, path: string): unknown;
  get_attribute_metadata(file: bigint, path: string, name: string): unknown;
}

function describeFile(library: Library): unknown[] {
  const file = new URL("./files/datasets.h5", import.meta.url);
  library.FS.writeFile("/datasets.h5", readFileSync(file));
  const id = library.open("/datasets.h5", 0, false, -1, -1);
  const names = library.get_names(id, "/", false);
  return [names, library.get_attribute_metadata(id, "/bfloat16", "dtype")].concat(
    names.map((name) => library.get_dataset_metadata(id, `/${name}`) as never),
  );
}

test("the quick-start image is the same library as h5wasm, as often as it is started", async () => {
  const script = new URL("../../scripts/hdf5-image.js", import.meta.url).href;
  const { makeImage } = await import(script);
  const image = join(folder, "hdf5");
  await makeImage(image);
  expect(existsSync(join(image, "LICENSE.txt"))).toBe(true);

  const { instantiate } = await import(pathToFileURL(join(image, "load.js")).href);
  const { ready } = await import("h5wasm");
  const expected = describeFile((await ready) as unknown as Library);
  for (let round = 0; round < 2; round++) {
    const printed: string[] = [];
    const library = await instantiate({
      base: pathToFileURL(join(image, "/")),
      maxHeap: 2 ** 28,
      print: (line: string) => printed.push(line),
    });
    expect(describeFile(library as Library)).toEqual(expected);
    expect(printed).toEqual([]);
  }
});
