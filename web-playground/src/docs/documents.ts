/** The documents of the release, as files of the repository; each is loaded when it is shown. */
const FILES = import.meta.glob<string>(['../../../README.md', '../../../docs/*.md', '../../../docs/decisions/*.md'], { query: '?raw', import: 'default' });

const ROOT = '../../../';

export interface Document {
  /** The part of the URL after `/docs/`. */
  name: string;
  title: string;
}

/** Those that the page lists, in order. The decisions are linked in them. */
export const DOCUMENTS: readonly Document[] = [
  { name: 'readme', title: 'Getting started' },
  { name: 'api', title: 'API' },
  { name: 'operations', title: 'Operations' },
  { name: 'backups', title: 'Backups' },
  { name: 'upgrading', title: 'Upgrading' },
  { name: 'deploy-aks', title: 'Deployment on AKS' },
  { name: 'architecture', title: 'Architecture' },
  { name: 'benchmarks', title: 'Benchmarks' },
];

/** The path of each file in the repository, by the name of its document: `docs/BACKUPS.md` is `backups`. */
const PATHS = new Map(Object.keys(FILES).map((file) => [nameOf(file.slice(ROOT.length)), file.slice(ROOT.length)]));

export function pathOf(name: string): string | undefined {
  return PATHS.get(name);
}

/** The name of the document that is the file `path` of the repository. */
export function documentAt(path: string): string | undefined {
  const name = nameOf(path);
  return PATHS.get(name) === path ? name : undefined;
}

export async function load(name: string): Promise<string | null> {
  const file = FILES[ROOT + (PATHS.get(name) ?? '')];
  return file ? file() : null;
}

function nameOf(path: string): string {
  return path.replace(/^docs\//, '').replace(/\.md$/, '').toLowerCase();
}
