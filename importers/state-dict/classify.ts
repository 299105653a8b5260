/**
 * What each tensor of a state dict is for. The format does not say which is a parameter and which a buffer, so each
 * answer comes from a rule, and each rule says how sure it is.
 */

import { elementsOf } from "../../src/ir/shape.ts";
import type { TensorClass } from "../../src/ir/tensor.ts";
import type { Module } from "./modules.ts";
import { isPackedName } from "./packed.ts";
import { isQuantizationHelper, isWhole } from "./quantization.ts";
import { lastStep, type Recognized } from "./recognize.ts";
import type { NamedTensor } from "./state-dict.ts";
import { isDiffusionSchedule, isSignalTransform } from "./worked-out.ts";

/**
 * - certain: the name belongs to one kind of torch.nn alone, or the file says it;
 * - likely: published models agree, another meaning is possible.
 */
export type Certainty = "certain" | "likely";

export interface Classified {
  readonly class: TensorClass;
  readonly certainty: Certainty;
  /** Unclassified since its elements look packed. */
  readonly packed?: boolean;
}

interface Asked {
  readonly local: string;
  readonly tensor: NamedTensor;
  readonly module: Module;
  readonly recognized: Recognized | null;
  /** `quant_method` of the model's configuration, "" when there is none. */
  readonly method: string;
}

interface Rule extends Classified {
  readonly because: string;
  readonly applies: (asked: Asked) => boolean;
}

const named =
  (pattern: RegExp) =>
  ({ local }: Asked): boolean =>
    pattern.test(local);

