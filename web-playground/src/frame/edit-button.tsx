import { Button } from '@mantine/core';
import { Pencil } from 'lucide-react';

/** Beside a value. */
export function EditButton({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <Button variant="subtle" size="compact-xs" leftSection={<Pencil size={13} aria-hidden />} onClick={onClick} aria-label={label}>
      Edit
    </Button>
  );
}
