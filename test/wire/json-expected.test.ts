import { expect, test } from "vitest";
import { Expected } from "../../src/wire/json-expected.ts";

function guessed(names: string): string {
  const items = new Map(Array.from(names, (name) => [name, { name, came: -1 }]));
  const expected = new Expected<{ name: string; came: number }>();
  let right = "";
  for (const name of names) {
    const item = items.get(name) as { name: string; came: number };
    right += expected.next === item ? name : "-";
    expected.add(item);
  }
  return right;
}

test("guesses of what is new that it comes again, and nothing else before something has come twice", () => {
  expect(guessed("abcd")).toBe("----");
  expect(guessed("aaabbc")).toBe("-aa-b-");
});

test("guesses all of a block that came twice, though in it one thing comes several times with others behind it", () => {
  expect(guessed("abacd".repeat(4))).toBe("-------acdabacdabacd");
});

test("finds back into a block after something else", () => {
  // Behind the last d was an X.
  expect(guessed("abcdabcdXcdab")).toBe("-----bcd--d-b");
});
