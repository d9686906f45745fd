/** The order of the first tabs; the others follow by name. */
const FIRST = ['instances', 'create-instance', 'watch-instances', 'watch-events', 'instance', 'watch-instance', 'watch-health', 'operations', 'watch-operation'];

const FILES = import.meta.glob<string>('./*.graphql', { eager: true, query: '?raw', import: 'default' });

/** The tabs of a first visit, one for each file; later visits restore the tabs as they were left. */
export const examples = Object.entries(FILES)
  .map(([path, text]) => ({ name: path.slice('./'.length, -'.graphql'.length), ...parse(text) }))
  .sort((a, b) => position(a.name) - position(b.name) || (a.name < b.name ? -1 : 1))
  .map(({ query, variables }) => ({ query, variables }));

/** A last line `# variables: {…}` has the initial variables and is not part of the query. */
function parse(text: string): { query: string; variables: string | null } {
  const [query = '', variables] = text.split(/^# variables: /m);
  return { query, variables: variables ? JSON.stringify(JSON.parse(variables), null, 2) : null };
}

function position(name: string): number {
  const index = FIRST.indexOf(name);
  return index < 0 ? FIRST.length : index;
}
