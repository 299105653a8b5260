/** Models of classical machine learning and the steps around them (the operators of ai.onnx.ml). */

import type { Dim } from "../ir/dim.ts";
import type { DType } from "../ir/dtype.ts";
import type { JsonObject } from "../ir/graph.ts";
import { elementsOf, type Shape } from "../ir/shape.ts";
import { mainInput, resolveAxis } from "./arguments.ts";
import { readOptionalInteger } from "./attributes.ts";
import { containerAt, containerOfAny } from "./containers.ts";
import { type OperatorDef, RuleError } from "./operator.ts";
import { defineOperator, inputAt, only, optionalDType } from "./tensor-rule.ts";

/** Samples of x (samples, features): a vector is one sample. */
function samplesOf(shape: Shape): Dim {
  if (shape === null) return null;
  if (shape.length === 0) throw new RuleError("a scalar is no sample of features");
  return shape.length === 1 ? 1 : (shape[0] ?? null);
}

function count(raw: JsonObject, key: string): number | null {
  return readOptionalInteger(raw, key, { min: 0 });
}

/** x (n, features) -> a label (n), scores (n, `scores`). */
function classifier(name: string): OperatorDef<unknown> {
  return defineOperator<{ labels: DType | null; scores: number | null }>({
    name,
    attributes: (raw) => ({ labels: optionalDType(raw, "labels"), scores: count(raw, "scores") }),
    infer({ attributes: { labels, scores }, inputs }) {
      const samples = samplesOf(mainInput(inputs).shape);
      return {
        types: [
          { dtype: labels, shape: [samples] },
          { dtype: "float32", shape: [samples, scores] },
        ],
      };
    },
  });
}

/** x (n, features) -> predictions (n, `targets`); `dtype` is that of x where it is not stated. */
function regressor(name: string): OperatorDef<unknown> {
  return defineOperator<{ targets: number | null; dtype: DType | null }>({
    name,
    attributes: (raw) => ({ targets: count(raw, "targets"), dtype: optionalDType(raw) }),
    infer({ attributes: { targets, dtype }, inputs }) {
      const x = mainInput(inputs);
      return only({ dtype: dtype ?? x.dtype, shape: [samplesOf(x.shape), targets] });
    },
  });
}

/** x -> x, each number on its own; `dtype` is that of x where it is not stated. */
function featurewise(name: string): OperatorDef<unknown> {
  return defineOperator<{ dtype: DType | null }>({
    name,
    attributes: (raw) => ({ dtype: optionalDType(raw) }),
    infer({ attributes: { dtype }, inputs }) {
      const x = mainInput(inputs);
      return only({ dtype: dtype ?? x.dtype, shape: x.shape });
    },
  });
}

/** x (..., features), indices -> the features of these places: (..., number of indices); a vector is one sample. */
const featureExtractor = defineOperator<null>({
  name: "FeatureExtractor",
  attributes: () => null,
  infer({ inputs }) {
    const { dtype, shape } = inputAt(inputs, "x", 0);
    const picked = elementsOf(inputAt(inputs, "indices", 1).shape);
    if (shape === null) return only({ dtype, shape });
    resolveAxis(-1, shape.length);
    return only({ dtype, shape: [...(shape.length === 1 ? [1] : shape.slice(0, -1)), picked] });
  },
});

/** x... -> the features of all of them side by side, `features` in all. */
const featureVectorizer = defineOperator<{ features: number | null }>({
  name: "FeatureVectorizer",
  attributes: (raw) => ({ features: count(raw, "features") }),
  infer: ({ attributes: { features }, inputs }) =>
    only({ dtype: "float32", shape: [samplesOf(mainInput(inputs).shape), features] }),
});

/** x -> x with a new last axis, as long as there are categories. */
const categoryOneHot = defineOperator<{ categories: number | null }>({
  name: "CategoryOneHot",
  attributes: (raw) => ({ categories: count(raw, "categories") }),
  infer({ attributes: { categories }, inputs }) {
    const { shape } = mainInput(inputs);
    return only({ dtype: "float32", shape: shape && [...shape, categories] });
  },
});

/** Labels -> what stands for each, of type `dtype`; `swapped`: numbers for words, and words for numbers. */
const categoryMapper = defineOperator<{ dtype: DType | null; swapped: boolean }>({
  name: "CategoryMapper",
  attributes: (raw) => ({ dtype: optionalDType(raw), swapped: raw.swapped === true }),
  infer({ attributes: { dtype, swapped }, inputs }) {
    const x = mainInput(inputs);
    const other: DType | null = x.dtype === "string" ? "int64" : x.dtype === "int64" ? "string" : null;
    return only({ dtype: swapped ? other : dtype, shape: x.shape });
  },
});

/** A map -> its values for the keys of a vocabulary (1, `size`). */
const dictVectorizer = defineOperator<{ size: number | null }>({
  name: "DictVectorizer",
  attributes: (raw) => ({ size: count(raw, "size") }),
  infer({ attributes: { size }, inputs }) {
    const { element } = containerAt(mainInput(inputs), "map");
    return only({ dtype: element?.dtype ?? null, shape: [1, size] });
  },
});

/** A map -> its values as a tensor (1, `size`); without a size as many as there are. */
const castMap = defineOperator<{ size: number | null; dtype: DType | null }>({
  name: "CastMap",
  attributes: (raw) => ({ size: count(raw, "size"), dtype: optionalDType(raw) }),
  infer({ attributes: { size, dtype }, inputs }) {
    containerAt(mainInput(inputs), "map");
    return only({ dtype, shape: [1, size] });
  },
});

/** x (n, classes) -> for each sample a map from class to score. */
const zipMap = defineOperator<{ key: DType | null }>({
  name: "ZipMap",
  attributes: (raw) => ({ key: optionalDType(raw, "key") }),
  infer({ attributes: { key }, inputs }) {
    const { dtype } = mainInput(inputs);
    const map = containerOfAny("map", { dtype, shape: [] }, key ?? undefined);
    return { types: [containerOfAny("sequence", map)] };
  },
});

export const classicalOperators: readonly OperatorDef<unknown>[] = [
  classifier("LinearClassifier"),
  classifier("SvmClassifier"),
  classifier("TreeEnsembleClassifier"),
  regressor("LinearRegressor"),
  regressor("SvmRegressor"),
  regressor("TreeEnsembleRegressor"),
  featurewise("Binarizer"),
  featurewise("FeatureScaler"),
  featurewise("Imputer"),
  featurewise("SampleNormalizer"),
  featureExtractor,
  featureVectorizer,
  categoryOneHot,
  categoryMapper,
  dictVectorizer,
  castMap,
  zipMap,
];
