import type { LogLineFragment } from '../gql/graphql';

/** An entry, or the place of those that are missing. */
export type Line = { key: string; entry: LogLineFragment } | { key: string; entry: null };

/** The entries that are kept. */
const LIMIT = 100_000;
/** How many are dropped at once when there are more. */
const SURPLUS = 10_000;

/** The newest entries of a log, and which of them contain a text. It is changed in place, so that a new entry costs the same whatever there is. */
export class LogBuffer {
  private all: Line[] = [];
  private wanted: Line[] = [];
  private text = '';

  /** Those that contain the text, the oldest first. */
  get shown(): readonly Line[] {
    return this.wanted;
  }

  /** The number of all entries. */
  get size(): number {
    return this.all.length;
  }

  append(entries: readonly LogLineFragment[], gap: boolean): void {
    const lines: Line[] = entries.map((entry) => ({ key: entry.cursor, entry }));
    if (gap) lines.unshift({ key: `before ${entries[0]?.cursor ?? this.all.length}`, entry: null });
    for (const line of lines) {
      this.all.push(line);
      if (this.matches(line)) this.wanted.push(line);
    }
    if (this.all.length > LIMIT + SURPLUS) {
      this.all = this.all.slice(-LIMIT);
      this.select();
    }
  }

  /** Shows the entries that contain a text; upper and lower case are the same. */
  filter(text: string): void {
    this.text = text.trim().toLowerCase();
    this.select();
  }

  clear(): void {
    this.all = [];
    this.wanted = [];
  }

  private select(): void {
    this.wanted = this.all.filter((line) => this.matches(line));
  }

  private matches({ entry }: Line): boolean {
    if (!this.text || !entry) return true;
    const { message, detail, hint, context, statement, username, database, applicationName, sqlstate } = entry;
    return [message, detail, hint, context, statement, username, database, applicationName, sqlstate].some((part) => part?.toLowerCase().includes(this.text));
  }
}
