import { ActionIcon, Menu } from '@mantine/core';
import { Activity, ChartLine, Clock, Ellipsis, FileCode, Terminal } from 'lucide-react';
import { Link } from 'wouter';
import { useControlPlane } from '../control-plane/control-plane';
import { serverPath } from '../lib/base-path';
import { useStore } from '../lib/store';
import { toggleZone, zone } from '../time/zone';
import classes from './frame.module.css';
import type { PageEntry } from './pages';

/** What the navigation has no room for, `pages` of this page and others of the server. */
export function MoreMenu({ pages }: { pages: readonly PageEntry[] }) {
  const { data } = useControlPlane();
  const times = useStore(zone);
  const marked = pages.some(({ mark }) => mark);
  return (
    <Menu position="bottom-end" withArrow>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={marked ? 'More, something needs attention' : 'More'} className={classes.more} data-marked={marked || undefined}>
          <Ellipsis size={17} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {data && (
          <Menu.Label>
            Toygres {data.version} on {data.runtime}
          </Menu.Label>
        )}
        <Menu.Item leftSection={<Clock size={16} aria-hidden />} onClick={toggleZone}>
          Show times in {times === 'utc' ? Intl.DateTimeFormat().resolvedOptions().timeZone : 'UTC'}
        </Menu.Item>
        <Menu.Divider />
        {pages.map(({ path, name, icon: Icon, mark }) => (
          <Menu.Item key={path} component={Link} href={path} leftSection={<Icon size={16} aria-hidden />} rightSection={mark}>
            {name}
          </Menu.Item>
        ))}
        <Menu.Item component={Link} href="/docs/readme#a-first-instance" leftSection={<Terminal size={16} aria-hidden />}>
          Command line
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item component="a" href={serverPath('/schema.graphql')} leftSection={<FileCode size={16} aria-hidden />}>
          Schema
        </Menu.Item>
        <Menu.Item component="a" href={serverPath('/health')} leftSection={<Activity size={16} aria-hidden />}>
          Server health
        </Menu.Item>
        {/* A link carries no token, which the metrics need if callers do. */}
        {data?.caller.tokenName == null && (
          <Menu.Item component="a" href={serverPath('/metrics')} leftSection={<ChartLine size={16} aria-hidden />}>
            Metrics
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