/** The first that applies decides. */
const rules: readonly Rule[] = [
  {
    class: "bookkeeping",
    certainty: "certain",
    because: "the counter of a BatchNorm",
    applies: ({ local, tensor }) => local === "num_batches_tracked" && isWhole(tensor.dtype),
  },
  {
    class: "bookkeeping",
    certainty: "certain",
    because: "how many models an average of torch.optim.swa_utils has seen",
    applies: ({ local, tensor }) =>
      local === "n_averaged" && isWhole(tensor.dtype) && elementsOf(tensor.shape) === 1,
  },
  {
    class: "statistic",
    certainty: "certain",
    because: "statistics of a BatchNorm or an InstanceNorm",
    // `_mean` and `_variance` are PaddlePaddle's.
    applies: ({ local, module }) =>
      /^running_(mean|var)$/.test(local) ||
      (/^_(mean|variance)$/.test(local) && module.byLocal.has("_mean") && module.byLocal.has("_variance")),
  },
  {
    class: "statistic",
    certainty: "certain",
    because: "vectors of the power iteration of spectral_norm",
    applies: ({ local, module }) =>
      (/^\w+_[uv]$/.test(local) && module.byLocal.has(local.replace(/_[uv]$/, "_orig"))) ||
      /^parametrizations\.\w+\.\d+\._[uv]$/.test(local),
  },
  {
    class: "constant",
    certainty: "certain",
    because: "where an orthogonal parametrization starts from",
    applies: named(/^parametrizations\.\w+\.\d+\.base$/),
  },
  {
    class: "constant",
    certainty: "certain",
    because: "the mask of a pruned weight",
    applies: ({ local, module }) =>
      local.endsWith("_mask") && module.byLocal.has(local.replace(/_mask$/, "_orig")),
  },
  {
    class: "statistic",
    certainty: "certain",
    because: "what an observer of torch.ao has seen",
    applies: ({ local, module }) =>
      /^((min|max)_val|histogram|eps)$/.test(local) &&
      module.byLocal.has("min_val") &&
      module.byLocal.has("max_val"),
  },
  {
    class: "bookkeeping",
    certainty: "certain",
    because: "switches of torch.ao's fake quantisation",
    applies: named(/^(fake_quant|observer)_enabled$/),
  },
  {
    class: "quantization",
    certainty: "certain",
    because: "scales, zero points and indices beside a packed or quantised weight",
    applies: isQuantizationHelper,
  },
  {
    class: "unclassified",
    certainty: "certain",
    because: "several values are packed in each stored element, and nothing says how many",
    packed: true,
    applies: looksPacked,
  },
  {
    class: "constant",
    certainty: "certain",
    because: "frequencies of a rotary embedding",
    applies: ({ local, module }) =>
      /^(original_)?inv_freq$/.test(local) || (local === "scale" && module.byLocal.has("inv_freq")),
  },
  {
    class: "constant",
    certainty: "likely",
    because: "tables of a rotary embedding",
    applies: ({ local, module }) =>
      /^(cos|sin)_cached$|^freqs_(cis|cos|sin)$/.test(local) ||
      (local === "freqs" && lastStep(module.path) === "rope"),
  },
  {
    class: "constant",
    certainty: "certain",
    because: "a causal mask, 1 x 1 x n x n (GPT-2's attn.bias); no bias is learned in that shape",
    applies: ({ local, tensor: { shape } }) =>
      /^(bias|mask|causal_mask|attn_mask)$/.test(local) &&
      shape.length === 4 &&
      shape[0] === 1 &&
      shape[1] === 1 &&
      shape[2] === shape[3],
  },
  {
    class: "constant",
    certainty: "certain",
    because: "the number that GPT-2 puts where its mask is",
    applies: ({ local, tensor }) => local === "masked_bias" && elementsOf(tensor.shape) === 1,
  },
  {
    class: "constant",
    certainty: "certain",
    because: "positions, token types and index tables that models register as buffers",
    applies: ({ local, tensor }) =>
      isWhole(tensor.dtype) && /^(position_ids|token_type_ids|relative_position_index)$/.test(local),
  },
  {
    class: "constant",
    certainty: "likely",
    because: "masks and coordinate tables that models register as buffers",
    applies: named(/^(attn_mask|attention_mask|causal_mask|relative_coords_table|pixel_(mean|std))$/),
  },
  {
    class: "constant",
    certainty: "likely",
    because: "the range that values are clamped to (Gemma's vision towers)",
    applies: ({ local, tensor }) =>
      /^(input|output)_(min|max)$/.test(local) && elementsOf(tensor.shape) === 1,
  },
  {
    class: "constant",
    certainty: "likely",
    because: "what models of transformers register as buffers under names of their own",
    applies: named(
      /^(final_logits_bias|empty_weight|layer_scalar|n(um)?_points_scale|inv_timescales|attn_mask_probs|slope_rate|(query|key|diagonal)_decay|norm_(mean|std)|std_(scale|bias)|pos_idx_to_embed|dft_mat_(hidden|seq)|(weight|bias)_integer|positional_encoding_gaussian_matrix)$/,
    ),
  },
  {
    class: "constant",
    certainty: "likely",
    because:
      "transforms of signals, worked out when the model was made (torchaudio, NeMo, nnAudio, pytorch-stft)",
    applies: isSignalTransform,
  },
  {
    class: "constant",
    certainty: "likely",
    because: "sines for each of the 1500 places that Whisper hears",
    applies: ({ local, tensor, module }) =>
      local === "positional_embedding" && tensor.shape[0] === 1500 && lastStep(module.path) === "encoder",
  },
  {
    class: "constant",
    certainty: "likely",
    because: "filters that images are blurred and enlarged with (StyleGAN)",
    applies: named(/^(resample_filter|blur_kernel|fir_kernel)$/),
  },
  {
    class: "constant",
    certainty: "likely",
    because: "the schedule of a diffusion, worked out when the model was made",
    applies: isDiffusionSchedule,
  },
  {
    class: "constant",
    certainty: "likely",
    because: "what images are shifted and scaled by before a network that compares them (LPIPS)",
    applies: ({ local, module }) =>
      /^(shift|scale)$/.test(local) && lastStep(module.path) === "scaling_layer",
  },
  {
    class: "constant",
    certainty: "likely",
    because: "what an adapter is scaled by, a number beside its factors (kohya, LyCORIS)",
    applies: ({ local, tensor, module }) =>
      local === "alpha" &&
      elementsOf(tensor.shape) === 1 &&
      (/(^|\.)(lora|lycoris)_/.test(module.path) ||
        module.members.some((member) => /^(hada_|lokr_|oft_)/.test(member.local))),
  },
  {
    class: "statistic",
    certainty: "likely",
    because: "keys of past batches, with the place of the next one beside them (MoCo)",
    applies: ({ local, module }) => /^\w*queue$/.test(local) && module.byLocal.has(`${local}_ptr`),
  },
  {
    class: "bookkeeping",
    certainty: "likely",
    because: "which layout a module has, and on which device it is (fairseq)",
    applies: ({ local, tensor }) => /^(version|_float_tensor)$/.test(local) && elementsOf(tensor.shape) === 1,
  },
  {
    class: "statistic",
    certainty: "likely",
    because: "how often experts are chosen, balanced without gradients (DeepSeek-V3 and what follows it)",
    applies: named(/^(e_score_correction_bias|balancing_biases)$/),
  },
  {
    class: "statistic",
    certainty: "certain",
    because: "moving averages that a codebook follows (EnCodec, Mimi)",
    applies: ({ local, module }) =>
      (/^(embed_avg|cluster_size)$/.test(local) &&
        module.byLocal.has("embed_avg") &&
        module.byLocal.has("cluster_size")) ||
      (/^(embed_sum|cluster_usage)$/.test(local) &&
        module.byLocal.has("embed_sum") &&
        module.byLocal.has("cluster_usage")),
  },
  {
    class: "statistic",
    // Some are learned, and keep the averages all the same.
    certainty: "likely",
    because: "a codebook that follows moving averages",
    applies: ({ local, module }) =>
      local === "embed" && module.byLocal.has("embed_avg") && module.byLocal.has("cluster_size"),
  },
  {
    class: "constant",
    certainty: "certain",
    because: "random matrices that VeRA shares between layers and never trains",
    applies: named(/^vera_[AB]$/),
  },
  {
    class: "bookkeeping",
    certainty: "certain",
    because: "whether such a codebook has been filled",
    applies: ({ local, module }) =>
      /^(init+ed|initialized)$/.test(local) &&
      (module.byLocal.has("cluster_size") || module.byLocal.has("cluster_usage")),
  },
  {
    class: "statistic",
    certainty: "likely",
    because: "mean and spread of the inputs that were trained on",
    applies: named(/^(global|latent)_(mean|std|invstd)$/),
  },
  {
    class: "parameter",
    certainty: "certain",
    because: "what the recognised layer learns",
    applies: isOwnParameter,
  },
  {
    class: "parameter",
    certainty: "certain",
    because: "a weight quantised to 8 bits, one value in each element, with its scales beside it",
    applies: ({ local, tensor, module }) =>
      tensor.dtype === "int8" &&
      (local === "weight" || (local === "_data" && lastStep(module.path) === "weight")) &&
      ["SCB", "weight_scale", "weight_scales", "scale", "scales", "_scale"].some((name) =>
        module.byLocal.has(name),
      ),
  },
  {
    class: "unclassified",
    certainty: "certain",
    because: "a weight of whole numbers without scales: packed, quantised or a table",
    applies: ({ local, tensor }) => /(^|_)weight$/.test(local) && isWhole(tensor.dtype),
  },
  {
    class: "unclassified",
    certainty: "certain",
    because: "short whole numbers in a table: indices, or a weight quantised in a way that is not known here",
    packed: true,
    applies: isNumberTable,
  },
  {
    class: "constant",
    certainty: "likely",
    because: "whole numbers and truth values: PyTorch learns neither",
    applies: ({ tensor }) => isWhole(tensor.dtype),
  },
  {
    class: "unclassified",
    certainty: "certain",
    because: "a name that buffers have and parameters too",
    applies: named(
      /^(pe|pos_enc|mean|std|var|variance|anchors?|anchor_grid|stride|strides|window|mel_filters?|filt|freqs|mask|eps)$/,
    ),
  },
  {
    class: "parameter",
    certainty: "likely",
    because: "floating point under a name that no buffer is known by",
    applies: ({ tensor }) => tensor.dtype !== "string" && tensor.dtype !== "opaque",
  },
  { class: "unclassified", certainty: "certain", because: "no numbers", applies: () => true },
];

