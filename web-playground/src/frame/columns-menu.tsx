import { Menu, UnstyledButton } from '@mantine/core';
import { Columns3 } from 'lucide-react';
import type { Columns } from './columns';
import classes from './columns-menu.module.css';

/** The choice of the columns of a table. */
export function ColumnsMenu<Id extends string>({ columns: { all, hidden, fits, toggle, reset } }: { columns: Columns<Id> }) {
  const narrow = all.some((column) => !fits(column));
  return (
    <Menu position="bottom-end" withArrow closeOnItemClick={false}>
      <Menu.Target>
        <UnstyledButton className={classes.button} aria-label="Columns">
          <Columns3 size={15} aria-hidden />
          <span className={classes.word}>Columns</span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        {all.map((column) => (
          <Menu.CheckboxItem key={column.id} checked={!hidden.has(column.id)} disabled={!fits(column)} onChange={() => toggle(column.id)}>
            {column.name}
          </Menu.CheckboxItem>
        ))}
        {narrow && <Menu.Label>The others need a wider screen</Menu.Label>}
        <Menu.Divider />
        <Menu.Item disabled={hidden.size === 0} onClick={reset}>
          Show all
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
