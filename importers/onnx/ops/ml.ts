/**
 * Classical machine learning (ai.onnx.ml). What such models learn is in attributes of their nodes, not in initializers:
 * `stored` says which attributes hold it.
 */

import type { JsonObject } from "../../../src/ir/graph.ts";
import type { TensorClass } from "../../../src/ir/tensor.ts";
import { constant, type NodeView, type OnnxOps, variadic } from "../op.ts";

type Stored = readonly { readonly name: string; readonly class: TensorClass }[];

/** Those of the attributes that the node has. */
function held(
  classes: Readonly<Partial<Record<TensorClass, readonly string[]>>>,
): (node: NodeView) => Stored {
  const all = Object.entries(classes).flatMap(([tensorClass, names]) =>
    names.map((name) => ({ name, class: tensorClass as TensorClass })),
  );
  return (node) => all.filter(({ name }) => node.has(name));
}

/** Labels as written: of an empty list there are none. */
function labelType(node: NodeView, numbers: string): "int64" | "string" {
  return node.count("classlabels_strings") > 0 && node.count(numbers) === 0 ? "string" : "int64";
}

function labelCount(node: NodeView, numbers: string): number | null {
  return Math.max(node.count(numbers), node.count("classlabels_strings")) || null;
}

/** One score for each intercept; two classes may be told apart by one, and have two scores all the same. */
function linearScores(node: NodeView): JsonObject {
  const labels = labelCount(node, "classlabels_ints");
  const scores = node.count("intercepts") || null;
  return {
    labels: labelType(node, "classlabels_ints"),
    scores: scores === 1 && labels === 2 ? 2 : scores,
  };
}

/**
 * With support vectors: probabilities of classes, or without the fits for them the votes of each pair of classes. Without
 * vectors, a linear machine for each class (ONNX Runtime, svmclassifier.cc).
 */
function svmScores(node: NodeView): JsonObject {
  const labels = labelType(node, "classlabels_ints");
  const classes = node.count("vectors_per_class");
  if (classes === 0) return { labels, scores: labelCount(node, "classlabels_ints") };
  const pairs = classes > 2 ? (classes * (classes - 1)) / 2 : 2;
  return { labels, scores: node.count("prob_a") > 0 ? classes : pairs };
}

const treeStructure = [
  "nodes_treeids",
  "nodes_nodeids",
  "nodes_featureids",
  "nodes_modes",
  "nodes_truenodeids",
  "nodes_falsenodeids",
  "nodes_missing_value_tracks_true",
];

/** How many samples went through a node is counted, not learned. */
const hitRates = ["nodes_hitrates", "nodes_hitrates_as_tensor"];

const treeValues = ["nodes_values", "nodes_values_as_tensor", "base_values", "base_values_as_tensor"];

/** Type of the labels that a LabelEncoder gives: before opset 2 numbers for words and words for numbers. */
function encodedType(node: NodeView): JsonObject {
  if (node.version < 2) return { swapped: true };
  if (node.has("values_strings")) return { dtype: "string" };
  if (node.has("values_int64s")) return { dtype: "int64" };
  if (node.has("values_floats")) return { dtype: "float32" };
  return { dtype: node.tensor("values_tensor")?.dtype ?? null };
}

const castTypes: Readonly<Record<string, string>> = {
  TO_FLOAT: "float32",
  TO_STRING: "string",
  TO_INT64: "int64",
};

const classifierOps: OnnxOps = {
  "ai.onnx.ml.LinearClassifier": {
    operator: "LinearClassifier",
    inputs: ["x"],
    attributes: linearScores,
    stored: held({
      parameter: ["coefficients", "intercepts"],
      constant: ["classlabels_ints", "classlabels_strings"],
    }),
  },
  "ai.onnx.ml.SVMClassifier": {
    operator: "SvmClassifier",
    inputs: ["x"],
    attributes: svmScores,
    stored: held({
      parameter: ["support_vectors", "coefficients", "rho", "prob_a", "prob_b"],
      constant: ["kernel_params", "vectors_per_class", "classlabels_ints", "classlabels_strings"],
    }),
  },
  "ai.onnx.ml.TreeEnsembleClassifier": {
    operator: "TreeEnsembleClassifier",
    inputs: ["x"],
    attributes: (node) => ({
      labels: labelType(node, "classlabels_int64s"),
      scores: labelCount(node, "classlabels_int64s"),
    }),
    stored: held({
      parameter: [...treeValues, "class_weights", "class_weights_as_tensor"],
      statistic: hitRates,
      constant: [
        ...treeStructure,
        "class_treeids",
        "class_nodeids",
        "class_ids",
        "classlabels_int64s",
        "classlabels_strings",
      ],
    }),
  },
};

