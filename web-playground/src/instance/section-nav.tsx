import { Link } from 'wouter';
import { label } from '../lib/label';
import classes from './section-nav.module.css';
import type { Section, ShownSection } from './sections';

interface Props {
  id: string;
  /** The name of the instance. */
  name: string;
  sections: readonly ShownSection[];
  current: Section;
}

/** Links, because each section has a URL: it can be opened in another tab, and the back button leads back. */
export function SectionNav({ id, name, sections, current }: Props) {
  return (
    <nav className={classes.nav} aria-label={`Sections of ${name}`}>
      {sections.map(({ section }, index) => (
        <Link
          key={section}
          href={`/instances/${id}${index ? `?tab=${section}` : ''}`}
          className={classes.link}
          aria-current={section === current ? 'page' : undefined}
        >
          {label(section)}
        </Link>
      ))}
    </nav>
  );
}
