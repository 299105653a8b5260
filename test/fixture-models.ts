import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");

/** Every model file that a fixture's expected.json speaks of, as a path from the root. */
export function fixtureModels(format = "keras"): string[] {
  const folder = join(root, "fixtures", format);
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, "expected.json")))
    .sort()
    .flatMap((name) => {
      const expected: { readonly models: readonly { readonly file: string }[] } = JSON.parse(
        readFileSync(join(folder, name, "expected.json"), "utf8"),
      );
      return expected.models.map(({ file }) => `fixtures/${format}/${name}/${file}`);
    });
}
