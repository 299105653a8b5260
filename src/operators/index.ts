/**
 * Every canonical operator, by name. The list is written by hand: one line a family, whose file exports
 * `<family>Operators`.
 */

import { activationOperators } from "./activation.ts";
import { attentionOperators } from "./attention.ts";
import { audioOperators } from "./audio.ts";
import { classicalOperators } from "./classical.ts";
import { controlOperators } from "./control.ts";
import { controlCallOperators } from "./control-call.ts";
import { convOperators } from "./conv.ts";
import { convRecurrentOperators } from "./conv-recurrent.ts";
import { einsumOperators } from "./einsum.ts";
import { elementwiseOperators } from "./elementwise.ts";
import { embeddingOperators } from "./embedding.ts";
import { graphAffineOperators } from "./graph-affine.ts";
import { graphAttentionOperators } from "./graph-attention.ts";
import { graphCompareOperators } from "./graph-compare.ts";
import { graphConvOperators } from "./graph-conv.ts";
import { graphCreateOperators } from "./graph-create.ts";
import { graphFourierOperators } from "./graph-fourier.ts";
import { graphFusedOperators } from "./graph-fused.ts";
import { graphGenerateOperators } from "./graph-generate.ts";
import { graphGradientOperators } from "./graph-gradients.ts";
import { graphIndexOperators } from "./graph-index.ts";
import { graphJoinOperators } from "./graph-join.ts";
import { graphLayerOperators } from "./graph-layers.ts";
import { graphLayoutOperators } from "./graph-layout.ts";
import { graphLinearOperators } from "./graph-linear.ts";
import { graphMathOperators } from "./graph-math.ts";
import { graphNormalizeOperators } from "./graph-normalize.ts";
import { graphOtherOperators } from "./graph-other.ts";
import { graphPackedAttentionOperators } from "./graph-packed-attention.ts";
import { graphPickOperators } from "./graph-pick.ts";
import { graphPoolOperators } from "./graph-pool.ts";
import { graphQuantizeOperators } from "./graph-quantize.ts";
import { graphRecurrentOperators } from "./graph-recurrent.ts";
import { graphReduceOperators } from "./graph-reduce.ts";
import { graphResizeOperators } from "./graph-resize.ts";
import { graphRuntimeOperators } from "./graph-runtime.ts";
import { graphShapeOperators } from "./graph-shape.ts";
import { graphSignalOperators } from "./graph-signal.ts";
import { graphSliceOperators } from "./graph-slice.ts";
import { graphStateOperators } from "./graph-states.ts";
import { graphViewOperators } from "./graph-view.ts";
import { imageOperators } from "./image.ts";
import { inputOperators } from "./input.ts";
import { linearOperators } from "./linear.ts";
import { localConvOperators } from "./local-conv.ts";
import { mergeOperators } from "./merge.ts";
import { normalizeOperators } from "./normalize.ts";
import type { OperatorDef } from "./operator.ts";
import { poolOperators } from "./pool.ts";
import { preprocessOperators } from "./preprocess.ts";
import { rearrangeOperators } from "./rearrange.ts";
import { recurrentOperators } from "./recurrent.ts";
import { reduceOperators } from "./reduce.ts";
import { regularizeOperators } from "./regularize.ts";
import { reshapeOperators } from "./reshape.ts";
import { sequenceOperators } from "./sequence.ts";
import { tensorCreateOperators } from "./tensor-create.ts";
import { tensorIndexOperators } from "./tensor-index.ts";
import { tensorJoinOperators } from "./tensor-join.ts";
import { tensorLinalgOperators } from "./tensor-linalg.ts";
import { tensorNnOperators } from "./tensor-nn.ts";
import { tensorProductOperators } from "./tensor-product.ts";
import { tensorShapeOperators } from "./tensor-shape.ts";
import { tensorSignalOperators } from "./tensor-signal.ts";
import { wrapperOperators } from "./wrapper.ts";

/** Names are unique (test/operators/index.test.ts). */
export const operatorFamilies: readonly (readonly OperatorDef<unknown>[])[] = [
  activationOperators,
  attentionOperators,
  audioOperators,
  classicalOperators,
  controlCallOperators,
  controlOperators,
  convOperators,
  convRecurrentOperators,
  einsumOperators,
  elementwiseOperators,
  embeddingOperators,
  graphAffineOperators,
  graphAttentionOperators,
  graphCompareOperators,
  graphConvOperators,
  graphCreateOperators,
  graphFourierOperators,
  graphFusedOperators,
  graphGenerateOperators,
  graphGradientOperators,
  graphIndexOperators,
  graphJoinOperators,
  graphLayoutOperators,
  graphLayerOperators,
  graphLinearOperators,
  graphMathOperators,
  graphNormalizeOperators,
  graphOtherOperators,
  graphPackedAttentionOperators,
  graphPickOperators,
  graphPoolOperators,
  graphQuantizeOperators,
  graphRecurrentOperators,
  graphReduceOperators,
  graphResizeOperators,
  graphRuntimeOperators,
  graphShapeOperators,
  graphSignalOperators,
  graphSliceOperators,
  graphStateOperators,
  graphViewOperators,
  imageOperators,
  inputOperators,
  linearOperators,
  localConvOperators,
  mergeOperators,
  normalizeOperators,
  poolOperators,
  preprocessOperators,
  rearrangeOperators,
  recurrentOperators,
  reduceOperators,
  regularizeOperators,
  reshapeOperators,
  sequenceOperators,
  tensorCreateOperators,
  tensorIndexOperators,
  tensorJoinOperators,
  tensorLinalgOperators,
  tensorNnOperators,
  tensorProductOperators,
  tensorShapeOperators,
  tensorSignalOperators,
  wrapperOperators,
];

/** Operators by canonical name. What an operator reads as its attributes is known to itself alone. */
export const operators: ReadonlyMap<string, OperatorDef> = new Map(
  operatorFamilies.flat().map((operator) => [operator.name, operator as OperatorDef]),
);
