/** Calls `work` for every item, at most `width` at a time and in order, until `signal` is aborted. An item whose work fails does not stop the others: `work` deals with its errors itself. */
export async function pool<Item>(items: readonly Item[], width: number, work: (item: Item) => Promise<void>, signal?: AbortSignal): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) {
      if (signal?.aborted) return;
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
}
