/** Writes configurations as Keras 3 and 2 do, with whatever values a test wants in them. */

export type Config = Readonly<Record<string, unknown>>;

/** A layer of a Sequential. */
export function layer(type: string, config: Config = {}, more: Config = {}): Config {
  return {
    module: "keras.layers",
    class_name: type,
    config: { name: type.toLowerCase(), ...config },
    ...more,
  };
}

export function input(shape: unknown = [null, 8], name = "input"): Config {
  return layer("InputLayer", { name, batch_shape: shape, batch_input_shape: shape });
}

export function sequential(layers: readonly unknown[], version = "3.8.0", more: Config = {}): Config {
  return { class_name: "Sequential", config: { name: "m", layers }, keras_version: version, ...more };
}

/** A tensor as Keras 3 refers to it. */
export function tensor(
  name: unknown,
  node: unknown = 0,
  output: unknown = 0,
  shape: unknown = [null, 8],
): Config {
  return {
    class_name: "__keras_tensor__",
    config: { shape, dtype: "float32", keras_history: [name, node, output] },
  };
}

/** A layer of a functional model. */
export function node(type: string, name: string, config: Config, calls: unknown): Config {
  return {
    module: "keras.layers",
    class_name: type,
    name,
    config: { name, ...config },
    inbound_nodes: calls,
  };
}

export function call(...args: readonly unknown[]): Config {
  return { args, kwargs: {} };
}

export function functional(
  layers: readonly unknown[],
  inputs: unknown,
  outputs: unknown,
  version = "3.8.0",
): Config {
  const config = { name: "m", layers, input_layers: inputs, output_layers: outputs };
  return { class_name: "Functional", config, keras_version: version };
}

export function inputNode(name = "i", shape: unknown = [null, 8]): Config {
  return node("InputLayer", name, { batch_shape: shape, batch_input_shape: shape }, []);
}

/** Counts from 0 as a list. */
export function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
