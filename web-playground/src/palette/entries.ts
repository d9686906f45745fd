import type { LucideIcon } from 'lucide-react';

/** What the palette leads to. */
export interface Entry {
  id: string;
  icon: LucideIcon;
  title: string;
  /** What is said next to the title, and searched too. */
  detail?: string;
  run: () => void;
}

const MOST = 8;

/** The entries that contain all words, those whose title begins with the text first. */
export function find(entries: readonly Entry[], text: string): Entry[] {
  const wanted = text.trim().toLowerCase();
  const words = wanted.split(/\s+/).filter(Boolean);
  const matches = entries.filter(({ title, detail = '' }) => {
    const searched = `${title} ${detail}`.toLowerCase();
    return words.every((word) => searched.includes(word));
  });
  const begins = ({ title }: Entry) => Number(title.toLowerCase().startsWith(wanted));
  return matches.sort((a, b) => begins(b) - begins(a)).slice(0, MOST);
}
