import { LoaderCircle, type LucideIcon } from 'lucide-react';
import { label } from '../lib/label';
import classes from './status-mark.module.css';

/** How a value of a status enum looks; its text is derived from the value. */
export interface Look {
  icon: LucideIcon;
  tone: 'good' | 'busy' | 'bad' | 'quiet';
}

/** A status as icon and text; the colour only repeats what these say. What is well is quieter than what is not. */
export function StatusMark({ value, look: { icon, tone }, text = label(value), title }: { value: string; look: Look; text?: string; title?: string }) {
  return (
    <span className={classes.status} data-tone={tone} title={title}>
      <StatusIcon icon={icon} size={16} />
      {text}
    </span>
  );
}

export function StatusIcon({ icon: Icon, size }: { icon: LucideIcon; size: number }) {
  return <Icon size={size} className={Icon === LoaderCircle ? 'spin' : undefined} aria-hidden />;
}
