import { describe, expect, test } from "vitest";
import { uniqueNames, uniquePaths } from "../../src/ir/unique-names.ts";

test("names that come again get the next number that is free", () => {
  const unique = uniqueNames();
  expect(["add", "add", "add_2", "add", "add_1", "add_1"].map(unique)).toEqual([
    "add",
    "add_1",
    "add_2",
    "add_3",
    "add_1_1",
    "add_1_2",
  ]);
});

describe("paths are as unique as their names would be put together", () => {
  const parts: readonly (readonly [string | null, string])[] = [
    [null, "add"],
    ["a", "add"],
    ["a", "add"],
    ["a/b", "add"],
    ["a", "b/add"],
    [null, "a/b/add"],
    ["", "add"],
    [null, "/add"],
    ["a", "add_1"],
    ["b", "add"],
    [null, "a/add"],
    [null, "add"],
    ["a/", "add"],
    ["a", "/add"],
  ];

  test("wherever the slashes are", () => {
    const whole = uniqueNames();
    const path = uniquePaths();
    for (const [folder, name] of parts)
      expect(path(folder, name)).toBe(whole(folder === null ? name : `${folder}/${name}`));
  });
});
