/** `1 tensor`, `2 tensors`: a count with its noun, and whatever else of a sentence depends on it (`counted(n, "tensor is", "tensors are")`). */
export function counted(count: number, one: string, more = `${one}s`): string {
  return `${count} ${count === 1 ? one : more}`;
}
