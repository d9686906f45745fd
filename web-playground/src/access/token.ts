import { Store } from '../lib/store';

const KEY = 'toygres.token';

export interface Access {
  token: string | null;
  /** Whether the server has refused what was sent, so that the page asks for a token. */
  asking: boolean;
  /** Counts the answers: after each, everything is asked for anew. */
  answers: number;
}

/** The access token of this browser, where the server asks for one. */
export const access = new Store<Access>({ token: localStorage.getItem(KEY), asking: false, answers: 0 });

/** For HTTP requests and `connection_init` alike. */
export function authorization(): Record<string, string> {
  const { token } = access.get();
  return token ? { authorization: `Bearer ${token}` } : {};
}

export function askForToken(): void {
  access.set({ ...access.get(), asking: true });
}

export function stopAsking(): void {
  access.set({ ...access.get(), asking: false });
}

/** Null forgets the token. */
export function saveToken(token: string | null): void {
  if (token) localStorage.setItem(KEY, token);
  else localStorage.removeItem(KEY);
  access.set({ token, asking: false, answers: access.get().answers + 1 });
}
