// Removes the addresses of registries and sponsors that `npm install` writes, so that any registry can be used.
import { readFileSync, writeFileSync } from 'node:fs';

const path = process.argv[2] ?? new URL('package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(path, 'utf8'));
for (const entry of Object.values(lock.packages)) {
  delete entry.funding;
  delete entry.resolved;
}
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
