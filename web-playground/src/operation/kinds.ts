import type { LucideIcon } from 'lucide-react';
import type { ComponentType } from 'react';
import type { InstancePageFragment, OperationKind } from '../gql/graphql';

export interface FormProps {
  instance: InstancePageFragment;
  /** Closes the dialog. */
  onDone: () => void;
}

/** How the page of an instance starts an operation of one kind. */
export interface InstanceOperation {
  icon: LucideIcon;
  /** The content of the dialog that the button opens. */
  Form: ComponentType<FormProps>;
  /** Its button is red and in the panel for deletion instead of the header. */
  destructive?: boolean;
}

const MODULES = import.meta.glob<InstanceOperation>('./kind/*.tsx', { eager: true, import: 'operation' });

/**
 * Every kind with a file in `kind/`, named like the kind: `kind/rotate_password.tsx` for `ROTATE_PASSWORD`. A new operation is a
 * new file there and nothing else in the page; a kind of the contract without a file fails `kinds.test.ts`.
 */
export const KINDS = Object.entries(MODULES).map(([path, operation]) => ({
  kind: path.slice('./kind/'.length, -'.tsx'.length).toUpperCase() as OperationKind,
  ...operation,
}));
