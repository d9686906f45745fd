import { BookOpen, Database, History, KeyRound, SquareTerminal } from 'lucide-react';

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
