import type { CreateInstanceInput } from '../gql/graphql';
import * as checks from './checks';

/** What the fields of the create form hold; an emptied number field holds ''. */
export interface CreateValues {
  name: string;
  postgresVersion: string | null;
  storageGb: number | string;
  cpuMillis: number | string;
  memoryMb: number | string;
  username: string;
  database: string;
  password: string;
  labels: checks.LabelText[];
  deletionProtected: boolean;
  exposure: { type: 'CLUSTER' | 'LOAD_BALANCER'; sourceRanges: string[]; dnsLabel: string };
  healthCheck: { intervalSeconds: number | string; timeoutSeconds: number | string };
}

/** The server's defaults, shown so that people see what they get. */
export const INITIAL: CreateValues = {
  name: '',
  postgresVersion: null,
  storageGb: 10,
  cpuMillis: 500,
  memoryMb: 512,
  username: 'app',
  database: '',
  password: '',
  labels: [],
  deletionProtected: false,
  exposure: { type: 'CLUSTER', sourceRanges: [], dnsLabel: '' },
  healthCheck: { intervalSeconds: 30, timeoutSeconds: 5 },
};

export const VALIDATE = {
  name: checks.instanceName,
  storageGb: checks.storageGb,
  cpuMillis: checks.cpuMillis,
  memoryMb: checks.memoryMb,
  username: checks.roleName,
  database: (text: string, { username }: CreateValues) => checks.databaseName(text || username),
  password: checks.password,
  labels: checks.labels,
  healthCheck: { intervalSeconds: checks.intervalSeconds, timeoutSeconds: checks.timeoutSeconds },
};

/** Checked values as the mutation takes them. */
export function toInput({ postgresVersion, database, password, exposure, healthCheck, ...values }: CreateValues): CreateInstanceInput {
  return {
    ...values,
    storageGb: Number(values.storageGb),
    cpuMillis: Number(values.cpuMillis),
    memoryMb: Number(values.memoryMb),
    postgresVersion,
    database: database || null,
    password: password || null,
    exposure: exposure.type === 'CLUSTER' ? null : { ...exposure, dnsLabel: exposure.dnsLabel || null },
    healthCheck: { intervalSeconds: Number(healthCheck.intervalSeconds), timeoutSeconds: Number(healthCheck.timeoutSeconds) },
  };
}
