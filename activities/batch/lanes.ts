/**
 * Works on items, some of them at the same time.
 *
 * @param work handles its own failures
 * @param isOver whether no further item is started
 */
export async function inLanes<T>(
  items: readonly T[],
  lanes: number,
  { work, isOver }: { readonly work: (item: T) => Promise<void>; readonly isOver: () => boolean },
): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < items.length && !isOver()) await work(items[next++] as T);
  };
  await Promise.all(Array.from({ length: Math.min(lanes, items.length) }, lane));
}
