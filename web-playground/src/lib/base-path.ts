/** The path of an endpoint or a page (with a slash at its beginning), below the base path of the server. */
export function serverPath(path: string): string {
  return basePath() + path;
}

/** `TOYGRES_BASE_PATH`, which the server writes into the page: empty, or a path without a slash at its end. */
export function basePath(): string {
  return new URL(document.baseURI).pathname.replace(/\/$/, '');
}
