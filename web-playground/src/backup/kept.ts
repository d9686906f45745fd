import type { BackupKeptFor } from '../gql/graphql';

/** Until when a backup is kept that is not locked, and why it still is when that has passed. */
export function kept(keptFor: BackupKeptFor | null | undefined, until: string): string {
  switch (keptFor) {
    case 'RESTORE_POINTS':
      return `${until}; restore points need it`;
    case 'NEWEST':
      return `${until}; the newest is kept`;
    default:
      return until;
  }
}
