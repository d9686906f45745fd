import { expect, test } from 'vitest';
import { DOCUMENTS, load, pathOf } from './documents';
import { slug, toHtml } from './markdown';

const urlOf = (name: string, hash: string) => `/db/docs/${name}${hash}`;

test('every document of the list is one of the release', async () => {
  for (const { name } of DOCUMENTS) expect(await load(name), name).toContain('# ');
  expect(await load('nothing')).toBeNull();
  expect(pathOf('decisions/0012-users-and-databases')).toBe('docs/decisions/0012-users-and-databases.md');
});

test('links lead to other documents, and are text where the page has no such file', () => {
  const html = (text: string) => toHtml(text, 'operations', urlOf);
  expect(html('[a](BACKUPS.md#one)')).toContain('<a href="/db/docs/backups#one">a</a>');
  expect(html('[a](../README.md)')).toContain('<a href="/db/docs/readme">a</a>');
  expect(html('[a](#one)')).toContain('<a href="/db/docs/operations#one">a</a>');
  expect(html('[a](https://helm.sh/docs/)')).toContain('<a href="https://helm.sh/docs/">a</a>');
  expect(html('[a](../scripts/run)')).toBe('<p>a</p>\n');
  expect(html('[a](javascript:alert(1))')).not.toContain('<a');
  expect(html('<script>alert(1)</script>')).not.toContain('<script');
});

test('a column without a heading has an empty cell', () => {
  const html = toHtml('| | a |\n|---|---|\n| b | c |', 'operations', urlOf);
  expect(html).toContain('<td></td>');
  expect(html).toContain('<th>a</th>');
});

test('every link to a heading finds it', async () => {
  const ids = new Map<string, Set<string>>();
  const links: [string, string, string][] = [];
  for (const { name } of DOCUMENTS) {
    const html = toHtml((await load(name)) ?? '', name, (document, hash) => {
      if (hash) links.push([name, document, decodeURIComponent(hash.slice(1))]);
      return '';
    });
    ids.set(name, new Set([...html.matchAll(/<h\d id="([^"]*)"/g)].map(([, id]) => id ?? '')));
  }
  expect(links.length).toBeGreaterThan(10);
  for (const [from, to, id] of links) if (ids.has(to)) expect(ids.get(to)?.has(id), `${from} has a link to ${to}#${id}`).toBe(true);
});

test('headings have the identifiers of GitHub', () => {
  expect(slug('What runs in an instance')).toBe('what-runs-in-an-instance');
  expect(slug('The command line (`cli`)')).toBe('the-command-line-cli');
});
