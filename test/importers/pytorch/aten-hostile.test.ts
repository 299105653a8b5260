/** Operators with arguments that no writer would give them: a report or a typed error, never anything else. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { survive } from "../../hostile/survive.ts";

const folder = join(import.meta.dirname, "../../../fixtures/pytorch/aten");

interface Node {
  readonly inputs: { arg: unknown }[];
}

const wrong: readonly unknown[] = [
  { as_none: true },
  { as_int: -1 },
  { as_int: 2 ** 63 },
  { as_float: 0.5 },
  { as_float: "Infinity" },
  { as_bool: true },
  { as_string: "x" },
  { as_ints: [] },
  { as_ints: [0, -5, 1e300] },
  { as_ints: Array.from({ length: 300 }, () => 7) },
  { as_sym_ints: [{ as_name: "nobody" }, { as_int: 3 }] },
  { as_sym_int: { as_name: "args_0" } },
  { as_tensor: { name: "args_0" } },
  { as_tensors: [] },
  { as_tensors: [{ name: "args_0" }, { name: "args_0" }, { name: "args_0" }] },
  { as_scalar_type: 7 },
  { as_complex: { real: 1, imag: 2 } },
];

test.each(readdirSync(folder))("arguments of operators in %s replaced and left out", async (file) => {
  const lines = gunzipSync(readFileSync(join(folder, file)))
    .toString("utf8")
    .trim()
    .split("\n");
  let rounds = 0;
  for (const [number, line] of lines.entries()) {
    if (number % 4 !== 0) continue;
    const { program } = JSON.parse(line);
    const nodes = program.graph_module.graph.nodes as Node[];
    for (const [at, node] of nodes.slice(-2).entries()) {
      const pick = rounds % node.inputs.length || 0;
      const input = node.inputs[pick];
      if (!input) continue;
      const before = input.arg;
      for (let i = 0; i < 4; i++) {
        input.arg = wrong[(rounds * 5 + i * 3 + at) % wrong.length];
        await survive(JSON.stringify(program), `${file} ${number} ${pick} ${i}`, false);
        rounds += 1;
      }
      input.arg = before;
    }
  }
  expect(rounds).toBeGreaterThan(10);
});
