import { ActionIcon, Menu } from '@mantine/core';
import { Activity, ChartLine, Ellipsis, FileCode, LogIn } from 'lucide-react';
import { askForToken } from '../access/token';
import { useControlPlane } from '../control-plane/control-plane';
import { serverPath } from '../lib/base-path';
import { label } from '../lib/label';

export function MoreMenu() {
  const { data } = useControlPlane();
  return (
    <Menu position="bottom-end" withArrow>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label="More">
          <Ellipsis size={17} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {data && (
          <Menu.Label>
            Toygres {data.version} on {data.runtime}
            {data.caller.tokenName != null && (
              <>
                <br />
                Token {data.caller.tokenName} ({label(data.caller.role)})
              </>
            )}
          </Menu.Label>
        )}
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
        <Menu.Divider />
        <Menu.Item leftSection={<LogIn size={16} aria-hidden />} onClick={askForToken}>
          Access token…
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
