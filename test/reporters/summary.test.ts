import { describe, expect, test } from "vitest";
import { InvalidOptionError } from "../../src/errors.ts";
import {
  escapeName,
  formatJson,
  formatSummary,
  type SummaryOptions,
  styleOfProducer,
} from "../../src/reporters/index.ts";
import { columnWidths } from "../../src/reporters/rich-table.ts";
import { type LayerSpec, reportOf } from "./spec.ts";

const dense = (n: string, more: Partial<LayerSpec> = {}): LayerSpec => ({
  n,
  t: "Dense",
  w: [
    [[3, 2], "float32", true, `${n}/kernel`],
    [[2], "float32", true, `${n}/bias`],
  ],
  c: [[[], 0, [[null, 2]]]],
  ...more,
});

const chain = reportOf({ layers: [dense("first"), dense("second"), dense("third")] });

function refusal(options: SummaryOptions, report = chain): string {
  try {
    formatSummary(report, options);
  } catch (error) {
    if (error instanceof InvalidOptionError) return error.message;
    throw error;
  }
  return "accepted";
}

function names(options: SummaryOptions, report = chain): string[] {
  return [...formatSummary(report, options).matchAll(/^(?:│ | )(\w+) \(Dense\)/gm)].map(
    (match) => match[1] ?? "",
  );
}

