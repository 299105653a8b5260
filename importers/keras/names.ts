/**
 * `snake_case` as Keras derives path segments and default names from Python class names
 * (Keras 3 src/utils/naming.py): MaxPooling2D -> max_pooling2d, PReLU -> p_re_lu.
 */
export function snakeCase(className: string): string {
  return className
    .replace(/\W+/g, "")
    .replace(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
}

/** Classes whose Python name, which paths are made of, is not the name they are exported under. */
const pythonClasses: Readonly<Record<string, string>> = {
  GroupQueryAttention: "GroupedQueryAttention",
};

/** Name of the Python class behind an exported one. */
export function pythonClass(type: string): string {
  return Object.hasOwn(pythonClasses, type) ? (pythonClasses[type] ?? type) : type;
}

/** Gives each name in turn its place among its equals: dense, dense_1, dense_2. */
export function numberedNames(): (name: string) => string {
  const used = new Map<string, number>();
  return (name) => {
    const count = used.get(name) ?? 0;
    used.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  };
}

/** A class name without the package that registered ones carry: "Custom>MyLayer" -> "MyLayer". */
export function bareClass(name: string): string {
  return name.replace(/^.*>/s, "");
}
