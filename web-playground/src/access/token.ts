import { storage } from '../lib/storage';
import { Store } from '../lib/store';

const KEY = 'toygres.token';

export interface Access {
  token: string | null;
  /** Whether the token dialog is open: the server has rejected a request, or the user has opened it. */
  asking: boolean;
  /** How often the token was changed; all data is loaded again after each change. */
  logins: number;
}

/** The access token, kept in this browser, or by this page alone if the browser blocks site data. */
export const access = new Store<Access>({ token: storage.getItem(KEY), asking: false, logins: 0 });

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

/** Null removes the token. */
export function saveToken(token: string | null): void {
  if (token) storage.setItem(KEY, token);
  else storage.removeItem(KEY);
  access.set({ token, asking: false, logins: access.get().logins + 1 });
}
