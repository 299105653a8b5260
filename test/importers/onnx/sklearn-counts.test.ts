/** Estimators of scikit-learn, whose learned numbers stand in attributes as often as in initializers. */

import { describe, expect, test } from "vitest";
import { elementsOf, expectedOf, imbalance, weighFile } from "./fixture-files.ts";

interface Fitted {
  readonly class: string;
  readonly learned: Readonly<Record<string, unknown>>;
  /** Domain, operator and how many floats its attributes hold. */
  readonly floats: readonly (readonly [string, string, number])[];
}

const models: Readonly<Record<string, Fitted>> = expectedOf("sklearn").models ?? {};

/** Linear models of which the file holds just the coefficients and intercepts. */
const linear = /^(linear_regression|lda|linear_svc|logistic_regression(_no_zipmap)?)\.onnx$/;

describe("attributes are tensors of the file", () => {
  test.each(Object.keys(models))("%s", async (file) => {
    const { floats } = models[file] as Fitted;
    const weighed = await weighFile("sklearn", file);
    expect(imbalance(weighed)).toEqual([]);
    const held = weighed.imported.model.tensors
      .filter(({ dtype }) => dtype === "float32")
      .reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    expect(held).toBeGreaterThanOrEqual(
      // Labels are no weights, whatever their type.
      floats.filter(([, operator]) => operator !== "LabelEncoder").reduce((sum, [, , n]) => sum + n, 0),
    );
  });
});

describe("what estimators learned", () => {
  test.each(Object.keys(models).filter((file) => linear.test(file)))("%s: coefficients", async (file) => {
    const { coef, intercept } = (models[file] as Fitted).learned;
    const { report } = await weighFile("sklearn", file);
    expect(report.totals.parameters).toBe(Number(coef) + Number(intercept));
  });

  test.each(["poisson_regressor.onnx", "sgd_one_class.onnx"])(
    "%s: a vector, and one number",
    async (file) => {
      const { coef, intercept } = (models[file] as Fitted).learned;
      const { report } = await weighFile("sklearn", file);
      expect(report.totals.parameters).toBe(Number(coef) + Number(intercept));
      expect(report.diagnostics.map(({ code }) => code)).toEqual(["class-likely"]);
    },
  );

  test("a Gaussian process weighs the vectors that it keeps", async () => {
    const { vectors, alpha, mean } = (models["gaussian_process.onnx"] as Fitted).learned;
    const process = await weighFile("sklearn", "gaussian_process.onnx");
    // The mean of the targets is added like an intercept.
    expect(elementsOf(process, "parameter")).toBe(Number(alpha) + Number(mean));
    expect(elementsOf(process, "unclassified")).toBe(vectors);
  });

  test("the bias of a layer with one output counts", async () => {
    const regressor = await weighFile("sklearn", "mlp_regressor_pipeline.onnx");
    expect(regressor.report.totals.parameters).toBe(
      models["mlp_regressor_pipeline.onnx"]?.learned.parameters,
    );
  });

  test("a network has its parameters, scalers are statistics", async () => {
    const classifier = await weighFile("sklearn", "mlp_classifier.onnx");
    expect(classifier.report.totals.parameters).toBe(models["mlp_classifier.onnx"]?.learned.parameters);
    const scaler = await weighFile("sklearn", "standard_scaler.onnx");
    expect(elementsOf(scaler, "statistic")).toBe(8);
    const components = await weighFile("sklearn", "pca.onnx");
    expect(elementsOf(components, "parameter")).toBe(models["pca.onnx"]?.learned.components);
    // The mean is subtracted from the input: a statistic or a constant, the file does not tell.
    expect(elementsOf(components, "unclassified")).toBe(models["pca.onnx"]?.learned.mean);
  });
});
