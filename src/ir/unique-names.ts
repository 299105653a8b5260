/** Names given once each: a second one gets a number. */
export function uniqueNames(): (name: string) => string {
  /** Of names that came again. */
  const counts = new Map<string, number>();
  const given = new Set<string>();
  return (name) => {
    const { size } = given;
    if (given.add(name).size > size) return name;
    let count = counts.get(name) ?? 0;
    let unique = name;
    while (given.has(unique)) unique = `${name}_${++count}`;
    counts.set(name, count);
    given.add(unique);
    return unique;
  };
}
