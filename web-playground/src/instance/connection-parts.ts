/** The parts of a connection string, decoded. */
export interface ConnectionParts {
  host: string;
  port: string;
  database: string;
  user: string;
  /** Empty if it is not in the connection string. */
  password: string;
}

export function connectionParts(url: string): ConnectionParts {
  // `URL` knows the parts of the schemes of the web only.
  const { hostname, port, pathname, username, password } = new URL(url.replace(/^postgres\w*:/, 'http:'));
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    // The port of that scheme is left out.
    port: port || '80',
    database: decodeURIComponent(pathname.slice(1)),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
  };
}
