/** Tables that networks work out when they are made, and keep as buffers under names of their own. */

import type { Module } from "./modules.ts";
import type { NamedTensor } from "./state-dict.ts";

interface Tensor {
  readonly local: string;
  readonly tensor: NamedTensor;
  readonly module: Module;
}

const spectral =
  /^(forward|inverse)_basis(_buffer)?$|^(dct_mat|mel_basis|mel_fb|fbank_matrix|hann_window|wsin|wcos)$/;

/** Of k-diffusion and others, levels of noise; of DDPM and what follows it, their products and what comes of them. */
export function isDiffusionSchedule({ local, tensor, module }: Tensor): boolean {
  if (tensor.shape.length !== 1) return false;
  if (/^(log_)?sigmas$/.test(local)) return true;
  if (/(^|_)alphas_(cumprod|bar)(_|$)|^posterior_(log_)?(variance|mean_coef\d)|^lvlb_weights$/.test(local))
    return true;
  return /^(betas|alphas|loss_weight|ddim_\w+)$/.test(local) && module.byLocal.has("alphas_cumprod");
}

/** Fourier matrices, banks of filters, windows: some by their own names, some by the module that they stand in. */
export function isSignalTransform({ local, module }: Tensor): boolean {
  if (spectral.test(local)) return true;
  const around = module.path.slice(module.path.lastIndexOf(".") + 1);
  if (local === "fb") return /mel|featurizer|fbank|filter_?bank/i.test(around);
  if (local === "window") return /spec|stft|featurizer|mel/i.test(around);
  return local === "kernel" && /^(resample|resampler|blur)\d*$/i.test(around);
}
