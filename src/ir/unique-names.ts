/** Names given once each: a second one gets a number. */
export function uniqueNames(): (name: string) => string {
  /** Of names that came again. */
  let counts: Map<string, number> | null = null;
  const given = new Set<string>();
  return (name) => {
    const { size } = given;
    if (given.add(name).size > size) return name;
    counts ??= new Map();
    let count = counts.get(name) ?? 0;
    let unique = name;
    while (given.has(unique)) unique = `${name}_${++count}`;
    counts.set(name, count);
    given.add(unique);
    return unique;
  };
}

/**
 * Paths (`layer1/add`) given once each: a second one gets a number. Names are compared folder by folder, so that paths of which few
 * are ever shown are not put together; `null`: in no folder.
 */
export function uniquePaths(): (folder: string | null, name: string) => string {
  const folders = new Map<string | null, (name: string) => string>();
  let last: string | null = null;
  let unique = uniqueNames();
  folders.set(last, unique);
  return (folder, name) => {
    // Whoever put it there, what follows the last slash is the name.
    if (name.includes("/")) {
      const path = folder === null ? name : `${folder}/${name}`;
      const end = path.lastIndexOf("/");
      return named(path.slice(0, end), path.slice(end + 1));
    }
    return named(folder, name);
  };

  function named(folder: string | null, name: string): string {
    if (folder !== last) {
      last = folder;
      unique = folders.get(folder) ?? uniqueNames();
      folders.set(folder, unique);
    }
    return folder === null ? unique(name) : `${folder}/${unique(name)}`;
  }
}
