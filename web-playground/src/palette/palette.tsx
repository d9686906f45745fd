import { Modal, Text, TextInput } from '@mantine/core';
import { Database, Plus, Search } from 'lucide-react';
import { type KeyboardEvent, useId, useMemo, useState } from 'react';
import { useLocation } from 'wouter';
import { usePermissions } from '../control-plane/control-plane';
import { DOCS, pagesFor } from '../frame/pages';
import { openCreateDialog } from '../instance/create-dialog';
import { labelText } from '../instance/label-text';
import { useInstances } from '../instance/list';
import { statusOf } from '../instance/status';
import { label } from '../lib/label';
import { type Entry, find } from './entries';
import classes from './palette.module.css';

/** A list of instances, pages and actions to go to with the keyboard. */
export default function Palette({ onClose }: { onClose: () => void }) {
  const entries = useEntries();
  const [text, setText] = useState('');
  const [chosen, choose] = useState(0);
  const found = useMemo(() => find(entries, text), [entries, text]);
  const list = useId();
  const optionId = (index: number) => `${list}-${index}`;

  function run(entry: Entry | undefined): void {
    if (!entry) return;
    onClose();
    entry.run();
  }

  function onKey(event: KeyboardEvent): void {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move && found.length) choose((chosen + move + found.length) % found.length);
    else if (event.key === 'Enter') run(found[chosen]);
    else return;
    event.preventDefault();
  }

  return (
    <Modal opened onClose={onClose} withCloseButton={false} title="Go to" classNames={{ header: classes.hidden }} size="lg" padding="xs">
      <TextInput
        role="combobox"
        aria-label="Go to an instance, a page or an action"
        aria-expanded
        aria-controls={list}
        aria-activedescendant={found.length ? optionId(chosen) : undefined}
        placeholder="Instance, page or action"
        leftSection={<Search size={16} aria-hidden />}
        size="md"
        autoComplete="off"
        spellCheck={false}
        data-autofocus
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          choose(0);
        }}
        onKeyDown={onKey}
      />
      <ul id={list} role="listbox" aria-label="Results" className={classes.list}>
        {found.map((entry, index) => (
          // The focus stays in the text field, whose keys choose and run an entry.
          <li
            key={entry.id}
            id={optionId(index)}
            role="option"
            aria-selected={index === chosen}
            className={classes.entry}
            onMouseMove={() => choose(index)}
            onClick={() => run(entry)}
          >
            <entry.icon size={16} aria-hidden />
            <span className={classes.title}>{entry.title}</span>
            <span className={classes.detail}>{entry.detail}</span>
          </li>
        ))}
      </ul>
      {found.length === 0 && (
        <Text size="sm" c="dimmed" ta="center" py="md" role="status">
          Nothing found
        </Text>
      )}
    </Modal>
  );
}

function useEntries(): Entry[] {
  const [, navigate] = useLocation();
  const { rows } = useInstances();
  const { operate, administer, hook } = usePermissions();
  return useMemo(() => {
    const pages = [...pagesFor({ administer, hook }), DOCS];
    const create = {
      id: 'create',
      icon: Plus,
      title: 'Create instance',
      run: () => {
        navigate('/');
        openCreateDialog();
      },
    };
    return [
      ...pages.map(({ path, name, icon }) => ({ id: path, icon, title: name, detail: 'Page', run: () => navigate(path) })),
      ...(operate ? [create] : []),
      ...rows.map((row) => ({
        id: row.id,
        icon: Database,
        title: row.name,
        detail: [label(statusOf(row)), ...row.labels.map(labelText)].join(' · '),
        run: () => navigate(`/instances/${row.id}`),
      })),
    ];
  }, [rows, operate, administer, hook, navigate]);
}
