/** What is no model at all, files beside files, and what the command line says and returns. */

import { execFileSync, spawn } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inspectFile } from "../../src/public/node.ts";
import { builtProgram, ensureBuilt } from "../built.ts";
import { runCli } from "../cli/run-cli.ts";
import { said, unreadable } from "./survive.ts";

const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "weighbridge-hostile-"));
const put = (name: string, data: string | Uint8Array): string => {
  writeFileSync(join(folder, name), data);
  return join(folder, name);
};
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab\nsize 12345\n";
const foreign: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
  [
    "a Git LFS pointer",
    pointer,
    /a Git LFS pointer, not the model itself; fetch the file with `git lfs pull`/,
  ],
  ["an HTML page", "<!DOCTYPE html><html><body>404</body></html>", /an HTML or XML page, not a model/],
  ["LZ4", new Uint8Array([0x04, 0x22, 0x4d, 0x18, 0x40, 0x40, 0xc0]), /LZ4 data; decompress it first/],
  ["Zstandard", new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, 0, 0]), /Zstandard data; decompress it first/],
  ["gzip", new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]), /gzip data; decompress it first/],
  ["nothing", "", /the file is empty/],
  ["one byte", "\x89", /no format that is known here \(it starts with/],
  ["an HDF5 signature", new Uint8Array([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]), /HDF5/],
  ["a zip signature", "PK\x03\x04", /zip/],
  ["text", "hello", /no format that is known here/],
  ["a megabyte of zeros", new Uint8Array(1 << 20), /no format that is known here \(it starts with 00 00/],
];

describe("no model", () => {
  it.each(foreign)("%s", async (_, data, message) => {
    const error = await unreadable(typeof data === "string" ? new TextEncoder().encode(data) : data);
    expect(error.message).toMatch(message);
  });

  it.each(foreign)("%s on the command line: exit 3, one line, no stack", async (title, data, message) => {
    const path = put(`${title.replaceAll(" ", "-")}.h5`, data);
    const { code, stdout, stderr } = await runCli([path]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });

  it.each([
    ["a folder", () => folder, /is a folder; pass the model file in it/],
    ["a device", () => "/dev/zero", /is a device, not a regular file/],
    ["a path through a file", () => join(put("plain", "x"), "m.h5"), /no such file/],
    ["a link to itself", () => link("round.h5", "round.h5"), /symbolic links go round in a circle/],
    ["a name too long for any disk", () => join(folder, "x".repeat(5000)), /cannot be opened/],
    ["a pipe", () => fifo("pipe"), /is a pipe, not a regular file/],
  ])("%s", async (_, make, message) => {
    const { code, stderr } = await runCli([make()]);
    expect(stderr).toMatch(message);
    expect(code).toBe(3);
  });
});

function link(name: string, target: string): string {
  symlinkSync(target, join(folder, name));
  return join(folder, name);
}

function fifo(name: string): string {
  execFileSync("mkfifo", [join(folder, name)]);
  return join(folder, name);
}

describe("shards", () => {
  const index = (weight_map: unknown): string => {
    const text = JSON.stringify({ metadata: {}, weight_map });
    // What makes it an index is the name of a shard.
    return put("model.weights.json", text.replace("{", '{"marker":{"weight_map":"x.weights.h5"},'));
  };
  it("names that lead elsewhere are refused, missing ones are named, the rest is read", async () => {
    const names = [
      "../up.h5",
      "/etc/passwd",
      "http://x/y.h5",
      "a\\b.h5",
      "nul",
      "c\x1b.h5",
      "",
      "gone.weights.h5",
    ];
    const report = await inspectFile(index(Object.fromEntries(names.map((name, i) => [`w${i}`, [name]]))));
    expect(said(report, "companion-refused")).toHaveLength(7);
    expect(said(report, "companion-missing")).toEqual([
      "weight_map: the file refers to gone.weights.h5, which was not found beside it",
    ]);
  });

  it("itself, a folder, or a link out of the folder", async () => {
    mkdirSync(join(folder, "sub.weights.h5"));
    link("out.weights.h5", "/etc/passwd");
    for (const name of ["model.weights.json", "sub.weights.h5", "out.weights.h5"]) {
      const { code, stderr } = await runCli([index({ a: name })]);
      expect({ code, lines: stderr.trimEnd().split("\n").length }, name).toEqual({ code: 3, lines: 1 });
    }
  });

  it("five thousand of them, and a map that is none", async () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`w${i}`, `${i}.weights.h5`]));
    await expect(inspectFile(index(many))).rejects.toMatchObject({
      kind: "limit-exceeded",
      limit: "maxShards",
    });
    for (const map of [null, [], "x", 5, { a: null }, { a: { b: 1 } }, { a: [[["x"]]] }])
      expect((await runCli([index(map)])).code).toBeLessThanOrEqual(3);
  });

  it("gives back every descriptor", async () => {
    const source = readFileSync(join(root, "fixtures/hostile/external.h5"));
    const shards = Array.from({ length: 50 }, (_, i) => `s${i}.weights.h5`);
    for (const name of shards) put(name, source);
    const before = readdirSync("/proc/self/fd").length;
    await inspectFile(index(Object.fromEntries(shards.map((name) => [name, name]))));
    expect(readdirSync("/proc/self/fd").length).toBeLessThanOrEqual(before);
  });
});

