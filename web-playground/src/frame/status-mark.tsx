import type { LucideIcon } from 'lucide-react';
import classes from './status-mark.module.css';

export interface Status {
  icon: LucideIcon;
  word: string;
  tone: 'good' | 'busy' | 'bad' | 'quiet';
}

/** A status as shape and word, with the colour on top. */
export function StatusMark({ status: { icon: Icon, word, tone }, spinning = false }: { status: Status; spinning?: boolean }) {
  return (
    <span className={classes.status} data-tone={tone}>
      <Icon size={16} className={spinning ? 'spin' : undefined} aria-hidden />
      {word}
    </span>
  );
}