describe("options", () => {
  test("Keras's own refusal says what to change", () => {
    expect(refusal({ lineLength: 15 })).toMatch(/Insufficient console width.*lineLength/s);
    expect(refusal({ columns: 10 })).toMatch(/Insufficient console width.*columns/s);
    expect(refusal({ positions: [0.5, 0.5, 1] })).toMatch(/column 2 would have 0/);
  });

  test("too few positions name the columns; more than enough do no harm", () => {
    expect(refusal({ positions: [0.5, 1] })).toMatch(
      /2 numbers.*3 columns \(Layer \(type\), Output Shape, Param #\)/,
    );
    expect(refusal({ positions: [0.3, 0.6, 0.7, 1] })).toBe("accepted");
    expect(refusal({ positions: [20, 40.5, 60], style: "keras2" })).toMatch(/mix fractions and characters/);
    expect(refusal({ positions: [0.5, Number.NaN, 1] })).toMatch(/give for each column/);
  });

  test("positions that leave no room are refused instead of printed for ever", () => {
    expect(refusal({ positions: [2, 40, 65], style: "keras2" })).toMatch(
      /column Layer \(type\) has room for -1/,
    );
  });

  test("lengths are whole numbers", () => {
    for (const lineLength of [0, -1, 1.5, Number.NaN, 1e9])
      expect(refusal({ lineLength })).toMatch(/lineLength is/);
  });

  test("what a generation did not have is refused with the styles that have it", () => {
    for (const style of ["keras2.3", "keras2.2"] as const) {
      expect(refusal({ style, expandNested: true })).toMatch(/expandNested.*keras3, keras2, keras2.7/);
      expect(refusal({ style, showTrainable: true })).toMatch(/showTrainable/);
      expect(refusal({ style, layerRange: ["a", "b"] })).toMatch(/layerRange/);
      expect(refusal({ style, expandNested: false })).toBe("accepted");
    }
  });

  test("an unknown style lists the styles", () => {
    expect(refusal({ style: "keras4" as "keras3" })).toMatch(/"keras4".*keras3, keras2, keras2.7/);
  });
});

describe("layerRange", () => {
  test("matches the start of names, as Python's re.match", () => {
    for (const style of ["keras3", "keras2", "keras2.7"] as const) {
      expect(names({ style, layerRange: ["first", "sec"] })).toEqual(["first", "second"]);
      expect(names({ style, layerRange: ["third", "second"] })).toEqual(["second", "third"]);
      expect(names({ style, layerRange: ["(?i)SECOND\\Z", "(?P<x>t)hird"] })).toEqual(["second", "third"]);
      expect(names({ style, layerRange: ["a|first", "s|x"] })).toEqual(["first", "second"]);
    }
  });

  test("what matches nothing, and what is no pattern, is refused", () => {
    expect(refusal({ layerRange: ["irst", "third"] })).toMatch(/"irst".*first, second, third/);
    expect(refusal({ layerRange: ["first", "("] })).toMatch(/"\(" is no regular expression/);
    expect(refusal({ layerRange: ["first"] as unknown as [string, string] })).toMatch(/1 part:/);
  });

  test("does not touch the totals", () => {
    expect(formatSummary(chain, { layerRange: ["first", "first"] })).toMatch(/Total params: 24 \(96.00 B\)/);
  });
});

test("column widths of Keras 3 (rich 15.0.0, keras 3.15.1)", () => {
  const outer = (positions: readonly number[], length: number): number[] => {
    const ends = positions.map((position) => Math.trunc(position * length));
    const columns = ends.map((end, i) => ({
      header: "",
      justify: "left" as const,
      width: end - (ends[i - 1] ?? 0),
    }));
    return columnWidths(columns, length);
  };
  const [three, four] = [
    [0.45, 0.8, 1],
    [0.3, 0.56, 0.74, 1],
  ] as const;
  expect(outer(three, 88)).toEqual([38, 29, 17]);
  expect(outer(three, 76)).toEqual([33, 24, 15]);
  expect(outer(three, 60)).toEqual([26, 19, 11]);
  expect(outer(four, 108)).toEqual([31, 27, 17, 28]);
  expect(outer(four, 140)).toEqual([41, 35, 23, 36]);
  const trainable = (positions: readonly number[]): number[] => [...positions.map((p) => p * 0.9), 1];
  expect(outer(trainable(four), 120)).toEqual([31, 27, 18, 27, 11]);
  expect(outer(trainable(three), 65)).toEqual([25, 19, 10, 6]);
});

test("as-written takes the style of the producer", () => {
  const styles = [
    [null, null, "keras3"],
    ["keras", "3.0.0", "keras3"],
    ["keras", "4.1", "keras3"],
    ["tf-keras", "2.16.0", "keras2"],
    ["tf-keras", null, "keras2"],
    ["keras", "2.15.0", "keras2"],
    ["keras", "2.13.1rc0", "keras2"],
    ["keras", "2.12.0", "keras2.7"],
    ["keras", "2.7.0", "keras2.7"],
    ["keras", "2.6.0", "keras2.3"],
    ["tf.keras", "2.4.0", "keras2.3"],
    ["tf.keras", "2.2.4-tf", "keras2.3"],
    ["keras", "2.2.5", "keras2.3"],
    ["keras", "2.2.4", "keras2.2"],
    ["tf.keras", "2.1.6-tf", "keras2.2"],
    ["keras", "1.2.2", "keras2.2"],
    ["keras", "unknown", "keras3"],
  ] as const;
  for (const [framework, version, style] of styles) {
    expect([version, styleOfProducer({ framework, version })]).toEqual([version, style]);
  }
});

/** Controls but the line end, bidirectional overrides, and half surrogate pairs. */
function unsafeCharacters(text: string): string[] {
  return [...text].filter(
    (character) => character !== "\n" && /[\p{Cc}\p{Cs}\p{Bidi_Control}]/u.test(character),
  );
}

describe("names are hostile", () => {
  const hostile = "a\u001b[31m\r\u202eb\u0007\u009b\ud800\u2066\u0000";

  test("what could change the terminal is shown, the rest stays", () => {
    expect(escapeName(hostile)).toBe("a\\x1b[31m\\r\\u202eb\\x07\\x9b\\ud800\\u2066\\x00");
    expect(escapeName("größe 層 👩\u200d💻 שלום")).toBe("größe 層 👩\u200d💻 שלום");
    expect(escapeName("x\n\ty", "cell")).toBe("x\n\ty");
  });

  test("in every style, wherever a name is printed", () => {
    const report = reportOf({
      model: { name: `${hostile}\nTotal params: 0`, linear: false },
      layers: [
        dense(hostile),
        dense("b", {
          t: hostile,
          c: [
            [
              [[hostile, 0, 0]],
              {
                dict: [
                  [hostile, 0],
                  ["k", 1],
                ],
              },
              [[1], [2]],
            ],
          ],
        }),
      ],
    });
    for (const style of ["keras3", "keras2", "keras2.7", "keras2.3", "keras2.2"] as const) {
      const text = formatSummary(report, { style, lineLength: 300, columns: 400 });
      expect(unsafeCharacters(text)).toEqual([]);
      expect(text).toContain("\\x1b[31m");
      expect(text.match(/^ ?Total params/gm)).toHaveLength(1);
    }
    const json = formatJson(report);
    expect(unsafeCharacters(json)).toEqual([]);
    expect(JSON.parse(json)).toEqual(report);
  });
});

describe("counts", () => {
  test("a weight stored once counts once; packed weights count as stored; unknown dimensions count nothing", () => {
    const report = reportOf({
      layers: [
        dense("a"),
        dense("b", {
          w: [
            [[3, 2], "float32", true, "a/kernel"],
            [[null, 7], "float32", true, null],
          ],
        }),
      ],
    });
    const [first, second] = report.layers;
    if (!first || !second) throw new Error("no layers");
    const packed = {
      ...first.weights[0],
      shape: [10, 10],
      storedShape: [5, 10],
      stored: "p",
      dtype: "int4",
      trainable: false,
    };
    const layers = [
      first,
      { ...second, weights: [...second.weights, packed as (typeof first.weights)[number]] },
    ];
    const text = formatSummary({ ...report, layers });
    expect(text).toContain(
      " Total params: 58 (82.00 B)\n Trainable params: 8 (32.00 B)\n Non-trainable params: 50 (50.00 B)\n",
    );
  });

  test("a bool is a bit in Keras 3 and a byte in Keras 2", () => {
    const report = reportOf({ layers: [dense("a", { w: [[[9], "bool", true, "m"]] })] });
    expect(formatSummary(report)).toContain(" Total params: 9 (1.12 B)\n");
    expect(formatSummary(report, { style: "keras2" })).toContain("Total params: 9 (9.00 Byte)\n");
  });

  test("Keras 3 adds the optimizer, Keras 2 does not", () => {
    const report = reportOf({ layers: [dense("a")], optimizer: { elements: 18, bytes: 76 } });
    expect(formatSummary(report)).toMatch(
      / Total params: 26 \(108.00 B\)\n.*\n.*\n Optimizer params: 18 \(76.00 B\)\n$/,
    );
    expect(formatSummary(report, { style: "keras2" })).toContain("Total params: 8 (32.00 Byte)\n");
  });
});

test("weights alone: groups as rows, and it says so", () => {
  const report = reportOf({
    model: { name: "w.weights.h5", kind: "weights-only", topology: "layers", type: "" },
    layers: [dense("block/conv", { t: "", c: [], f: null, w: [[[3, 4], "float32", null, "k"]] })],
  });
  const text = formatSummary(report, { showTrainable: true });
  expect(text.split("\n")[0]).toBe('Weights only: "w.weights.h5"');
  expect(text).toMatch(/^│ block\/conv +│ \? +│ +12 │ +\? +│$/m);
  expect(text).toMatch(/┘\n Total params: 12 \(48.00 B\)\n$/);
  for (const style of ["keras2", "keras2.7", "keras2.3", "keras2.2"] as const) {
    const text = formatSummary(report, { style });
    expect(text.split("\n")[0]).toBe('Weights only: "w.weights.h5"');
    expect(text).toMatch(/^ ?block\/conv +\? +12 *$/m);
    expect(text).not.toContain("rainable");
  }
});

test.each(["keras3", "keras2", "keras2.3"] as const)(
  "%s looks through all layers a few times, not for each row",
  (style) => {
    const rows = Array.from({ length: 200 }, (_, i) => dense(`layer${i}`));
    const report = reportOf({ layers: rows });
    let looks = 0;
    const counted = {
      ...report,
      model: { ...report.model, linear: false },
      get layers() {
        looks += 1;
        return report.layers;
      },
    };
    formatSummary(counted, { style });
    expect(looks).toBeLessThan(20);
  },
);

test("JSON has two blanks of indent and a line end", () => {
  expect(formatJson(chain)).toMatch(/^\{\n {2}"file": \{\n {4}"name": "model.keras",\n/);
  expect(formatJson(chain).endsWith("\n}\n")).toBe(true);
});