/** Class of a tensor by the first rule that applies; what the file says itself comes before all rules. */
export function classify(
  local: string,
  tensor: NamedTensor,
  module: Module,
  recognized: Recognized | null,
  method: string,
): Classified {
  if (tensor.class) return { class: tensor.class, certainty: "certain" };
  const asked = { local, tensor, module, recognized, method };
  const rule = rules.find((candidate) => candidate.applies(asked));
  const found: Classified = rule ?? { class: "unclassified", certainty: "certain" };
  if (tensor.kind === "parameter" && found.class !== "quantization" && !looksPacked(asked))
    return { class: "parameter", certainty: "certain" };
  // A buffer is what its name says, but never learned.
  if (tensor.kind === "buffer") {
    const learned = found.class === "parameter" || found.class === "unclassified";
    return { class: learned && !looksPacked(asked) ? "constant" : found.class, certainty: "certain" };
  }
  return { class: found.class, certainty: found.certainty, ...(found.packed && { packed: true }) };
}

function looksPacked({ local, tensor, module }: Asked): boolean {
  if (isPackedName(local)) return isWhole(tensor.dtype);
  // Of a weight of quanto the numbers: `weight._data` where each is a byte, `weight._data._data` where several are.
  if (local === "_data" && lastStep(module.path) === "_data") return tensor.dtype === "uint8";
  return (
    local === "weight" &&
    isWhole(tensor.dtype) &&
    (module.byLocal.has("weight.absmax") || /^(uint8|u?int32)$/.test(tensor.dtype))
  );
}

