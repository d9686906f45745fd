import { storage } from '../lib/storage';
import { Store } from '../lib/store';

const KEY = 'toygres.token';

export interface Access {
  token: string | null;
  /** Whether the dialog to sign in is open: the server has refused a request, or the user has opened it. */
  asking: boolean;
  /** Why the server refuses requests; absent while it admits them. */
  refusal?: string;
  /** How often the token was changed; all data is loaded again after each change. */
  logins: number;
}

/** The API token, kept in this browser, or by this page alone if the browser blocks site data. */
export const access = new Store<Access>({ token: storage.getItem(KEY), asking: false, logins: 0 });

/** For HTTP requests and `connection_init` alike. */
export function authorization(token = access.get().token): Record<string, string> {
  return token ? { authorization: `Bearer ${token}` } : {};
}

export function signIn(): void {
  access.set({ ...access.get(), asking: true });
}

/** The server has refused a request. The first refusal opens the dialog; later ones leave it as the user has left it. */
export function refuse(reason: string): void {
  const current = access.get();
  access.set({ ...current, asking: current.asking || !current.refusal, refusal: current.refusal ?? reason });
}

export function stopAsking(): void {
  access.set({ ...access.get(), asking: false });
}

/** Null signs out. */
export function saveToken(token: string | null): void {
  if (token) storage.setItem(KEY, token);
  else storage.removeItem(KEY);
  access.set({ token, asking: false, logins: access.get().logins + 1 });
}
