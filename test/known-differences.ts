/**
 * Where we and a real Keras differ on a committed file, and why. Nothing else may differ: a test fails for any
 * difference that is not listed, and for any entry that no difference needs any more. docs/command-line.md tells users the same.
 */

export interface KnownDifference {
  /** Cases (folders of fixtures, or ids of zoo cases) it is about. */
  readonly cases: RegExp;
  /** Styles or oracles it is about; all where absent. */
  readonly oracles?: RegExp;
  /** Files of summaries it is about; all where absent. */
  readonly goldens?: RegExp;
  readonly reason: string;
}

const lambda = "what a Lambda gives follows from its code, which is never run";
const customCode =
  "the class is custom code: which of its weights are trainable, and what it gives when no consumer states it, is not in the file";
const subclass =
  "a subclassed model: order and classes of its attributes, and the calls between them, are in its code alone";
const misread =
  "Keras 3 takes batch_input_shape of a Sequential's first layer for a shape without the batch, and shows one None too many";

/** Files and the summaries of them. */
export const knownDifferences: readonly KnownDifference[] = [
  { cases: /^k[23].*-lambda-layer$/, reason: lambda },
  { cases: /^k3-(json-)?lenet5(-sequential)?$|^k3-(custom-layers|dict-layer)$/, reason: customCode },
  { cases: /^k3-(subclassed(-.*)?|opt-subclass)$/, reason: subclass },
  { cases: /^k3-subclass-in-functional$/, goldens: /nested/, reason: subclass },
  { cases: /^k2-old-(compiled-sgd|trained-adam)$/, oracles: /^keras ?3/, reason: misread },

  {
    cases: /^k1-merge-sequential$/,
    reason:
      "Keras 1 lists the merge and leaves out the models it holds, whose parameters it counts all the same",
  },
  {
    cases: /^k3-frozen-thawed$/,
    oracles: /^keras 3\.15/,
    reason:
      "Keras lists a weight as trainable by its layer and as not trainable by its model, which is frozen",
  },
];

/** Cases of the layer zoo. */
export const knownZooDifferences: readonly KnownDifference[] = [
  { cases: /^Lambda\/(?!output-shape$)/, reason: lambda },
  {
    cases: /^(ops\.(map|vectorized_map|switch)\(|.*jvp)/,
    reason: "the output follows from a function that is not in the file",
  },
  {
    cases: /^(DenseFeatures|SequenceFeatures|PreprocessingLayer|LinearModel)\//,
    reason: "classes of TensorFlow's estimator days without a rule yet",
  },
  { cases: /^tf\.strings\.split/, reason: "ragged results are not modelled" },
  {
    cases: /^SpectralNormalization\/frozen-inner$/,
    oracles: /^tf-keras/,
    reason: "tf-keras counts the wrapped kernel a second time, as a trainable weight of the wrapper",
  },
];

/** Whether a difference is a listed one. */
export function isKnown(
  list: readonly KnownDifference[],
  found: { readonly name: string; readonly oracle: string; readonly golden?: string },
): boolean {
  return list.some(
    ({ cases, oracles, goldens }) =>
      cases.test(found.name) &&
      (oracles?.test(found.oracle) ?? true) &&
      (found.golden === undefined || (goldens?.test(found.golden) ?? true)),
  );
}
