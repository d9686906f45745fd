import { ActionIcon, Code, Group, Skeleton, Tabs, Text, Tooltip } from '@mantine/core';
import { Eye, EyeOff } from 'lucide-react';
import { useState } from 'react';
import { usePermissions } from '../control-plane/control-plane';
import { CopyButton } from '../frame/copy-button';
import { CopyIcon } from '../frame/copy-icon';
import { Panel } from '../frame/panel';
import classes from './connect-panel.module.css';
import { connectionParts } from './connection-parts';
import { fetchConnectionString } from './connection-string';
import type { PanelProps } from './sections';
import { SNIPPETS } from './snippets';

/** The endpoint, and snippets to connect to it. The password is fetched on demand only. */
export function ConnectPanel({ instance }: PanelProps) {
  const { id, endpoint, username, database, state, certificate, requireTls, notices, operations } = instance;
  // One that was not seen to have a certificate may have no TLS.
  const snippets = SNIPPETS.filter(({ verifies }) => certificate || !verifies);
  const { operate, readOnly } = usePermissions();
  const [secret, setSecret] = useState<string>();
  const [error, setError] = useState<string>();
  // A password that was fetched before a rotation is outdated.
  const latest = operations.nodes[0];
  const rotation = latest?.kind === 'ROTATE_PASSWORD' ? `${latest.id} ${latest.status}` : undefined;
  const [seen, setSeen] = useState(rotation);
  if (seen !== rotation) {
    setSeen(rotation);
    setSecret(undefined);
  }
  // The server then leaves the password out.
  const unknown = notices.some(({ code }) => code === 'PASSWORD_CHANGED');
  const fetchSecret = async () => (unknown ? undefined : secret) ?? (await fetchConnectionString(id));
  const hidden = endpoint && `postgresql://${username}${unknown ? '' : ':••••••••'}@${endpoint.host}:${endpoint.port}/${database}`;
  const shown = (unknown ? undefined : secret) ?? hidden;

  const fields: { name: string; value: string; text?: () => Promise<string> }[] = [
    { name: 'Host', value: endpoint?.host ?? '' },
    { name: 'Port', value: String(endpoint?.port ?? '') },
    { name: 'Database', value: database },
    { name: 'User', value: username },
  ];
  if (operate && !unknown) {
    const password = secret && connectionParts(secret).password;
    fields.push({ name: 'Password', value: password || '••••••••', text: async () => connectionParts(await fetchSecret() ?? '').password });
  }

  async function toggle() {
    setError(undefined);
    if (secret) return setSecret(undefined);
    try {
      setSecret(await fetchSecret());
    } catch (error) {
      setError((error as Error).message);
    }
  }

  return (
    <Panel title="Connect">
      {!shown && state === 'CREATING' && (
        <>
          <Text c="dimmed" size="sm" mb="sm">
            The connection string appears here when the instance is running.
          </Text>
          <Skeleton height={36} animate={false} mb="md" />
          <Skeleton height={96} animate={false} />
        </>
      )}
      {!shown && state !== 'CREATING' && (
        <Text c="dimmed" size="sm">
          There is no endpoint.
        </Text>
      )}
      {shown && endpoint && (
        <>
          {state === 'SUSPENDED' && (
            <Text size="sm" mb="sm">
              Nobody can connect until the instance is resumed. The connection string stays the same.
            </Text>
          )}
          <Group gap="xs" wrap="nowrap" align="stretch">
            <Code className={classes.line} data-testid="connection-string" tabIndex={0} role="group" aria-label="Connection string">
              {shown}
            </Code>
            {operate && (
              <>
                {!unknown && (
                  <Tooltip label={secret ? 'Hide the password' : 'Show the password'}>
                    <ActionIcon variant="default" size={38} aria-label={secret ? 'Hide the password' : 'Show the password'} onClick={() => void toggle()}>
                      {secret ? <EyeOff size={17} aria-hidden /> : <Eye size={17} aria-hidden />}
                    </ActionIcon>
                  </Tooltip>
                )}
                <CopyButton label="Copy the connection string" text={fetchSecret} onError={setError} />
              </>
            )}
          </Group>
          {error && (
            <Text className="error" size="sm" mt="xs" role="alert">
              {error}
            </Text>
          )}
          {readOnly && (
            <Text size="sm" c="dimmed" mt="xs">
              The password is visible with the role Operator or Admin only.
            </Text>
          )}
          <dl className={classes.fields}>
            {fields.map(({ name, value, text }) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>
                  <code title={value}>{value}</code>
                  <CopyIcon label={`Copy the ${name.toLowerCase()}`} text={text ?? (async () => value)} onError={setError} />
                </dd>
              </div>
            ))}
          </dl>
          <Tabs defaultValue={snippets[0]?.name} mt="md" variant="outline" keepMounted={false}>
            <Tabs.List>
              {snippets.map(({ name }) => (
                <Tabs.Tab key={name} value={name}>
                  {name}
                </Tabs.Tab>
              ))}
            </Tabs.List>
            {snippets.map(({ name, text }) => (
              <Tabs.Panel key={name} value={name} pt="xs" className={classes.snippet}>
                <Code block tabIndex={0} role="group" aria-label={`${name} snippet`}>
                  {text(shown, requireTls)}
                </Code>
                {operate && (
                  <div className={classes.corner}>
                    <CopyButton label={`Copy the ${name} snippet`} text={async () => text(await fetchSecret(), requireTls)} onError={setError} />
                  </div>
                )}
              </Tabs.Panel>
            ))}
          </Tabs>
        </>
      )}
    </Panel>
  );
}
