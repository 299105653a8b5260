/**
 * What counts as a parameter, which frameworks do not agree on:
 * - `keras`: what `model.count_params()` gives: all weights of layers, so moving means and variances too;
 * - `pytorch`: what `sum(p.numel() for p in model.parameters())` gives: what is learned; buffers stand beside it.
 */
export type Convention = "keras" | "pytorch";

export const conventions: readonly Convention[] = ["keras", "pytorch"];