describe("names on the terminal", () => {
  it("neither notes nor errors hold a control character", async () => {
    const name = "x\x1b]0;owned\x07\u202e\nTotal params: 0";
    const config = { name, layers: [{ class_name: name, config: { name } }] };
    const path = put(
      "names.json",
      JSON.stringify({ class_name: "Sequential", config, keras_version: "3.8.0" }),
    );
    for (const args of [
      [path],
      ["--json", path],
      ["--style", "keras2", path],
      ["--layer-range", "no", "such", path],
    ]) {
      const { stdout, stderr } = await runCli(args);
      for (const text of [stdout, stderr]) expect(text).not.toMatch(/[^\P{C}\n]/u);
      expect(stderr).not.toMatch(/^Total/m);
    }
  });
});

/** The command as it is installed. */
describe("the built command", () => {
  beforeAll(ensureBuilt, 120_000);

  interface Ended {
    readonly code: number | null;
    readonly stderr: string;
  }

  function end(
    args: readonly string[],
    feed?: (write: (data: Uint8Array) => boolean) => void,
  ): Promise<Ended> {
    return new Promise((done) => {
      const child = spawn(process.execPath, [builtProgram, ...args]);
      let stderr = "";
      child.stderr.on("data", (data) => {
        stderr += data;
      });
      child.stdout.resume();
      // It stops reading when it has seen enough.
      child.stdin.on("error", () => {});
      child.on("close", (code) => done({ code, stderr }));
      if (feed) feed((data) => child.stdin.writable && child.stdin.write(data));
      child.stdin.end();
    });
  }

  it.each([
    ["a good file", ["fixtures/keras/k3-mnist-cnn/model.keras"], 0],
    ["damage that leaves a part", ["fixtures/hostile/links.h5"], 0],
    ["no model", ["fixtures/hostile/foreign.h5"], 3],
    ["a limit", ["fixtures/hostile/deep.h5"], 3],
    ["one of two", ["fixtures/hostile/nothing.h5", "fixtures/keras/k3-mnist-cnn/model.keras"], 3],
    ["an unknown option", ["--frobnicate"], 2],
    ["a style that is none", ["--style", "keras9", "fixtures/keras/k3-mnist-cnn/model.keras"], 2],
  ])("%s: %j ends in %i", async (_, args, code) => {
    const paths = args.map((word) => (word.startsWith("fixtures/") ? join(root, word) : word));
    expect((await end(paths)).code).toBe(code);
  });

  it("standard input: a pointer, nothing, half a file, and zeros without end", async () => {
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    expect(await end(["-"], (write) => write(bytes(pointer)))).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/a Git LFS pointer/),
    });
    expect((await end(["-"])).code).toBe(3);
    const whole = readFileSync(join(root, "fixtures/keras/k3-mnist-cnn/model.keras"));
    const half = whole.subarray(0, whole.length / 2);
    expect((await end(["-"], (write) => write(half))).code).toBe(3);
    const zeros = await end(["-"], (write) => {
      for (let i = 0; i < 64; i++) write(new Uint8Array(1 << 20));
    });
    expect(zeros).toMatchObject({ code: 3, stderr: expect.stringMatching(/it starts with 00 00/) });
  });
});
