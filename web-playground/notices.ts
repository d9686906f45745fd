import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Plugin, Rolldown } from 'vite';

const LICENCE = /^(licen[cs]e|copying|notice|thirdpartynotices)/i;

/** The directory of the package that a module belongs to. */
const directory = (module: string) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(module)?.[0];

/** The texts that a package asks to be passed on with it. */
function texts(path: string): string[] {
  const files = readdirSync(path).filter((name) => LICENCE.test(name) && statSync(join(path, name)).isFile());
  return files.map((name) => `${readFileSync(join(path, name), 'utf8').replaceAll('\r\n', '\n').trim()}\n`);
}

/** The list of packages, then each text once, after the packages that it belongs to. */
function notices(directories: Iterable<string>): string {
  const list = new Set<string>();
  const byText = new Map<string, string[]>();
  for (const path of [...directories].sort()) {
    const { name, version, license, repository } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
    const title = `${name} ${version}`;
    const found = texts(path);
    list.add(`${title}\t${license}\t${repository?.url ?? repository ?? ''}${found.length ? '' : '\tships no text'}\n`);
    for (const text of found) byText.set(text, [...(byText.get(text) ?? []), title]);
  }
  const parts = [...byText].map(([text, of]) => `\n${'-'.repeat(80)}\n${[...new Set(of)].join(', ')}\n\n${text}`);
  return [...list, ...parts].join('');
}

/**
 * Writes the notices of all packages in the page, compressed, into a file that `toygres licenses` prints.
 *
 * Vite's own `build.license` leaves out the packages that only workers use, and the notices of the packages that Monaco bundles.
 */
export function thirdParty(fileName: string): { page: Plugin; worker: Plugin } {
  const directories = new Set<string>();
  const collect = (bundle: Rolldown.OutputBundle) => {
    for (const chunk of Object.values(bundle)) {
      for (const module of chunk.type === 'chunk' ? chunk.moduleIds : []) {
        const path = directory(module);
        if (path && !module.startsWith('\0')) directories.add(path);
      }
    }
  };
  return {
    worker: { name: 'third-party-of-workers', generateBundle: (_, bundle) => collect(bundle) },
    page: {
      name: 'third-party',
      apply: 'build',
      // Workers are bundled while the page's modules are loaded, so they are complete.
      generateBundle(_, bundle) {
        collect(bundle);
        this.emitFile({ type: 'asset', fileName, source: gzipSync(notices(directories), { level: 9 }) });
      },
    },
  };
}
