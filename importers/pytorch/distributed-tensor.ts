/** Tensors that are spread over processes, of which a file has the part of one: DTensor, and ShardedTensor before it. */

import { productOfDims } from "../../src/ir/dim.ts";
import { itemsOf, type PickleValue } from "../../src/wire/pickle-value.ts";
import { TensorFault, type TorchTensor } from "./tensor.ts";
import { type ReadTensor, stateDictOf, stateOf } from "./tensor-state.ts";
import { dimensions, fail } from "./window.ts";

const distributedClass = /^torch\.distributed\._?tensor(\.\w+)*\.DTensor$/;
const shardedClass = "torch.distributed._shard.sharded_tensor.api.ShardedTensor";

/** The part that is here, when `type` is such a class; `null` for any other. `args` and `state` are what it is rebuilt with. */
export function readDistributedTensor(
  type: string,
  args: PickleValue | undefined,
  state: PickleValue | undefined,
  read: ReadTensor,
): TorchTensor | null {
  if (distributedClass.test(type)) return distributed(args, state, read);
  return type === shardedClass ? sharded(args, state, read) : null;
}

/** A local tensor, and on which mesh of processes the others are. */
function distributed(
  args: PickleValue | undefined,
  state: PickleValue | undefined,
  read: ReadTensor,
): TorchTensor {
  const held = stateDictOf(state);
  const local = read(held.get("_local_tensor")) ?? fail("its local tensor is no tensor");
  const mesh = stateOf(stateOf(held.get("_spec")).get("mesh"));
  const whole = dimensions(itemsOf(args)?.[2], "size");
  return {
    ...local,
    form: "distributed",
    whole,
    parts: [...mesh].flatMap(([key, value]) => {
      const tensor = read(value);
      return tensor !== null && typeof key === "string" ? [{ name: `mesh.${key}`, tensor }] : [];
    }),
  };
}

/** `(shards, metadata, ...)`: each shard has a tensor, nearly always one. */
function sharded(
  args: PickleValue | undefined,
  state: PickleValue | undefined,
  read: ReadTensor,
): TorchTensor {
  const [shards, metadata] = itemsOf(state) ?? [];
  const whole = dimensions(stateOf(metadata).get("size") ?? itemsOf(args)?.[2], "size");
  const local = (itemsOf(shards) ?? []).map(
    (shard) => read(stateOf(shard).get("tensor")) ?? fail("it has a shard without a tensor"),
  );
  const [first, ...others] = local;
  if (first === undefined) throw new TensorFault("none of its shards is here");
  if (others.length === 0) return { ...first, form: "distributed", whole };
  const elsewhere = others.reduce(
    (left, { size }) => left - (productOfDims(size) ?? 0),
    productOfDims(whole) ?? 0,
  );
  const parts = local.map((tensor, i) => ({
    name: `shards.${i}`,
    tensor: { ...tensor, form: "distributed" as const, ...(i === 0 && { whole: [elsewhere] }) },
  }));
  return { ...first, size: whole, stride: [], storage: null, offset: 0, form: "subclass", parts };
}
