/** The layer zoo: every layer class and operation that a real Keras could build, against what it measured. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inspect } from "../src/public/index.ts";
import { parseJson } from "../src/wire/json.ts";
import { isKnown, knownZooDifferences } from "./known-differences.ts";
import { differences, type Measured } from "./truth.ts";

const base = join(import.meta.dirname, "../fixtures/keras/zoo");

interface ZooFile {
  readonly oracle: string;
  readonly cases: readonly { readonly id: string; readonly config: unknown; readonly measured: Measured }[];
}

for (const keras of ["keras3", "tf-keras"]) {
  describe(`zoo of ${keras}`, () => {
    for (const name of readdirSync(join(base, keras)).filter((file) => file.endsWith(".json"))) {
      it(name.replace(".json", ""), async () => {
        const { cases } = parseJson(readFileSync(join(base, keras, name)), {
          maxDepth: 10_000,
        }) as unknown as ZooFile;
        const found: string[] = [];
        for (const { id, config, measured } of cases) {
          const report = await inspect(new TextEncoder().encode(JSON.stringify(config)));
          const different = differences(report, measured);
          if (isKnown(knownZooDifferences, { name: id, oracle: measured.oracle })) {
            // An entry that nothing needs any more has to go.
            if (different.length === 0) found.push(`${id}: agrees, but is listed as a known difference`);
          } else found.push(...different.map((line) => `${id}: ${line}`));
        }
        expect(cases.length).toBeGreaterThan(0);
        expect(found).toEqual([]);
      });
    }
  });
}
