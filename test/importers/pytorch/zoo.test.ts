/**
 * State dicts of 92 networks of torchvision and timm against PyTorch's counts: archives, and of some also streams and
 * safetensors. Payloads are holes: nothing reads them.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ByteSource } from "../../../src/io/byte-source.ts";
import { memorySource } from "../../../src/io/memory.ts";
import { inspect } from "../../../src/public/index.ts";
import type { Report } from "../../../src/report/report.ts";
import { openZip } from "../../../src/wire/zip.ts";
import { checkFigures } from "../../hostile/survive.ts";
import { buildZip } from "../../wire/zip-builder.ts";

const folder = join(import.meta.dirname, "../../../fixtures/pytorch/zoo");

interface Network {
  readonly name: string;
  readonly tensors: number;
  readonly elements: number;
  readonly parameters: number;
  /** Bytes that follow the pickles of a stream. */
  readonly storages: number;
}

const networks = readFileSync(join(folder, "expected.jsonl"), "utf8")
  .trim()
  .split("\n")
  .slice(1)
  .map((line): Network => JSON.parse(line));
const pickles = await openZip(memorySource(readFileSync(join(folder, "pickles.zip"))));

const headers = await openZip(memorySource(readFileSync(join(folder, "headers.zip"))));

async function header(name: string): Promise<Uint8Array | null> {
  const found = headers.find(name);
  if (!found) return null;
  const source = await headers.openEntry(found);
  return source.read(0, source.size);
}

/** Bytes of all tensors of a header. */
function dataBytes(bytes: Uint8Array): number {
  const entries: Record<string, { readonly data_offsets?: readonly number[] }> = JSON.parse(
    new TextDecoder().decode(bytes.subarray(8)),
  );
  return Math.max(...Object.values(entries).map(({ data_offsets }) => data_offsets?.[1] ?? 0));
}

async function entry(name: string): Promise<Uint8Array | null> {
  const found = pickles.find(name);
  if (!found) return null;
  const source = await pickles.openEntry(found);
  return source.read(0, source.size);
}

/** Bytes, and a hole after them. */
function followed(bytes: Uint8Array, hole: number): ByteSource {
  return {
    name: "stream.pt",
    size: bytes.length + hole,
    read: async (offset, length) => {
      const out = new Uint8Array(length);
      out.set(bytes.subarray(Math.min(offset, bytes.length), Math.min(offset + length, bytes.length)));
      return out;
    },
  };
}

function check(report: Report, network: Network): void {
  checkFigures(report, network.name);
  const { ledger, totals, layers } = report;
  expect(totals.parameters).toBe(network.parameters);
  expect(ledger.elements).toBe(network.elements);
  const { parameter, statistic, bookkeeping, constant } = ledger.classes;
  expect(parameter.elements).toBe(network.parameters);
  expect(parameter.elements + statistic.elements + bookkeeping.elements + constant.elements).toBe(
    network.elements,
  );
  const names = new Set(layers.flatMap(({ weights }) => weights.map(({ name }) => name)));
  expect(names.size).toBeLessThanOrEqual(network.tensors);
}

describe.each(networks)("$name", (network) => {
  test("as an archive", async () => {
    const data = await entry(`${network.name}/data.pkl`);
    if (!data) throw new Error("no pickle");
    check(await inspect(buildZip([{ name: "archive/data.pkl", data }])), network);
  });

  test("as safetensors, where there is one, in the same rows", async () => {
    const bytes = await header(network.name);
    if (!bytes) return;
    const report = await inspect(followed(bytes, dataBytes(bytes)));
    check(report, network);
    const data = await entry(`${network.name}/data.pkl`);
    const other = await inspect(buildZip([{ name: "archive/data.pkl", data: data as Uint8Array }]));
    const rows = ({ layers }: Report): string[] =>
      layers.map(({ name, type, params }) => `${name} ${type} ${params}`).sort();
    expect(rows(report)).toEqual(rows(other));
  });

  test("as a stream, where there is one", async () => {
    const data = await entry(`${network.name}/stream`);
    if (data) check(await inspect(followed(data, network.storages)), network);
  });
});