const regressorOps: OnnxOps = {
  "ai.onnx.ml.LinearRegressor": {
    operator: "LinearRegressor",
    inputs: ["x"],
    attributes: (node) => ({ targets: node.int("targets", 1), dtype: "float32" }),
    stored: held({ parameter: ["coefficients", "intercepts"] }),
  },
  "ai.onnx.ml.SVMRegressor": {
    operator: "SvmRegressor",
    inputs: ["x"],
    attributes: () => ({ targets: 1, dtype: "float32" }),
    stored: held({ parameter: ["support_vectors", "coefficients", "rho"], constant: ["kernel_params"] }),
  },
  "ai.onnx.ml.TreeEnsembleRegressor": {
    operator: "TreeEnsembleRegressor",
    inputs: ["x"],
    attributes: (node) => ({ targets: node.optionalInt("n_targets"), dtype: "float32" }),
    stored: held({
      parameter: [...treeValues, "target_weights", "target_weights_as_tensor"],
      statistic: hitRates,
      constant: [...treeStructure, "target_treeids", "target_nodeids", "target_ids"],
    }),
  },
  "ai.onnx.ml.TreeEnsemble": {
    operator: "TreeEnsembleRegressor",
    inputs: ["x"],
    attributes: (node) => ({ targets: node.optionalInt("n_targets") }),
    stored: held({
      parameter: ["nodes_splits", "membership_values", "leaf_weights"],
      statistic: ["nodes_hitrates"],
      constant: [
        "tree_roots",
        "nodes_featureids",
        "nodes_modes",
        "nodes_truenodeids",
        "nodes_falsenodeids",
        "nodes_trueleafs",
        "nodes_falseleafs",
        "nodes_missing_value_tracks_true",
        "leaf_targetids",
      ],
    }),
  },
};

const featureOps: OnnxOps = {
  "ai.onnx.ml.ArrayFeatureExtractor": { operator: "FeatureExtractor", inputs: ["x", constant("indices")] },
  "ai.onnx.ml.Binarizer": { operator: "Binarizer", inputs: ["x"] },
  "ai.onnx.ml.FeatureVectorizer": {
    operator: "FeatureVectorizer",
    inputs: [variadic("x")],
    attributes: (node) => ({
      features: node.ints("inputdimensions")?.reduce((sum, size) => sum + size, 0) ?? null,
    }),
  },
  "ai.onnx.ml.Imputer": {
    operator: "Imputer",
    inputs: ["x"],
    stored: held({ statistic: ["imputed_value_floats", "imputed_value_int64s"] }),
  },
  "ai.onnx.ml.Normalizer": {
    operator: "SampleNormalizer",
    inputs: ["x"],
    attributes: () => ({ dtype: "float32" }),
  },
  "ai.onnx.ml.Scaler": {
    operator: "FeatureScaler",
    inputs: ["x"],
    attributes: () => ({ dtype: "float32" }),
    stored: held({ statistic: ["offset", "scale"] }),
  },
};

const categoryOps: OnnxOps = {
  "ai.onnx.ml.CastMap": {
    operator: "CastMap",
    inputs: ["x"],
    attributes: (node) => ({
      size: node.text("map_form", "DENSE") === "SPARSE" ? node.int("max_map", 1) : null,
      dtype: castTypes[node.text("cast_to", "TO_FLOAT")] ?? null,
    }),
  },
  "ai.onnx.ml.CategoryMapper": {
    operator: "CategoryMapper",
    inputs: ["x"],
    attributes: () => ({ swapped: true }),
    stored: held({ constant: ["cats_int64s", "cats_strings"] }),
  },
  "ai.onnx.ml.DictVectorizer": {
    operator: "DictVectorizer",
    inputs: ["x"],
    attributes: (node) => ({
      size: Math.max(node.count("string_vocabulary"), node.count("int64_vocabulary")),
    }),
    stored: held({ constant: ["string_vocabulary", "int64_vocabulary"] }),
  },
  "ai.onnx.ml.LabelEncoder": {
    operator: "CategoryMapper",
    inputs: ["x"],
    attributes: encodedType,
    stored: held({
      constant: [
        "classes_strings",
        "keys_strings",
        "keys_int64s",
        "keys_floats",
        "keys_tensor",
        "values_strings",
        "values_int64s",
        "values_floats",
        "values_tensor",
      ],
    }),
  },
  "ai.onnx.ml.OneHotEncoder": {
    operator: "CategoryOneHot",
    inputs: ["x"],
    attributes: (node) => ({ categories: Math.max(node.count("cats_int64s"), node.count("cats_strings")) }),
    stored: held({ constant: ["cats_int64s", "cats_strings"] }),
  },
  "ai.onnx.ml.ZipMap": {
    operator: "ZipMap",
    inputs: ["x"],
    attributes: (node) => ({ key: labelType(node, "classlabels_int64s") }),
    stored: held({ constant: ["classlabels_int64s", "classlabels_strings"] }),
    plumbing: true,
  },
};

export const mlOps: OnnxOps = {
  ...classifierOps,
  ...regressorOps,
  ...featureOps,
  ...categoryOps,
};
