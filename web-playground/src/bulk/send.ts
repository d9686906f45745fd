import { graphql } from '../gql';
import type { DeleteInstanceInput, OperationStatus, RestartInstanceInput } from '../gql/graphql';
import { UPDATE_INSTANCE } from '../instance/update';
import { mutate } from '../lib/use-mutate';
import { InputError, isRevisionError } from '../lib/user-errors';
import { changed, type LabelChange } from './labels';
import type { Outcome } from './outcome';
import { readTarget } from './targets';

export async function restart(input: RestartInstanceInput): Promise<Outcome> {
  return accepted(await mutate(RESTART, input));
}

export async function remove(input: DeleteInstanceInput): Promise<Outcome> {
  return accepted(await mutate(DELETE, input));
}

const ATTEMPTS = 5;

/** The labels are those of the moment, so that nothing of what somebody else changes meanwhile is overwritten. */
export async function changeLabels(id: string, change: LabelChange): Promise<Outcome> {
  for (let attempt = 1; ; attempt++) {
    const target = await readTarget(id);
    if (!target || target.state === 'DELETED') return { is: 'REFUSED', message: 'It was deleted' };
    const labels = changed(target.labels, change);
    if (!labels) return { is: 'CHANGED' };
    try {
      await mutate(UPDATE_INSTANCE, { id, labels, revision: target.revision });
      return { is: 'CHANGED' };
    } catch (error) {
      const again = error instanceof InputError && error.userErrors.some(isRevisionError) && attempt < ATTEMPTS;
      if (!again) throw error;
    }
  }
}

function accepted({ operation }: { operation?: { id: string; status: OperationStatus } | null }): Outcome {
  return operation ? { is: 'ACCEPTED', operationId: operation.id, status: operation.status } : { is: 'CHANGED' };
}

const RESTART = graphql(`
  mutation BulkRestart($input: RestartInstanceInput!) {
    restartInstance(input: $input) {
      operation {
        id
        status
      }
      userErrors {
        field
        message
      }
    }
  }
`);

const DELETE = graphql(`
  mutation BulkDelete($input: DeleteInstanceInput!) {
    deleteInstance(input: $input) {
      operation {
        id
        status
      }
      userErrors {
        field
        message
      }
    }
  }
`);
