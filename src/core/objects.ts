type Given<Options> = { readonly [Name in keyof Options]: Exclude<Options[Name], undefined> };

/** Returns a copy without undefined properties, which must not replace defaults when the copy is spread over them. */
export function withoutUndefined<Options extends object>(options: Options): Given<Options> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Given<Options>;
}

/** Returns a copy with other values. Unlike a copy by `...`, it calls no getter, and a getter stays one. */
export function changed<T extends object>(object: T, changes: Partial<T>): T {
  const descriptors = { ...Object.getOwnPropertyDescriptors(object), ...Object.getOwnPropertyDescriptors(changes) };
  return Object.defineProperties({}, descriptors) as T;
}

/** Returns the result of a function; undefined if it throws. */
export function attempt<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch {
    return undefined;
  }
}

/** Returns the value of a key. Adds it to the map if it is missing. */
export function getOrAdd<K, V>(map: Pick<Map<K, V>, 'get' | 'set'>, key: K, make: (key: K) => V): V {
  const found = map.get(key) ?? make(key);
  map.set(key, found);
  return found;
}
