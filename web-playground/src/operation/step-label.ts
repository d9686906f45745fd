import type { StepName } from '../gql/graphql';
import { label } from '../lib/label';

/** Steps whose names in the contract say how they work, not what they are for. */
const LABELS: Partial<Record<StepName, string>> = {
  GET_INSTANCE_STATUS: 'Wait for readiness',
  GENERATE_CONNECTION_STRING: 'Verify connection',
  UPDATE_METADATA: 'Save metadata',
};

export function stepLabel(name: StepName): string {
  return LABELS[name] ?? label(name);
}
