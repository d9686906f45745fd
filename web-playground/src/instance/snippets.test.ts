import { beforeEach, expect, test, vi } from 'vitest';
import { SNIPPETS } from './snippets';

const URL = 'postgresql://app:p%27w@db.example.com:5432/shop';

beforeEach(() => {
  vi.stubGlobal('document', { baseURI: 'https://toygres.example.com/db/' });
});

const snippet = (name: string, url: string, requireTls: boolean) => SNIPPETS.find((snippet) => snippet.name === name)?.text(url, requireTls) ?? '';

test('the verified snippet has the authorities, below the base path too', () => {
  const text = snippet('psql (verified)', `${URL}?sslmode=require`, true);
  expect(text).toContain("curl -fsSo ca.pem 'https://toygres.example.com/db/ca.pem'");
  expect(text).toContain(`'${URL}?sslmode=verify-full&sslrootcert=ca.pem'`);
});

test('where TLS is required, each client uses it and trusts the authorities', () => {
  const url = `${URL}?sslmode=require`;
  for (const name of ['psql', 'Python']) expect(snippet(name, url, true), name).toContain(url);
  for (const name of ['Node', 'Rust']) {
    expect(snippet(name, url, true), name).toContain('https://toygres.example.com/db/ca.pem');
    expect(snippet(name, url, true), name).not.toContain('NoTls');
  }
  // It takes `require` for the verification with the authorities of the system.
  expect(snippet('Node', url, true)).toContain(`connectionString: '${URL}',\n  ssl: { ca: readFileSync('ca.pem'), host: 'db.example.com' }`);
  expect(snippet('Node', 'postgresql://app@[::1]:5432/shop?sslmode=require', true)).toContain("host: '::1'");
  // The password that is not shown.
  expect(snippet('Node', 'postgresql://app:••••••••@10.0.0.7:5432/shop', true)).toContain("host: '10.0.0.7'");
});

test('.env, Go, JDBC and .NET verify the server where TLS is required', () => {
  const url = `${URL}?sslmode=require`;
  const verified = `${URL}?sslmode=verify-full&sslrootcert=ca.pem`;
  expect(snippet('.env', url, true)).toContain(`DATABASE_URL='${verified}'`);
  expect(snippet('Go', url, true)).toContain(`"${verified}"`);
  expect(snippet('JDBC', url, true)).toContain('"jdbc:postgresql://db.example.com:5432/shop?user=app&password=p%27w&sslmode=verify-full&sslrootcert=ca.pem"');
  expect(snippet('.NET', url, true)).toContain(
    `@"Host=db.example.com;Port=5432;Database=shop;Username=app;Password='p''w';SSL Mode=VerifyFull;Root Certificate=ca.pem"`,
  );
  for (const name of ['.env', 'Go', 'JDBC', '.NET']) expect(snippet(name, url, true), name).toContain('https://toygres.example.com/db/ca.pem');
});

test('passwords are quoted as each client reads them', () => {
  const url = 'postgresql://app:a%20b%22%3B%2B@[::1]:5432/shop';
  expect(snippet('JDBC', url, false)).toContain('//[::1]:5432/shop?user=app&password=a%20b%22%3B%2B"');
  expect(snippet('.NET', url, false)).toContain(`Password='a b"";+'"`);
  const hidden = 'postgresql://app:••••••••@10.0.0.7:5432/shop';
  for (const { name, text } of SNIPPETS) expect(text(hidden, false), name).toContain('••••••••');
});

test('where it is not, the clients need nothing but the URL', () => {
  for (const { name, verifies } of SNIPPETS) {
    if (!verifies) expect(snippet(name, URL, false), name).not.toContain('ca.pem');
  }
});
