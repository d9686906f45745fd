import { LoaderCircle, type LucideIcon } from 'lucide-react';
import { label } from '../lib/label';
import classes from './status-mark.module.css';

/** How a value of a status enum looks; its text is derived from the value. */
export interface Look {
  icon: LucideIcon;
  tone: 'good' | 'busy' | 'bad' | 'quiet';
}

/** A status as icon and text; the colour only repeats what these say. */
export function StatusMark({ value, look: { icon, tone } }: { value: string; look: Look }) {
  return (
    <span className={classes.status} data-tone={tone}>
      <StatusIcon icon={icon} size={16} />
      {label(value)}
    </span>
  );
}

export function StatusIcon({ icon: Icon, size }: { icon: LucideIcon; size: number }) {
  return <Icon size={size} className={Icon === LoaderCircle ? 'spin' : undefined} aria-hidden />;
}
