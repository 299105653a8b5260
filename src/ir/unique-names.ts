/** Names given once each: a second one gets a number. */
export function uniqueNames(): (name: string) => string {
  const counts = new Map<string, number>();
  const given = new Set<string>();
  return (name) => {
    let count = counts.get(name) ?? 0;
    let unique = name;
    while (given.has(unique)) unique = `${name}_${++count}`;
    counts.set(name, count);
    given.add(unique);
    return unique;
  };
}
