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
  // Halves, where a folder has nothing else.
  "model.safetensors.index.fp16.json",
  "model.fp16.safetensors",
  "diffusion_pytorch_model.safetensors.index.fp16.json",
  "diffusion_pytorch_model.fp16.safetensors",
  "pytorch_model.fp16.bin",
  "diffusion_pytorch_model.fp16.bin",
];
