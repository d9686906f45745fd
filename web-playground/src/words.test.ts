import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** What is not said to people, with the field's word for it. Page, command line and contract have the same ones. */
const WORDS: [RegExp, string][] = [
  [/thousandths of a|\d m CPU|\} m CPU|\bcores\b/, 'vCPU, or millicores'],
  [/who can reach|from beside it|reachable: (from|only|by)/i, 'network access'],
  [/addresses that may connect/i, 'allowed IP ranges (CIDR)'],
  [/protect(ed|ion)? against deletion/i, 'deletion protection'],
  [/how often it is checked|pause between checks/i, 'health check interval'],
  [/further settings|more settings/i, 'advanced settings'],
  [/one is made if|left empty, one/i, 'leave blank to generate'],
  [/write down/i, 'save metadata'],
  [/\bbegin again\b.*operation|once more/i, 'retry'],
  [/could not cancel|cannot be called off|called off/i, 'couldn’t cancel operation'],
  [/overtaken by|replaced by a deletion|superseded by a deletion/i, 'superseded by delete'],
  [/% within|\bwell \d|\bin vain\b/i, 'p99, availability'],
  [/share of (good|healthy) checks|uptime \d/i, 'availability (24h)'],
  [/only from this machine|reached locally/i, 'localhost only'],
  [/unprotect(ed)? it first|remove the protection first/i, 'turn off deletion protection first'],
  [/comes twice/i, 'duplicate'],
  [/show older|older ones['"<`]/i, 'load more'],
  [/access tokens?\b|log in with a token|sign on\b/i, 'API token, sign in'],
  [/show (revoked|dead|past) tokens/i, 'show inactive'],
  [/nothing but read|may only read|view only/i, 'read-only access'],
  [/colour scheme: |as the system/i, 'theme: light, dark, system'],
  [/the server does not answer\.['"<`]/i, 'can’t reach the server'],
  [/no such page|there is no page/i, 'page not found'],
  [/keeps (dying|crashing)/i, 'crash-looping'],
  [/['">]new instance['"<]/i, 'create instance'],
  // Units stand at their number: 12s, 100%.
  [/\} (ms|s)[^\w=]|\} %(?! \d)/, '12s, 100%'],
];

const ROOT = join(import.meta.dirname, '../..');

function files(directory: string, extensions: RegExp): string[] {
  const entries = readdirSync(join(ROOT, directory), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile() && extensions.test(entry.name)).map((entry) => join(entry.parentPath, entry.name));
}

/** The lines that people may read: no tests, and nothing that is generated. */
function lines(path: string): string[] {
  const [text = ''] = readFileSync(path, 'utf8').split('#[cfg(test)]');
  return text.split('\n').map((line, index) => `${path.slice(ROOT.length + 1)}:${index + 1}: ${line.trim()}`);
}

test('page, command line and contract use the words of the field', () => {
  const page = files('web-playground/src', /\.(tsx?|graphql)$/).filter((path) => !/\/gql\/|\.test\.ts$/.test(path));
  const all = [join(ROOT, 'schema.graphql'), ...page, ...files('server/cli/src', /\.rs$/)].flatMap(lines);
  expect(all.length).toBeGreaterThan(15_000);
  const found = WORDS.flatMap(([words, instead]) => all.filter((line) => words.test(line.slice(line.indexOf(': ')))).map((line) => `${line} (say: ${instead})`));
  expect(found).toEqual([]);
});
