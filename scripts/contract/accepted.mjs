// A rule of graphql-inspector that accepts the changes in accepted-breaking-changes.txt.
import { readFileSync } from 'node:fs';
import { CriticalityLevel } from '@graphql-inspector/core';

const list = readFileSync(new URL('accepted-breaking-changes.txt', import.meta.url), 'utf8');
const accepted = new Set(
  list
    .split('\n')
    .filter((line) => line.trim() && !line.startsWith('#'))
    .map((line) => {
      const [, change, path] = /^(\w+) (\S+): .*\S/.exec(line) ?? [];
      if (!change) throw new Error(`accepted-breaking-changes.txt: not "CHANGE path: reason" but "${line}"`);
      return `${change} ${path}`;
    }),
);

export default function accept({ changes }) {
  for (const change of changes.filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking)) {
    const name = `${change.type} ${change.path ?? '-'}`;
    if (accepted.has(name)) change.criticality.level = CriticalityLevel.Dangerous;
    else console.error(`To accept it: a line "${name}: <reason>" in scripts/contract/accepted-breaking-changes.txt`);
  }
  return changes;
}
