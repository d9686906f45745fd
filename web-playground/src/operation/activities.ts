import type { OperationKind } from '../gql/graphql';

/** What an operation of each kind does to an instance while it is in progress. */
export const ACTIVITIES: Record<OperationKind, string> = {
  CREATE: 'Creating',
  DELETE: 'Deleting',
  RESTART: 'Restarting',
  REPAIR: 'Repairing',
  SUSPEND: 'Suspending',
  RESUME: 'Resuming',
  RESIZE: 'Resizing',
  SET_PARAMETERS: 'Setting parameters',
  ROTATE_PASSWORD: 'Rotating password',
  CREATE_DATABASE_USER: 'Creating user',
  DROP_DATABASE_USER: 'Dropping user',
  CREATE_DATABASE: 'Creating database',
  DROP_DATABASE: 'Dropping database',
  CREATE_BACKUP: 'Backing up',
  RESTORE: 'Restoring',
  UPGRADE: 'Upgrading',
};
