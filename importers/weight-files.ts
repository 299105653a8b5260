/** Names that transformers, diffusers and PEFT give to the weights of a model in its folder, first choice first. */
export const weightFiles: readonly string[] = [
  "model.safetensors.index.json",
  "model.safetensors",
  "diffusion_pytorch_model.safetensors.index.json",
  "diffusion_pytorch_model.safetensors",
  "adapter_model.safetensors",
  "pytorch_model.bin.index.json",
  "pytorch_model.bin",
  "diffusion_pytorch_model.bin.index.json",
  "diffusion_pytorch_model.bin",
  "adapter_model.bin",
];
