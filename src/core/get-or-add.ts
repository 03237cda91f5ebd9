/** Returns the value of a key. Adds it to the map if it is missing. */
export function getOrAdd<K, V>(map: Pick<Map<K, V>, 'get' | 'set'>, key: K, make: (key: K) => V): V {
  const found = map.get(key) ?? make(key);
  map.set(key, found);
  return found;
}
