import { BookOpen, Database, History, KeyRound, type LucideIcon, SquareTerminal, Webhook } from 'lucide-react';
import type { ReactNode } from 'react';

export interface PageEntry {
  path: string;
  name: string;
  icon: LucideIcon;
  /** What needs attention there. */
  mark?: ReactNode;
}

/** The pages in the navigation. */
export const PAGES = [
  { path: '/', name: 'Instances', icon: Database, covers: (path: string) => path === '/' || path.startsWith('/instances/') },
  { path: '/operations', name: 'Operations', icon: History, covers: (path: string) => path.startsWith('/operations') },
  { path: '/graphiql', name: 'GraphiQL', icon: SquareTerminal, covers: (path: string) => path === '/graphiql' },
];

/** For administrators of a server that requires tokens. */
export const TOKENS = { path: '/tokens', name: 'API tokens', icon: KeyRound, covers: (path: string) => path === '/tokens' };

/** Not in the navigation, which has no room for it on a phone, but in the menu. */
export const DOCS = { path: '/docs/readme', name: 'Documentation', icon: BookOpen };

/** For administrators; on a phone it is in the menu. */
export const WEBHOOKS = { path: '/webhooks', name: 'Webhooks', icon: Webhook, covers: (path: string) => path === '/webhooks' };

/** The pages that a caller with these permissions sees. */
export function pagesFor({ administer, hook }: { administer: boolean; hook: boolean }) {
  return [...PAGES, ...(hook ? [WEBHOOKS] : []), ...(administer ? [TOKENS] : [])];
}
