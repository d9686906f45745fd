import type { CreateInstanceInput } from '../gql/graphql';
import type { Limits } from '../control-plane/control-plane';
import { initialValue, inRange, inRangeOrEmpty } from '../form/range';
import * as checks from './checks';
import { type ExposureValues, exposureInput } from './exposure-fields';
import { type MaintenanceWindowValues, noWindow, windowInput, windowValidation } from './maintenance-window-values';

/** The values of the create form; an empty number field holds ''. */
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
  requireTls: boolean;
  exposure: ExposureValues;
  healthCheck: { intervalSeconds: number | string; timeoutSeconds: number | string };
  /** '' for never. */
  idleSuspendMinutes: number | string;
  /** The maximum is '' for never. */
  storageAutoGrow: { maxGb: number | string };
  maintenanceWindow: MaintenanceWindowValues;
}

/** The defaults of the server, shown so that users see what they get. */
export function initialValues(limits: Limits): CreateValues {
  return {
    name: '',
    postgresVersion: null,
    storageGb: initialValue(limits.storageGb),
    cpuMillis: initialValue(limits.cpuMillis),
    memoryMb: initialValue(limits.memoryMb),
    username: 'app',
    database: '',
    password: '',
    labels: [],
    deletionProtected: false,
    requireTls: false,
    exposure: { type: 'CLUSTER', sourceRanges: [], dnsLabel: '' },
    healthCheck: {
      intervalSeconds: initialValue(limits.healthCheckIntervalSeconds),
      timeoutSeconds: initialValue(limits.healthCheckTimeoutSeconds),
    },
    idleSuspendMinutes: initialValue(limits.idleSuspendMinutes),
    storageAutoGrow: { maxGb: '' },
    maintenanceWindow: noWindow(limits.maintenanceWindowMinutes),
  };
}

export function validation(limits: Limits) {
  return {
    name: checks.instanceName(limits),
    storageGb: inRange(limits.storageGb, 'GiB'),
    cpuMillis: inRange(limits.cpuMillis, 'vCPU', 1000),
    memoryMb: inRange(limits.memoryMb, 'MiB'),
    username: checks.sqlName,
    database: (text: string) => (text ? checks.sqlName(text) : null),
    password: checks.password(limits),
    labels: checks.labels(limits),
    healthCheck: {
      intervalSeconds: inRange(limits.healthCheckIntervalSeconds, 'seconds'),
      timeoutSeconds: inRange(limits.healthCheckTimeoutSeconds, 'seconds'),
    },
    idleSuspendMinutes: inRangeOrEmpty(limits.idleSuspendMinutes, 'minutes'),
    storageAutoGrow: { maxGb: inRangeOrEmpty(limits.storageGb, 'GiB') },
    maintenanceWindow: windowValidation(limits.maintenanceWindowMinutes),
  };
}

/** The input of the mutation, from valid values. */
export function toInput({ postgresVersion, database, password, exposure, requireTls, healthCheck, storageAutoGrow: { maxGb }, maintenanceWindow, ...values }: CreateValues): CreateInstanceInput {
  return {
    ...values,
    storageGb: Number(values.storageGb),
    cpuMillis: Number(values.cpuMillis),
    memoryMb: Number(values.memoryMb),
    postgresVersion,
    database: database || null,
    password: password || null,
    exposure: exposure.type === 'CLUSTER' ? null : exposureInput(exposure),
    // Otherwise as the server thinks fit: behind a load balancer it is required.
    requireTls: requireTls || null,
    healthCheck: { intervalSeconds: Number(healthCheck.intervalSeconds), timeoutSeconds: Number(healthCheck.timeoutSeconds) },
    idleSuspendMinutes: Number(values.idleSuspendMinutes),
    storageAutoGrow: maxGb === '' ? null : { maxGb: Number(maxGb) },
    maintenanceWindow: windowInput(maintenanceWindow),
  };
}
