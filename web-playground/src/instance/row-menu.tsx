import { Menu } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Ellipsis } from 'lucide-react';
import { type ComponentProps, type ReactNode, useEffect, useRef } from 'react';
import { graphql } from '../gql';
import { request } from '../lib/request';
import type { InstanceRow } from './list';
import { actionLabel, BULK_ACTIONS, type BulkAction, ROW_ACTIONS, type RowAction } from './row-actions';
import classes from './table.module.css';

/** Opens the menu of a row. It is a plain element, as the rest of the row, until the menu is open. */
export function MenuButton({ className = '', ...props }: ComponentProps<'button'>) {
  return (
    <button type="button" className={`${classes.menu} ${className}`} aria-haspopup="menu" data-cell="menu" {...props}>
      <Ellipsis size={16} aria-hidden />
    </button>
  );
}

interface Props {
  row: InstanceRow;
  /** The number of selected instances, if this is one of several. */
  selected: number;
  onAction: (action: RowAction) => void;
  onBulkAction: (action: BulkAction) => void;
  onClose: () => void;
}

/** The open menu of a row: what the server would accept now. The list does not know that, so it is asked when the menu opens, and again when the state changes. */
export function RowMenu({ row: { id, name, state }, selected, onAction, onBulkAction, onClose }: Props) {
  const { data, error } = useQuery({
    queryKey: ['rowActions', id, state],
    queryFn: async () => (await request(ROW_ACTIONS_QUERY, { id })).instance,
    staleTime: 0,
    gcTime: 0,
    // The menu says so at once.
    retry: false,
  });
  // The menu opens before it has items.
  const dropdown = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (data) dropdown.current?.querySelector<HTMLElement>('[data-menu-item]')?.focus();
  }, [data !== undefined]);
  const available = (action: RowAction) => action === 'LABELS' || data?.availableOperations.includes(action);
  const actions = (Object.keys(ROW_ACTIONS) as RowAction[]).filter((action) => available(action) || (action === 'DELETE' && data?.deletionProtected));
  return (
    // The row gives the focus back to its button, before a dialog remembers where the focus was.
    <Menu opened onClose={onClose} returnFocus={false} position="bottom-end" withArrow>
      <Menu.Target>
        <MenuButton aria-label={`Actions for ${name}`} />
      </Menu.Target>
      <Menu.Dropdown ref={dropdown}>
        {!data && <Menu.Label>{error?.message ?? 'Loading…'}</Menu.Label>}
        {data &&
          actions.map((action) => (
            <Item key={action} action={action} onClick={() => onAction(action)} disabled={!available(action)}>
              {actionLabel(action)}
              {!available(action) && ' (deletion protection is on)'}
            </Item>
          ))}
        {selected > 1 && (
          <>
            <Menu.Divider />
            <Menu.Label>{selected} selected instances</Menu.Label>
            {BULK_ACTIONS.map((action) => (
              <Item key={action} action={action} onClick={() => onBulkAction(action)}>
                {actionLabel(action)}
              </Item>
            ))}
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

function Item({ action, ...props }: { action: RowAction; disabled?: boolean; onClick: () => void; children: ReactNode }) {
  const Icon = ROW_ACTIONS[action];
  return <Menu.Item leftSection={<Icon size={16} aria-hidden />} color={action === 'DELETE' ? 'var(--bad)' : undefined} {...props} />;
}

const ROW_ACTIONS_QUERY = graphql(`
  query RowActions($id: ID!) {
    instance(id: $id) {
      availableOperations
      deletionProtected
    }
  }
`);
