import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { readableSize } from "../../src/reporters/memory-size.ts";
import { cellLength, setCellSize } from "../../src/reporters/rich-cells.ts";
import { columnWidths } from "../../src/reporters/rich-table.ts";
import { parseMarkup } from "../../src/reporters/rich-text.ts";
import { type Justify, type Overflow, wrapText } from "../../src/reporters/rich-wrap.ts";

/** What rich 15.0.0 and Python answered (fixtures/build/printer_facts.py). */
type Fact =
  | { kind: "wrap"; text: string; width: number; justify: Justify; overflow: Overflow; lines: string[] }
  | { kind: "cells"; text: string; cells: number; width?: number; sized?: string }
  | { kind: "columns"; widths: number[]; total: number; outer: number[] }
  | { kind: "size"; bytes: number; keras3: string; keras2: string };

const folder = process.env.FACTS_DIR
  ? pathToFileURL(`${process.env.FACTS_DIR}/`)
  : new URL("./files/", import.meta.url);
const facts = (JSON.parse(readFileSync(new URL("rich.json", folder), "utf8")) as { cases: Fact[] }).cases;

function check<K extends Fact["kind"]>(
  kind: K,
  answer: (fact: Extract<Fact, { kind: K }>) => [unknown, unknown],
): void {
  const chosen = facts.filter((fact): fact is Extract<Fact, { kind: K }> => fact.kind === kind);
  const wrong = chosen.flatMap((fact) => {
    const [got, want] = answer(fact).map((value) => JSON.stringify(value));
    return got === want ? [] : [`${JSON.stringify(fact)}\n  got ${got}`];
  });
  expect(chosen.length).toBeGreaterThan(100);
  expect(wrong.length, `${wrong.length} of ${chosen.length}\n${wrong.slice(0, 10).join("\n")}`).toBe(0);
}

test("text is measured in the cells of a terminal", () => {
  check("cells", (fact) => [cellLength(fact.text), fact.cells]);
});

test("text is cut to a number of cells", () => {
  check("cells", (fact) =>
    fact.width === undefined ? [0, 0] : [setCellSize(fact.text, fact.width), fact.sized],
  );
});

test("text is wrapped, aligned and shortened", () => {
  check("wrap", (fact) => {
    const text = { text: fact.text, spans: [] };
    return [wrapText(text, fact.width, fact.justify, fact.overflow).map((line) => line.text), fact.lines];
  });
});

test("columns shrink and grow to the width of the table", () => {
  check("columns", (fact) => {
    const columns = fact.widths.map((width) => ({ header: "h", justify: "left" as const, width }));
    return [columnWidths(columns, fact.total), fact.outer];
  });
});

test("sizes are rounded half to even", () => {
  check("size", (fact) => {
    const bits = BigInt(fact.bytes) * 8n;
    return [
      [readableSize(bits, "B"), readableSize(bits, "Byte")],
      [fact.keras3, fact.keras2],
    ];
  });
});

test("a closing tag that closes nothing is text", () => {
  expect(parseMarkup("a[/]b[/red]", true).text).toBe("a[/]b[/red]");
});