/** Most of what is quantised has two axes, some hundred elements and 8, 16 or 32 bits; 64 have indices alone. */
function isNumberTable({ local, tensor: { dtype, shape }, method }: Asked): boolean {
  // Of a model that is quantised, long rows of numbers are no positions either.
  if (method !== "" && isWhole(dtype) && shape.length === 1 && !/perm|offset|idx|index|mask/.test(local))
    return (elementsOf(shape) ?? 0) >= 256;
  if (!/^u?int(8|16|32)$/.test(dtype) || shape.length < 2) return false;
  const buffer =
    /(^|_)(index|indices|idx|idxs|ids?|mask|coords?|offsets?|pos|positions?|lut|grid|shapes?|sizes?|counts?)(_|$)/;
  return method !== "" || (!buffer.test(local) && (elementsOf(shape) ?? 0) >= 256);
}

/** A kernel, and what stands beside one; of a BatchNorm only with its counter, since a frozen one learns nothing. */
function isOwnParameter({ local, tensor, module, recognized }: Asked): boolean {
  if (recognized === null || isWhole(tensor.dtype)) return false;
  if (recognized.type === "BatchNorm")
    return /^(weight|bias)$/.test(local) && module.byLocal.has("num_batches_tracked");
  if (/^(LSTM|GRU|RNN)/.test(recognized.type)) return /^(weight|bias)_(ih|hh|hr)/.test(local);
  if (recognized.type === "MultiheadAttention")
    return /^(in_proj_(weight|bias)|[qkv]_proj_weight|bias_[kv])$/.test(local);
  if (!/^(Conv|Linear|Embedding|(Layer|Group|RMS)?Norm)/.test(recognized.type)) return false;
  return /^(weight|bias)(_orig|_g|_v)?$|^parametrizations\.\w+\.original\d*$/.test(local);
}
