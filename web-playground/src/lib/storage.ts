/** What the page needs of the storage of a browser. */
type KeyValueStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'clear' | 'length'>;

/** Null in a browser that blocks site data: there, even reading `window.localStorage` throws an exception. */
export const browserStorage: KeyValueStorage | null = openBrowserStorage();

/** The storage of the browser or, where that is blocked, one that lasts as long as the page. */
export const storage: KeyValueStorage = browserStorage ?? createMemoryStorage();

function openBrowserStorage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

function createMemoryStorage(): KeyValueStorage {
  const values = new Map<string, string>();
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
    clear: () => values.clear(),
    get length() {
      return values.size;
    },
  };
}
