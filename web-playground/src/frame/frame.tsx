import { AppShell, Badge, Group, UnstyledButton } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { Eye } from 'lucide-react';
import type { ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import { AccountMenu } from '../access/account-menu';
import { Refused } from '../access/refused';
import { usePermissions } from '../control-plane/control-plane';
import { useLiveInstances } from '../instance/list';
import { serverPath } from '../lib/base-path';
import { PaletteButton } from '../palette/button';
import { useGivenUp, useLiveWebhooks } from '../webhook/list';
import { ConnectionIndicator } from './connection-indicator';
import classes from './frame.module.css';
import { MoreMenu } from './more-menu';
import { DOCS, pagesFor, WEBHOOKS } from './pages';
import { ThemeToggle } from './theme-toggle';

/** The header with navigation, around every page. */
export function Frame({ children }: { children: ReactNode }) {
  const [path] = useLocation();
  const { administer, hook, readOnly } = usePermissions();
  useLiveInstances();
  useLiveWebhooks(hook);
  const givenUp = useGivenUp();
  // The header of a phone has no room for all of it.
  const phone = useMediaQuery('(max-width: 640px)');
  const pages = pagesFor({ administer, hook }).filter((page) => !phone || page !== WEBHOOKS);
  const access = readOnly && (
    <Badge variant="default" tt="none" fw={500} leftSection={<Eye size={13} aria-hidden />} className={classes.access}>
      Read-only access
    </Badge>
  );
  return (
    <AppShell header={{ height: 52 }}>
      <AppShell.Header className={classes.header}>
        <a className={classes.skip} href={`${serverPath(path)}#main`}>
          Skip to content
        </a>
        <Link className={classes.brand} href="/" aria-label="Toygres">
          <img src={serverPath('/favicon.svg')} alt="" width="22" height="22" />
          <span className={classes.word}>Toygres</span>
        </Link>
        <nav className={classes.nav} aria-label="Pages">
          {pages.map(({ path: href, name, icon: Icon, covers }) => (
            <UnstyledButton key={href} component={Link} href={href} className={classes.link} aria-current={covers(path) ? 'page' : undefined}>
              <Icon size={17} aria-hidden />
              <span className={classes.word}>{name}</span>
              {href === WEBHOOKS.path && givenUp > 0 && <GivenUp count={givenUp} />}
            </UnstyledButton>
          ))}
        </nav>
        <Group gap={4} wrap="nowrap">
          {!phone && access}
          <PaletteButton />
          <ConnectionIndicator />
          <ThemeToggle />
          <AccountMenu />
          <MoreMenu pages={phone && hook ? [{ ...WEBHOOKS, mark: givenUp > 0 && <GivenUp count={givenUp} /> }, DOCS] : [DOCS]} />
        </Group>
      </AppShell.Header>
      <AppShell.Main id="main" tabIndex={-1} className={classes.main}>
        {phone && access}
        <Refused />
        {children}
      </AppShell.Main>
    </AppShell>
  );
}

/** That webhooks were disabled by the server: somebody relies on being told, and is not. */
function GivenUp({ count }: { count: number }) {
  return (
    <span className={classes.mark}>
      {count} disabled
    </span>
  );
}
