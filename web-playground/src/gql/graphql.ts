/* eslint-disable */
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
export type Maybe<T> = T | null;
export type InputMaybe<T> = T | null | undefined;
export type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
export type MakeOptional<T, K extends keyof T> = Omit<T, K> & { [SubKey in K]?: Maybe<T[SubKey]> };
export type MakeMaybe<T, K extends keyof T> = Omit<T, K> & { [SubKey in K]: Maybe<T[SubKey]> };
export type MakeEmpty<T extends { [key: string]: unknown }, K extends keyof T> = { [_ in K]?: never };
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
/** All built-in and custom scalars, mapped to their actual values */
export type Scalars = {
  ID: { input: string; output: string; }
  String: { input: string; output: string; }
  Boolean: { input: boolean; output: boolean; }
  Int: { input: number; output: number; }
  Float: { input: number; output: number; }
  /** A 64-bit integer as a string of decimal digits, because JSON numbers lose digits beyond 2^53. Inputs may also be numbers. */
  BigInt: { input: string; output: string; }
  /**
   * Implement the DateTime<Utc> scalar
   *
   * The input/output is a string in RFC3339 format.
   */
  DateTime: { input: string; output: string; }
};

/** A token that lets its bearer in. Its secret is only in the answer that made it. */
export type ApiToken = Node & {
  __typename?: 'ApiToken';
  /** When it was made. */
  createdAt: Scalars['DateTime']['output'];
  /** When it ends by itself. */
  expiresAt?: Maybe<Scalars['DateTime']['output']>;
  /** Its identity. */
  id: Scalars['ID']['output'];
  /** When it was used last, to the minute. */
  lastUsedAt?: Maybe<Scalars['DateTime']['output']>;
  /** What it is for. */
  name: Scalars['String']['output'];
  /** When somebody ended it. */
  revokedAt?: Maybe<Scalars['DateTime']['output']>;
  /** What its bearer may do. */
  role: TokenRole;
};

/** A page of API tokens. */
export type ApiTokenConnection = {
  __typename?: 'ApiTokenConnection';
  /** A list of edges. */
  edges: Array<ApiTokenEdge>;
  /** A list of nodes. */
  nodes: Array<ApiToken>;
  /** Information to aid in pagination. */
  pageInfo: PageInfo;
};

/** An edge in a connection. */
export type ApiTokenEdge = {
  __typename?: 'ApiTokenEdge';
  /** A cursor for use in pagination */
  cursor: Scalars['String']['output'];
  /** The item at the end of the edge */
  node: ApiToken;
};

/** Who asks, and what it may do; so that a page can leave out what would be refused. */
export type Caller = {
  __typename?: 'Caller';
  /** What the caller may do: the role of its token, or `ADMIN` where the server asks for none. */
  role: TokenRole;
  /** The name of its token; null where the server asks for none. */
  tokenName?: Maybe<Scalars['String']['output']>;
};

/** What to cancel. */
export type CancelOperationInput = {
  /** The operation's id. */
  id: Scalars['ID']['input'];
};

/** The answer to `cancelOperation`. */
export type CancelOperationPayload = {
  __typename?: 'CancelOperationPayload';
  /** The instance as it is now; null when there are user errors. */
  instance?: Maybe<Instance>;
  /** The operation that carries it out; null when there are user errors, or nothing takes time. */
  operation?: Maybe<Operation>;
  /** What was wrong with the input; empty when the request was accepted. */
  userErrors: Array<UserError>;
};

/** The control plane itself. */
export type ControlPlane = {
  __typename?: 'ControlPlane';
  /** Who asks. */
  caller: Caller;
  /** How its parts are. */
  health: ControlPlaneHealth;
  /** The limits of inputs. */
  limits: Limits;
  /** The PostgreSQL versions that can be asked for, the newest (which is the default) first. */
  postgresVersions: Array<Scalars['String']['output']>;
  /** Where instances run: `process` or `kubernetes`. */
  runtime: Scalars['String']['output'];
  /** The version of this server. */
  version: Scalars['String']['output'];
};

/** How the parts of the control plane are. */
export type ControlPlaneHealth = {
  __typename?: 'ControlPlaneHealth';
  /** The metadata database answers. */
  database: Scalars['Boolean']['output'];
  /** The listening connection stands, so that subscriptions are live. */
  liveDelivery: Scalars['Boolean']['output'];
  /** Everything below is well. */
  ready: Scalars['Boolean']['output'];
  /** The workflows are at work in this server. */
  workflows: Scalars['Boolean']['output'];
};

/** What token to make. */
export type CreateApiTokenInput = {
  /** After so many days it ends by itself (1 to 3650; never, when left out). */
  expiresInDays?: InputMaybe<Scalars['Int']['input']>;
  /** What it is for: 1 to 100 characters. */
  name: Scalars['String']['input'];
  /** What its bearer may do. */
  role: TokenRole;
};

/** The answer to `createApiToken`. */
export type CreateApiTokenPayload = {
  __typename?: 'CreateApiTokenPayload';
  /** The token; null when there are user errors. */
  apiToken?: Maybe<ApiToken>;
  /** Its secret. It is stored nowhere, so keep it now. */
  secret?: Maybe<Scalars['String']['output']>;
  /** What was wrong with the input; empty when the token was made. */
  userErrors: Array<UserError>;
};

/** What to create. */
export type CreateInstanceInput = {
  /** Processor share in thousandths of a core (default 500). */
  cpuMillis?: InputMaybe<Scalars['Int']['input']>;
  /** The database to make (default: like the username). */
  database?: InputMaybe<Scalars['String']['input']>;
  /** Whether deletion is refused (default false). */
  deletionProtected?: InputMaybe<Scalars['Boolean']['input']>;
  /** Who can reach it (default: clients beside it). */
  exposure?: InputMaybe<ExposureInput>;
  /** How its health is checked. */
  healthCheck?: InputMaybe<HealthCheckInput>;
  /** Repeating the request with the same key returns the first answer instead of creating another. */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** Free labels. */
  labels?: InputMaybe<Array<LabelInput>>;
  /** Memory in MiB (default 512). */
  memoryMb?: InputMaybe<Scalars['Int']['input']>;
  /** A DNS label, unique among instances that are not deleted; part of the address that clients type. */
  name: Scalars['String']['input'];
  /** Its password; generated when left out. */
  password?: InputMaybe<Scalars['String']['input']>;
  /** The major version of PostgreSQL (default: the newest offered). */
  postgresVersion?: InputMaybe<Scalars['String']['input']>;
  /** Size of the volume in GiB (default 10). */
  storageGb?: InputMaybe<Scalars['Int']['input']>;
  /** The role that clients log in as (default `app`). */
  username?: InputMaybe<Scalars['String']['input']>;
};

/** The answer to `createInstance`. */
export type CreateInstancePayload = {
  __typename?: 'CreateInstancePayload';
  /** The instance as it is now; null when there are user errors. */
  instance?: Maybe<Instance>;
  /** The operation that carries it out; null when there are user errors, or nothing takes time. */
  operation?: Maybe<Operation>;
  /** What was wrong with the input; empty when the request was accepted. */
  userErrors: Array<UserError>;
};

/** What to delete. */
export type DeleteInstanceInput = {
  /** Its id. */
  id: Scalars['ID']['input'];
  /** Repeating the request with the same key returns the first answer. */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** Keep the data (default false). */
  keepVolumes?: InputMaybe<Scalars['Boolean']['input']>;
  /** Delete it only at this revision. */
  revision?: InputMaybe<Scalars['BigInt']['input']>;
};

/** The answer to `deleteInstance`. */
export type DeleteInstancePayload = {
  __typename?: 'DeleteInstancePayload';
  /** The instance as it is now; null when there are user errors. */
  instance?: Maybe<Instance>;
  /** The operation that carries it out; null when there are user errors, or nothing takes time. */
  operation?: Maybe<Operation>;
  /** What was wrong with the input; empty when the request was accepted. */
  userErrors: Array<UserError>;
};

/** Where clients connect. */
export type Endpoint = {
  __typename?: 'Endpoint';
  /** Host name or address. */
  host: Scalars['String']['output'];
  /** TCP port. */
  port: Scalars['Int']['output'];
};

/** Who can reach an instance, and how. */
export type Exposure = {
  __typename?: 'Exposure';
  /** The DNS label that the cloud gives the address. */
  dnsLabel?: Maybe<Scalars['String']['output']>;
  /** The address ranges (CIDR) that the load balancer lets in; empty lets in everyone. */
  sourceRanges: Array<Scalars['String']['output']>;
  /** Who. */
  type: ExposureType;
};

/** Who can reach an instance. */
export type ExposureInput = {
  /** The DNS label that the cloud is to give the address. */
  dnsLabel?: InputMaybe<Scalars['String']['input']>;
  /** The address ranges (CIDR) that the load balancer lets in (default: all). */
  sourceRanges?: InputMaybe<Array<Scalars['String']['input']>>;
  /** Who. */
  type: ExposureType;
};

/** Who can reach an instance. */
export const ExposureType = {
  /** Clients beside it: in the cluster, or on this machine. */
  Cluster: 'CLUSTER',
  /** Clients outside, through a load balancer. */
  LoadBalancer: 'LOAD_BALANCER'
} as const;

export type ExposureType = typeof ExposureType[keyof typeof ExposureType];
/** One check of one instance. */
export type HealthCheck = Node & {
  __typename?: 'HealthCheck';
  /** When. */
  at: Scalars['DateTime']['output'];
  /** Its place among the checks of the instance, to resume from. */
  cursor: Scalars['String']['output'];
  /** What went wrong. */
  error?: Maybe<Reason>;
  /** Its globally unique id. */
  id: Scalars['ID']['output'];
  /** The instance that was checked. */
  instanceId: Scalars['ID']['output'];
  /** Milliseconds until the answer. */
  latencyMs?: Maybe<Scalars['Float']['output']>;
  /** What was found. One failure is not an outage yet, so this can differ from the instance's health. */
  status: HealthStatus;
};

/** A page of the samples of one instance. */
export type HealthCheckConnection = {
  __typename?: 'HealthCheckConnection';
  /** A list of edges. */
  edges: Array<HealthCheckEdge>;
  /** A list of nodes. */
  nodes: Array<HealthCheck>;
  /** Information to aid in pagination. */
  pageInfo: PageInfo;
};

/** An edge in a connection. */
export type HealthCheckEdge = {
  __typename?: 'HealthCheckEdge';
  /** A cursor for use in pagination */
  cursor: Scalars['String']['output'];
  /** The item at the end of the edge */
  node: HealthCheck;
};

/** How the health of an instance is checked. */
export type HealthCheckInput = {
  /** Seconds from one check to the next (default 30). */
  intervalSeconds?: InputMaybe<Scalars['Int']['input']>;
  /** Seconds that one check may take (default 5). */
  timeoutSeconds?: InputMaybe<Scalars['Int']['input']>;
};

/** What health checks found. */
export const HealthStatus = {
  /** The last check logged in and got its answer. */
  Healthy: 'HEALTHY',
  /** It does not answer, and that is confirmed. */
  Unhealthy: 'UNHEALTHY',
  /** Not checked yet, or nothing to check. */
  Unknown: 'UNKNOWN'
} as const;

export type HealthStatus = typeof HealthStatus[keyof typeof HealthStatus];
/** What the checks of the last 24 hours add up to. */
export type HealthSummary = {
  __typename?: 'HealthSummary';
  /** Number of checks. */
  checks: Scalars['Int']['output'];
  /** The last failed check. */
  lastFailureAt?: Maybe<Scalars['DateTime']['output']>;
  /** Median latency of the successful checks in milliseconds. */
  latencyP50Ms?: Maybe<Scalars['Float']['output']>;
  /** 99th percentile of the latency in milliseconds. */
  latencyP99Ms?: Maybe<Scalars['Float']['output']>;
  /** The share of checks that succeeded, 0 to 1; null without checks. */
  uptime?: Maybe<Scalars['Float']['output']>;
};

/** A hosted PostgreSQL. */
export type Instance = Node & {
  __typename?: 'Instance';
  /** The kinds of operations that would be accepted now. */
  availableOperations: Array<OperationKind>;
  /** The URL for clients, with the password in it; null until it runs. Needs the role OPERATOR. */
  connectionString?: Maybe<Scalars['String']['output']>;
  /** Processor share in thousandths of a core. */
  cpuMillis: Scalars['Int']['output'];
  /** When it was asked for. */
  createdAt: Scalars['DateTime']['output'];
  /** The database made for the caller. */
  database: Scalars['String']['output'];
  /** When it was gone. */
  deletedAt?: Maybe<Scalars['DateTime']['output']>;
  /** Whether deletion is refused. */
  deletionProtected: Scalars['Boolean']['output'];
  /** Where clients connect, once it runs. */
  endpoint?: Maybe<Endpoint>;
  /** Its events, the oldest first. */
  events: InstanceEventConnection;
  /** Who can reach it. */
  exposure: Exposure;
  /** What health checks found. */
  health: HealthStatus;
  /** The workflow that checks its health. */
  healthCheckOrchestrationId?: Maybe<Scalars['String']['output']>;
  /** Its samples, the newest first. */
  healthChecks: HealthCheckConnection;
  /** What the samples of the last 24 hours add up to. */
  healthSummary: HealthSummary;
  /** Its identity: a UUID, the same in logs and on the runtime's objects. */
  id: Scalars['ID']['output'];
  /** Free labels of the caller. */
  labels: Array<Label>;
  /** The latest sample of its health. */
  latestHealthCheck?: Maybe<HealthCheck>;
  /** Memory in MiB. */
  memoryMb: Scalars['Int']['output'];
  /** Its name, unique among instances that are not deleted. */
  name: Scalars['String']['output'];
  /** Its operations, the newest first. */
  operations: OperationConnection;
  /** The major version of PostgreSQL. */
  postgresVersion: Scalars['String']['output'];
  /** Why it is not what it should be, or what it waits for. */
  reason?: Maybe<Reason>;
  /** Counts every change; send it along with a deletion or update to be sure that nothing changed in between. */
  revision: Scalars['BigInt']['output'];
  /** Where it is in its life. */
  state: InstanceState;
  /** Size of its volume in GiB. */
  storageGb: Scalars['Int']['output'];
  /** When it changed last. */
  updatedAt: Scalars['DateTime']['output'];
  /** The role that clients log in as. */
  username: Scalars['String']['output'];
};


/** A hosted PostgreSQL. */
export type InstanceEventsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** A hosted PostgreSQL. */
export type InstanceHealthChecksArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** A hosted PostgreSQL. */
export type InstanceOperationsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<OperationFilter>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};

/** One item of the live list of instances. */
export type InstanceChange = {
  __typename?: 'InstanceChange';
  /** Resume `after` this. Within the snapshot it leads back to its start. */
  cursor: Scalars['String']['output'];
  /** The instance as it is now; null with `SNAPSHOT_COMPLETE`. */
  instance?: Maybe<Instance>;
  /** Its id; null with `SNAPSHOT_COMPLETE`. */
  instanceId?: Maybe<Scalars['ID']['output']>;
  /** What it means. */
  type: InstanceChangeType;
};

/** What an item of the live list means. */
export const InstanceChangeType = {
  /** An instance is deleted, or does not match the filter any more. */
  Removed: 'REMOVED',
  /** An instance that is there at the start. */
  Snapshot: 'SNAPSHOT',
  /** The start is over: everything that was there has been sent. */
  SnapshotComplete: 'SNAPSHOT_COMPLETE',
  /** An instance is new, has changed, or matches the filter from now on. */
  Upserted: 'UPSERTED'
} as const;

export type InstanceChangeType = typeof InstanceChangeType[keyof typeof InstanceChangeType];
/** A page of instances. */
export type InstanceConnection = {
  __typename?: 'InstanceConnection';
  /** A list of edges. */
  edges: Array<InstanceEdge>;
  /** A list of nodes. */
  nodes: Array<Instance>;
  /** Information to aid in pagination. */
  pageInfo: PageInfo;
  /** How many entries the whole list has. */
  totalCount: Scalars['Int']['output'];
};

/** An edge in a connection. */
export type InstanceEdge = {
  __typename?: 'InstanceEdge';
  /** A cursor for use in pagination */
  cursor: Scalars['String']['output'];
  /** The item at the end of the edge */
  node: Instance;
};

/** One change of an instance or of one of its operations, in the order of commits. */
export type InstanceEvent = Node & {
  __typename?: 'InstanceEvent';
  /** When it was written. */
  at: Scalars['DateTime']['output'];
  /** Its place in the log; `after` this, the next one follows. */
  cursor: Scalars['String']['output'];
  /** The value before: a state, health or status. */
  from?: Maybe<Scalars['String']['output']>;
  /** Its identity. */
  id: Scalars['ID']['output'];
  /** That instance as it is now. */
  instance?: Maybe<Instance>;
  /** The instance it belongs to. */
  instanceId: Scalars['ID']['output'];
  /** The operation that changed, as it is now. */
  operation?: Maybe<Operation>;
  /** Why. */
  reason?: Maybe<Reason>;
  /** The value after. */
  to?: Maybe<Scalars['String']['output']>;
  /** What changed. */
  type: InstanceEventType;
};

/** A page of the events of one instance. */
export type InstanceEventConnection = {
  __typename?: 'InstanceEventConnection';
  /** A list of edges. */
  edges: Array<InstanceEventEdge>;
  /** A list of nodes. */
  nodes: Array<InstanceEvent>;
  /** Information to aid in pagination. */
  pageInfo: PageInfo;
};

/** An edge in a connection. */
export type InstanceEventEdge = {
  __typename?: 'InstanceEventEdge';
  /** A cursor for use in pagination */
  cursor: Scalars['String']['output'];
  /** The item at the end of the edge */
  node: InstanceEvent;
};

/** What an event tells of. */
export const InstanceEventType = {
  /** The health went `from` -> `to`. */
  HealthChanged: 'HEALTH_CHANGED',
  /** The instance was asked for. */
  InstanceCreated: 'INSTANCE_CREATED',
  /** Something else about the instance changed: labels, protection, endpoint, reason. */
  InstanceUpdated: 'INSTANCE_UPDATED',
  /** The status of an operation went `from` -> `to`. */
  OperationChanged: 'OPERATION_CHANGED',
  /** An operation was accepted. */
  OperationCreated: 'OPERATION_CREATED',
  /** A step of an operation began, ended or failed. */
  OperationProgressed: 'OPERATION_PROGRESSED',
  /** The state went `from` -> `to`. */
  StateChanged: 'STATE_CHANGED'
} as const;

export type InstanceEventType = typeof InstanceEventType[keyof typeof InstanceEventType];
/** Which instances are meant: every given condition must hold. */
export type InstanceFilter = {
  /** One of these health statuses. */
  health?: InputMaybe<Array<HealthStatus>>;
  /** It carries all these labels. */
  labels?: InputMaybe<Array<LabelInput>>;
  /** The name contains this text. */
  nameContains?: InputMaybe<Scalars['String']['input']>;
  /** One of these states; when left out, every state but `DELETED`. */
  state?: InputMaybe<Array<InstanceState>>;
};

/** The order of instances. */
export type InstanceOrder = {
  /** Which way. */
  direction?: OrderDirection;
  /** By what. */
  field: InstanceOrderByField;
};

/** By what instances are ordered. */
export const InstanceOrderByField = {
  /** When they were asked for. */
  CreatedAt: 'CREATED_AT',
  /** Their name. */
  Name: 'NAME'
} as const;

export type InstanceOrderByField = typeof InstanceOrderByField[keyof typeof InstanceOrderByField];
/** Where an instance is in its life. */
export const InstanceState = {
  /** Being made; nothing to connect to yet. */
  Creating: 'CREATING',
  /** Gone; the record is kept as history. */
  Deleted: 'DELETED',
  /** Being removed. */
  Deleting: 'DELETING',
  /** Making or removing it did not work out; the reason says why. Retry the operation, or delete the instance. */
  Failed: 'FAILED',
  /** Made. Whether it answers is its health. */
  Running: 'RUNNING',
  /** An operation changes it, and it may not answer for that long; then it is `RUNNING` again. */
  Updating: 'UPDATING'
} as const;

export type InstanceState = typeof InstanceState[keyof typeof InstanceState];
/** A range of whole numbers, both ends included. */
export type IntRange = {
  __typename?: 'IntRange';
  /** The value when the field is left out; null when it is required, or decided otherwise. */
  default?: Maybe<Scalars['Int']['output']>;
  /** The largest value. */
  max: Scalars['Int']['output'];
  /** The smallest value. */
  min: Scalars['Int']['output'];
};

/** A label that a caller put on an instance. */
export type Label = {
  __typename?: 'Label';
  /** Its key, unique on the instance. */
  key: Scalars['String']['output'];
  /** Its value. */
  value: Scalars['String']['output'];
};

/** A label. */
export type LabelInput = {
  /** 1 to 63 letters, digits or any of `- _ . /`; unique on the instance. */
  key: Scalars['String']['input'];
  /** Up to 63 of the same characters. */
  value: Scalars['String']['input'];
};

/** The limits of inputs, so that clients need not repeat them. */
export type Limits = {
  __typename?: 'Limits';
  /** Processor share in thousandths of a core. */
  cpuMillis: IntRange;
  /** Seconds from one health check to the next. */
  healthCheckIntervalSeconds: IntRange;
  /** Seconds that one health check may take. */
  healthCheckTimeoutSeconds: IntRange;
  /** Bytes of an idempotency key. */
  idempotencyKeyBytes: IntRange;
  /** Characters of the key of a label. */
  labelKeyLength: IntRange;
  /** Characters of the value of a label. */
  labelValueLength: IntRange;
  /** Labels of one instance. */
  labels: IntRange;
  /** Memory in MiB. */
  memoryMb: IntRange;
  /** Characters of an instance name. */
  nameLength: IntRange;
  /** Entries of one page of a list. */
  pageSize: IntRange;
  /** Bytes of a password. */
  passwordBytes: IntRange;
  /** Seconds that a server may take to shut down before it is stopped immediately. */
  restartTimeoutSeconds: IntRange;
  /** Size of a volume in GiB. */
  storageGb: IntRange;
  /** Days after which an API token expires. */
  tokenExpiresInDays: IntRange;
  /** Characters of the name of an API token. */
  tokenNameLength: IntRange;
};

/** Writes. */
export type Mutation = {
  __typename?: 'Mutation';
  /** Asks an operation to stop and to clean up. Removal, once begun, cannot be cancelled. */
  cancelOperation: CancelOperationPayload;
  /** Makes an API token. Its secret is in this answer only. */
  createApiToken: CreateApiTokenPayload;
  /** Accepts a new instance and returns at once; follow the operation, or the instance, by subscription. */
  createInstance: CreateInstancePayload;
  /** Removes an instance, from any state; returns at once. The name is free again when it is gone. */
  deleteInstance: DeleteInstancePayload;
  /** Stops the server of a running instance and starts it again. Clients lose their connections; health checks pause meanwhile. */
  restartInstance: RestartInstancePayload;
  /** Tries a failed or cancelled operation again, as a new operation. */
  retryOperation: RetryOperationPayload;
  /** Ends an API token at once; its open subscriptions end with it. */
  revokeApiToken: RevokeApiTokenPayload;
  /** Changes labels or deletion protection, at once. */
  updateInstance: UpdateInstancePayload;
};


/** Writes. */
export type MutationCancelOperationArgs = {
  input: CancelOperationInput;
};


/** Writes. */
export type MutationCreateApiTokenArgs = {
  input: CreateApiTokenInput;
};


/** Writes. */
export type MutationCreateInstanceArgs = {
  input: CreateInstanceInput;
};


/** Writes. */
export type MutationDeleteInstanceArgs = {
  input: DeleteInstanceInput;
};


/** Writes. */
export type MutationRestartInstanceArgs = {
  input: RestartInstanceInput;
};


/** Writes. */
export type MutationRetryOperationArgs = {
  input: RetryOperationInput;
};


/** Writes. */
export type MutationRevokeApiTokenArgs = {
  input: RevokeApiTokenInput;
};


/** Writes. */
export type MutationUpdateInstanceArgs = {
  input: UpdateInstanceInput;
};

/** An object with a globally unique id. */
export type Node = {
  /** Its globally unique id. */
  id: Scalars['ID']['output'];
};

/** One accepted mutation that takes time, and how it goes. */
export type Operation = Node & {
  __typename?: 'Operation';
  /** Whether `cancelOperation` would be accepted now. */
  canCancel: Scalars['Boolean']['output'];
  /** Whether `retryOperation` would be accepted now. */
  canRetry: Scalars['Boolean']['output'];
  /** Whether somebody asked to cancel it. */
  cancelRequested: Scalars['Boolean']['output'];
  /** When it was accepted. */
  createdAt: Scalars['DateTime']['output'];
  /** When it ends at the latest. */
  deadline: Scalars['DateTime']['output'];
  /** Why it failed or was cancelled. */
  error?: Maybe<Reason>;
  /** When it ended. */
  finishedAt?: Maybe<Scalars['DateTime']['output']>;
  /** Its identity, the same in logs: `<kind>-<instance>-<n>`. */
  id: Scalars['ID']['output'];
  /** The instance it works on. */
  instance: Instance;
  /** What it does. */
  kind: OperationKind;
  /** When a workflow took it up. */
  startedAt?: Maybe<Scalars['DateTime']['output']>;
  /** How it stands. */
  status: OperationStatus;
  /** Its steps, in order; those not begun yet are there from the start. */
  steps: Array<OperationStep>;
};

/** A page of operations. */
export type OperationConnection = {
  __typename?: 'OperationConnection';
  /** A list of edges. */
  edges: Array<OperationEdge>;
  /** A list of nodes. */
  nodes: Array<Operation>;
  /** Information to aid in pagination. */
  pageInfo: PageInfo;
  /** How many entries the whole list has. */
  totalCount: Scalars['Int']['output'];
};

/** An edge in a connection. */
export type OperationEdge = {
  __typename?: 'OperationEdge';
  /** A cursor for use in pagination */
  cursor: Scalars['String']['output'];
  /** The item at the end of the edge */
  node: Operation;
};

/** Which operations are meant: every given condition must hold. */
export type OperationFilter = {
  /** Of this instance. */
  instanceId?: InputMaybe<Scalars['ID']['input']>;
  /** Of one of these kinds. */
  kind?: InputMaybe<Array<OperationKind>>;
  /** In one of these states. */
  status?: InputMaybe<Array<OperationStatus>>;
};

/** What an operation does. */
export const OperationKind = {
  /** Makes an instance. */
  Create: 'CREATE',
  /** Removes an instance. */
  Delete: 'DELETE',
  /** Stops the server of an instance and starts it again. */
  Restart: 'RESTART'
} as const;

export type OperationKind = typeof OperationKind[keyof typeof OperationKind];
/** How an operation stands. */
export const OperationStatus = {
  /** It was cancelled, by a caller or by a later operation. */
  Cancelled: 'CANCELLED',
  /** It did not work out; the error says why. */
  Failed: 'FAILED',
  /** Accepted; no workflow has taken it up yet. */
  Pending: 'PENDING',
  /** A workflow carries it out. */
  Running: 'RUNNING',
  /** Done. */
  Succeeded: 'SUCCEEDED'
} as const;

export type OperationStatus = typeof OperationStatus[keyof typeof OperationStatus];
/** One step of an operation. */
export type OperationStep = {
  __typename?: 'OperationStep';
  /** How often it was begun. */
  attempt: Scalars['Int']['output'];
  /** What went wrong last, or what it waits for. */
  error?: Maybe<Reason>;
  /** When it ended. */
  finishedAt?: Maybe<Scalars['DateTime']['output']>;
  /** Which step. */
  name: StepName;
  /** When it was begun first. */
  startedAt?: Maybe<Scalars['DateTime']['output']>;
  /** How it stands. */
  status: StepStatus;
};

/** Which way a list goes. */
export const OrderDirection = {
  /** The smallest or oldest first. */
  Asc: 'ASC',
  /** The greatest or newest first. */
  Desc: 'DESC'
} as const;

export type OrderDirection = typeof OrderDirection[keyof typeof OrderDirection];
/** Information about pagination in a connection */
export type PageInfo = {
  __typename?: 'PageInfo';
  /** When paginating forwards, the cursor to continue. */
  endCursor?: Maybe<Scalars['String']['output']>;
  /** When paginating forwards, are there more items? */
  hasNextPage: Scalars['Boolean']['output'];
  /** When paginating backwards, are there more items? */
  hasPreviousPage: Scalars['Boolean']['output'];
  /** When paginating backwards, the cursor to continue. */
  startCursor?: Maybe<Scalars['String']['output']>;
};

/** Reads. */
export type Query = {
  __typename?: 'Query';
  /** API tokens, the newest first, a page at a time. */
  apiTokens: ApiTokenConnection;
  /** The control plane itself: version, runtime, offered PostgreSQL versions, health, and who asks. */
  controlPlane: ControlPlane;
  /** The instance with this id, deleted ones included. */
  instance?: Maybe<Instance>;
  /** The instance that has this name now. */
  instanceByName?: Maybe<Instance>;
  /** Instances, a page at a time. */
  instances: InstanceConnection;
  /** The object with this id. */
  node?: Maybe<Node>;
  /** The operation with this id; the id of one of its workflow runs (`...-r1`) finds it too. */
  operation?: Maybe<Operation>;
  /** Operations, the newest first, a page at a time. */
  operations: OperationConnection;
};


/** Reads. */
export type QueryApiTokensArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** Reads. */
export type QueryInstanceArgs = {
  id: Scalars['ID']['input'];
};


/** Reads. */
export type QueryInstanceByNameArgs = {
  name: Scalars['String']['input'];
};


/** Reads. */
export type QueryInstancesArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<InstanceFilter>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  orderBy?: InputMaybe<InstanceOrder>;
};


/** Reads. */
export type QueryNodeArgs = {
  id: Scalars['ID']['input'];
};


/** Reads. */
export type QueryOperationArgs = {
  id: Scalars['ID']['input'];
};


/** Reads. */
export type QueryOperationsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<OperationFilter>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};

/** Why something is not what it should be, or what it waits for. */
export type Reason = {
  __typename?: 'Reason';
  /** What kind of reason; stable, for programs. */
  code: ReasonCode;
  /** One sentence for people. */
  message: Scalars['String']['output'];
};

/** The kinds of reasons. */
export const ReasonCode = {
  /** The cluster refused the objects. */
  AdmissionRefused: 'ADMISSION_REFUSED',
  /** The instance's own credentials were refused. */
  AuthenticationFailed: 'AUTHENTICATION_FAILED',
  /** Somebody cancelled the operation. */
  Cancelled: 'CANCELLED',
  /** The connection broke. */
  ConnectionLost: 'CONNECTION_LOST',
  /** Nobody listens at the endpoint. */
  ConnectionRefused: 'CONNECTION_REFUSED',
  /** The endpoint did not answer in time. */
  ConnectionTimeout: 'CONNECTION_TIMEOUT',
  /** It keeps ending soon after its start. */
  CrashLoop: 'CRASH_LOOP',
  /** The operation's deadline passed. */
  DeadlineExceeded: 'DEADLINE_EXCEEDED',
  /** Its disk is full. */
  DiskFull: 'DISK_FULL',
  /** The endpoint's name does not resolve. */
  DnsFailed: 'DNS_FAILED',
  /** The control plane lacks a permission. */
  Forbidden: 'FORBIDDEN',
  /** The image cannot be pulled. */
  ImagePullFailed: 'IMAGE_PULL_FAILED',
  /** A fault of the control plane; its log says more. */
  Internal: 'INTERNAL',
  /** It was killed because it needed more memory than it was given. */
  OutOfMemory: 'OUT_OF_MEMORY',
  /** The PostgreSQL binaries for it are not installed. */
  PostgresMissing: 'POSTGRES_MISSING',
  /** The server's process ended. */
  ProcessExited: 'PROCESS_EXITED',
  /** It answered with an error. */
  QueryFailed: 'QUERY_FAILED',
  /** A quota is in the way. */
  QuotaExceeded: 'QUOTA_EXCEEDED',
  /** It answers but takes no writes. */
  ReadOnly: 'READ_ONLY',
  /** Something remains that could not be removed. */
  RemovalIncomplete: 'REMOVAL_INCOMPLETE',
  /** The host of instances cannot be reached. */
  RuntimeUnavailable: 'RUNTIME_UNAVAILABLE',
  /** The database is starting, or recovering after a crash. */
  StartingUp: 'STARTING_UP',
  /** Another operation took over. */
  Superseded: 'SUPERSEDED',
  /** The TLS handshake failed. */
  TlsFailed: 'TLS_FAILED',
  /** All its connections are taken. */
  TooManyConnections: 'TOO_MANY_CONNECTIONS',
  /** No node has room for it. */
  Unschedulable: 'UNSCHEDULABLE',
  /** Its volume cannot be provided. */
  VolumeNotBound: 'VOLUME_NOT_BOUND'
} as const;

export type ReasonCode = typeof ReasonCode[keyof typeof ReasonCode];
/** What to restart. */
export type RestartInstanceInput = {
  /** Its id. */
  id: Scalars['ID']['input'];
  /** Repeating the request with the same key returns the first answer. */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** Restart it only at this revision. */
  revision?: InputMaybe<Scalars['BigInt']['input']>;
  /** Seconds that the server may take to shut down gracefully before it is stopped immediately (default 60). */
  timeoutSeconds?: InputMaybe<Scalars['Int']['input']>;
};

/** The answer to `restartInstance`. */
export type RestartInstancePayload = {
  __typename?: 'RestartInstancePayload';
  /** The instance as it is now; null when there are user errors. */
  instance?: Maybe<Instance>;
  /** The operation that carries it out; null when there are user errors, or nothing takes time. */
  operation?: Maybe<Operation>;
  /** What was wrong with the input; empty when the request was accepted. */
  userErrors: Array<UserError>;
};

/** What to try again. */
export type RetryOperationInput = {
  /** The id of the operation that failed. */
  id: Scalars['ID']['input'];
  /** Repeating the request with the same key returns the first answer. */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
};

/** The answer to `retryOperation`. */
export type RetryOperationPayload = {
  __typename?: 'RetryOperationPayload';
  /** The instance as it is now; null when there are user errors. */
  instance?: Maybe<Instance>;
  /** The operation that carries it out; null when there are user errors, or nothing takes time. */
  operation?: Maybe<Operation>;
  /** What was wrong with the input; empty when the request was accepted. */
  userErrors: Array<UserError>;
};

/** What token to end. */
export type RevokeApiTokenInput = {
  /** Its id. */
  id: Scalars['ID']['input'];
};

/** The answer to `revokeApiToken`. */
export type RevokeApiTokenPayload = {
  __typename?: 'RevokeApiTokenPayload';
  /** The token as it is now; null when there are user errors. */
  apiToken?: Maybe<ApiToken>;
  /** What was wrong with the input; empty when the token was ended. */
  userErrors: Array<UserError>;
};

/** The steps that operations are made of. */
export const StepName = {
  /** Remove what a failed creation had made. */
  CleanUp: 'CLEAN_UP',
  /** Remove the instance's objects and wait until they are gone. */
  DeletePostgres: 'DELETE_POSTGRES',
  /** Make or repair the instance's objects in the runtime. */
  DeployPostgres: 'DEPLOY_POSTGRES',
  /** Find out how clients connect, and try it. */
  GenerateConnectionString: 'GENERATE_CONNECTION_STRING',
  /** Wait until the runtime says that it is ready. */
  GetInstanceStatus: 'GET_INSTANCE_STATUS',
  /** Stop the server, and start it again. */
  RestartPostgres: 'RESTART_POSTGRES',
  /** End the workflows that still work on the instance. */
  StopWorkflows: 'STOP_WORKFLOWS',
  /** Write the result to the metadata. */
  UpdateMetadata: 'UPDATE_METADATA'
} as const;

export type StepName = typeof StepName[keyof typeof StepName];
/** How a step stands. */
export const StepStatus = {
  /** Given up. */
  Failed: 'FAILED',
  /** Not begun. */
  Pending: 'PENDING',
  /** Under way. */
  Running: 'RUNNING',
  /** Not needed any more. */
  Skipped: 'SKIPPED',
  /** Done. */
  Succeeded: 'SUCCEEDED'
} as const;

export type StepStatus = typeof StepStatus[keyof typeof StepStatus];
/** Live. */
export type Subscription = {
  __typename?: 'Subscription';
  /** Every health check of one instance, as it is made. Without `after`, from now on. */
  healthChecks: HealthCheck;
  /** One instance, live: as it is now, then after every change; ends when it is deleted. */
  instance: Instance;
  /**
   * The event log, live: every change, exactly once and in the order of commits. Without `after`, from now on; `after: "0"`
   * is from the beginning of what is kept.
   */
  instanceEvents: InstanceEvent;
  /**
   * The list of instances, live: `SNAPSHOT` items, one `SNAPSHOT_COMPLETE`, then `UPSERTED` and `REMOVED`. Several changes of
   * one instance may arrive as one. With `after`, only what changed behind that cursor.
   */
  instances: InstanceChange;
  /** One operation, live: as it is now, then after every step; ends when the operation does. */
  operation: Operation;
};


/** Live. */
export type SubscriptionHealthChecksArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  instanceId: Scalars['ID']['input'];
};


/** Live. */
export type SubscriptionInstanceArgs = {
  id: Scalars['ID']['input'];
};


/** Live. */
export type SubscriptionInstanceEventsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  instanceId?: InputMaybe<Scalars['ID']['input']>;
};


/** Live. */
export type SubscriptionInstancesArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<InstanceFilter>;
};


/** Live. */
export type SubscriptionOperationArgs = {
  id: Scalars['ID']['input'];
};

/** What the bearer of a token may do; each role may do what those before it may. */
export const TokenRole = {
  /** Create and revoke tokens. */
  Admin: 'ADMIN',
  /** See secrets; create, change and delete instances; cancel and retry operations. */
  Operator: 'OPERATOR',
  /** See everything but secrets. */
  Viewer: 'VIEWER'
} as const;

export type TokenRole = typeof TokenRole[keyof typeof TokenRole];
/** What to change. */
export type UpdateInstanceInput = {
  /** Whether deletion is refused from now on. */
  deletionProtected?: InputMaybe<Scalars['Boolean']['input']>;
  /** Its id. */
  id: Scalars['ID']['input'];
  /** All its labels from now on. */
  labels?: InputMaybe<Array<LabelInput>>;
  /** Change it only at this revision. */
  revision?: InputMaybe<Scalars['BigInt']['input']>;
};

/** The answer to `updateInstance`. */
export type UpdateInstancePayload = {
  __typename?: 'UpdateInstancePayload';
  /** The instance as it is now; null when there are user errors. */
  instance?: Maybe<Instance>;
  /** What was wrong with the input; empty when the request was accepted. */
  userErrors: Array<UserError>;
};

/** One thing about the input that the caller can act on. Nothing was changed. */
export type UserError = {
  __typename?: 'UserError';
  /** What kind of mistake it is; stable, for programs. */
  code: UserErrorCode;
  /** The path of the input field, from the top of `input`. */
  field: Array<Scalars['String']['output']>;
  /** One sentence for people: what is wrong and what would be right. */
  message: Scalars['String']['output'];
};

/** What kind of mistake it is. */
export const UserErrorCode = {
  /** The present state does not allow it. */
  Conflict: 'CONFLICT',
  /** The idempotency key was used before with another input. */
  IdempotencyMismatch: 'IDEMPOTENCY_MISMATCH',
  /** The value does not have the form the field asks for. */
  Invalid: 'INVALID',
  /** Another instance that is not deleted has this name. */
  NameTaken: 'NAME_TAKEN',
  /** Nothing has this id. */
  NotFound: 'NOT_FOUND',
  /** The value is a number outside the range of the field. */
  OutOfRange: 'OUT_OF_RANGE',
  /** The instance is protected against deletion. */
  Protected: 'PROTECTED',
  /** The revision that was sent is not the present one. */
  RevisionMismatch: 'REVISION_MISMATCH',
  /** The runtime does not offer this PostgreSQL version. */
  UnsupportedVersion: 'UNSUPPORTED_VERSION'
} as const;

export type UserErrorCode = typeof UserErrorCode[keyof typeof UserErrorCode];
export type ControlPlaneQueryVariables = Exact<{ [key: string]: never; }>;


export type ControlPlaneQuery = { __typename?: 'Query', controlPlane: { __typename?: 'ControlPlane', version: string, runtime: string, postgresVersions: Array<string>, caller: { __typename?: 'Caller', role: TokenRole, tokenName?: string | null }, limits: { __typename?: 'Limits', storageGb: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, cpuMillis: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, memoryMb: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, healthCheckIntervalSeconds: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, healthCheckTimeoutSeconds: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, restartTimeoutSeconds: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, nameLength: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, passwordBytes: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, labels: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, labelKeyLength: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, labelValueLength: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, tokenNameLength: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, tokenExpiresInDays: { __typename?: 'IntRange', min: number, max: number, default?: number | null } } } };

export type RangeFragment = { __typename?: 'IntRange', min: number, max: number, default?: number | null };

export type EventHistoryQueryVariables = Exact<{
  instanceId: Scalars['ID']['input'];
  last: Scalars['Int']['input'];
}>;


export type EventHistoryQuery = { __typename?: 'Query', instance?: { __typename?: 'Instance', events: { __typename?: 'InstanceEventConnection', nodes: Array<{ __typename?: 'InstanceEvent', cursor: string, type: InstanceEventType, at: string, from?: string | null, to?: string | null, reason?: { __typename?: 'Reason', code: ReasonCode, message: string } | null, operation?: { __typename?: 'Operation', id: string, kind: OperationKind } | null }> } } | null };

export type EventLineFragment = { __typename?: 'InstanceEvent', cursor: string, type: InstanceEventType, at: string, from?: string | null, to?: string | null, reason?: { __typename?: 'Reason', code: ReasonCode, message: string } | null, operation?: { __typename?: 'Operation', id: string, kind: OperationKind } | null };

export type EventsSubscriptionVariables = Exact<{
  instanceId: Scalars['ID']['input'];
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type EventsSubscription = { __typename?: 'Subscription', instanceEvents: { __typename?: 'InstanceEvent', cursor: string, type: InstanceEventType, at: string, from?: string | null, to?: string | null, reason?: { __typename?: 'Reason', code: ReasonCode, message: string } | null, operation?: { __typename?: 'Operation', id: string, kind: OperationKind } | null } };

export type HealthHistoryQueryVariables = Exact<{
  instanceId: Scalars['ID']['input'];
  first: Scalars['Int']['input'];
}>;


export type HealthHistoryQuery = { __typename?: 'Query', instance?: { __typename?: 'Instance', healthChecks: { __typename?: 'HealthCheckConnection', nodes: Array<{ __typename?: 'HealthCheck', cursor: string, at: string, status: HealthStatus, latencyMs?: number | null, error?: { __typename?: 'Reason', code: ReasonCode, message: string } | null }> } } | null };

export type SampleFragment = { __typename?: 'HealthCheck', cursor: string, at: string, status: HealthStatus, latencyMs?: number | null, error?: { __typename?: 'Reason', code: ReasonCode, message: string } | null };

export type HealthChecksSubscriptionVariables = Exact<{
  instanceId: Scalars['ID']['input'];
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type HealthChecksSubscription = { __typename?: 'Subscription', healthChecks: { __typename?: 'HealthCheck', cursor: string, at: string, status: HealthStatus, latencyMs?: number | null, error?: { __typename?: 'Reason', code: ReasonCode, message: string } | null } };

export type ConnectionStringQueryVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type ConnectionStringQuery = { __typename?: 'Query', instance?: { __typename?: 'Instance', connectionString?: string | null } | null };

export type CreateInstanceMutationVariables = Exact<{
  input: CreateInstanceInput;
}>;


export type CreateInstanceMutation = { __typename?: 'Mutation', createInstance: { __typename?: 'CreateInstancePayload', instance?: { __typename?: 'Instance', id: string } | null, userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type InstancesSubscriptionVariables = Exact<{
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type InstancesSubscription = { __typename?: 'Subscription', instances: { __typename?: 'InstanceChange', type: InstanceChangeType, cursor: string, instanceId?: string | null, instance?: { __typename?: 'Instance', id: string, name: string, state: InstanceState, health: HealthStatus, postgresVersion: string, storageGb: number, cpuMillis: number, memoryMb: number, createdAt: string, reason?: { __typename?: 'Reason', code: ReasonCode, message: string } | null, labels: Array<{ __typename?: 'Label', key: string, value: string }>, endpoint?: { __typename?: 'Endpoint', host: string, port: number } | null } | null } };

export type InstanceRowFragment = { __typename?: 'Instance', id: string, name: string, state: InstanceState, health: HealthStatus, postgresVersion: string, storageGb: number, cpuMillis: number, memoryMb: number, createdAt: string, reason?: { __typename?: 'Reason', code: ReasonCode, message: string } | null, labels: Array<{ __typename?: 'Label', key: string, value: string }>, endpoint?: { __typename?: 'Endpoint', host: string, port: number } | null };

export type InstanceSubscriptionVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type InstanceSubscription = { __typename?: 'Subscription', instance: { __typename?: 'Instance', id: string, name: string, state: InstanceState, health: HealthStatus, postgresVersion: string, storageGb: number, cpuMillis: number, memoryMb: number, username: string, database: string, deletionProtected: boolean, availableOperations: Array<OperationKind>, createdAt: string, deletedAt?: string | null, reason?: { __typename?: 'Reason', code: ReasonCode, message: string } | null, exposure: { __typename?: 'Exposure', type: ExposureType, sourceRanges: Array<string>, dnsLabel?: string | null }, endpoint?: { __typename?: 'Endpoint', host: string, port: number } | null, labels: Array<{ __typename?: 'Label', key: string, value: string }>, operations: { __typename?: 'OperationConnection', nodes: Array<{ __typename?: 'Operation', id: string }> } } };

export type InstancePageFragment = { __typename?: 'Instance', id: string, name: string, state: InstanceState, health: HealthStatus, postgresVersion: string, storageGb: number, cpuMillis: number, memoryMb: number, username: string, database: string, deletionProtected: boolean, availableOperations: Array<OperationKind>, createdAt: string, deletedAt?: string | null, reason?: { __typename?: 'Reason', code: ReasonCode, message: string } | null, exposure: { __typename?: 'Exposure', type: ExposureType, sourceRanges: Array<string>, dnsLabel?: string | null }, endpoint?: { __typename?: 'Endpoint', host: string, port: number } | null, labels: Array<{ __typename?: 'Label', key: string, value: string }>, operations: { __typename?: 'OperationConnection', nodes: Array<{ __typename?: 'Operation', id: string }> } };

export type UpdateInstanceMutationVariables = Exact<{
  input: UpdateInstanceInput;
}>;


export type UpdateInstanceMutation = { __typename?: 'Mutation', updateInstance: { __typename?: 'UpdateInstancePayload', userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type CancelOperationMutationVariables = Exact<{
  input: CancelOperationInput;
}>;


export type CancelOperationMutation = { __typename?: 'Mutation', cancelOperation: { __typename?: 'CancelOperationPayload', userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type RetryOperationMutationVariables = Exact<{
  input: RetryOperationInput;
}>;


export type RetryOperationMutation = { __typename?: 'Mutation', retryOperation: { __typename?: 'RetryOperationPayload', userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type DeleteInstanceMutationVariables = Exact<{
  input: DeleteInstanceInput;
}>;


export type DeleteInstanceMutation = { __typename?: 'Mutation', deleteInstance: { __typename?: 'DeleteInstancePayload', userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type RestartInstanceMutationVariables = Exact<{
  input: RestartInstanceInput;
}>;


export type RestartInstanceMutation = { __typename?: 'Mutation', restartInstance: { __typename?: 'RestartInstancePayload', userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type OperationSubscriptionVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type OperationSubscription = { __typename?: 'Subscription', operation: { __typename?: 'Operation', id: string, kind: OperationKind, status: OperationStatus, cancelRequested: boolean, canCancel: boolean, canRetry: boolean, createdAt: string, startedAt?: string | null, finishedAt?: string | null, error?: { __typename?: 'Reason', code: ReasonCode, message: string } | null, instance: { __typename?: 'Instance', id: string, name: string }, steps: Array<{ __typename?: 'OperationStep', name: StepName, status: StepStatus, attempt: number, startedAt?: string | null, finishedAt?: string | null, error?: { __typename?: 'Reason', code: ReasonCode, message: string } | null }> } };

export type OperationsQueryVariables = Exact<{
  first: Scalars['Int']['input'];
  after?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<OperationFilter>;
}>;


export type OperationsQuery = { __typename?: 'Query', operations: { __typename?: 'OperationConnection', totalCount: number, pageInfo: { __typename?: 'PageInfo', endCursor?: string | null, hasNextPage: boolean }, nodes: Array<{ __typename?: 'Operation', id: string, kind: OperationKind, status: OperationStatus, cancelRequested: boolean, canCancel: boolean, canRetry: boolean, createdAt: string, startedAt?: string | null, finishedAt?: string | null, error?: { __typename?: 'Reason', code: ReasonCode, message: string } | null, instance: { __typename?: 'Instance', id: string, name: string }, steps: Array<{ __typename?: 'OperationStep', name: StepName, status: StepStatus, attempt: number, startedAt?: string | null, finishedAt?: string | null, error?: { __typename?: 'Reason', code: ReasonCode, message: string } | null }> }> } };

export type OperationCardFragment = { __typename?: 'Operation', id: string, kind: OperationKind, status: OperationStatus, cancelRequested: boolean, canCancel: boolean, canRetry: boolean, createdAt: string, startedAt?: string | null, finishedAt?: string | null, error?: { __typename?: 'Reason', code: ReasonCode, message: string } | null, instance: { __typename?: 'Instance', id: string, name: string }, steps: Array<{ __typename?: 'OperationStep', name: StepName, status: StepStatus, attempt: number, startedAt?: string | null, finishedAt?: string | null, error?: { __typename?: 'Reason', code: ReasonCode, message: string } | null }> };

export type OperationUpdatesSubscriptionVariables = Exact<{
  instanceId?: InputMaybe<Scalars['ID']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type OperationUpdatesSubscription = { __typename?: 'Subscription', instanceEvents: { __typename?: 'InstanceEvent', cursor: string, operation?: { __typename?: 'Operation', id: string, kind: OperationKind, status: OperationStatus, cancelRequested: boolean, canCancel: boolean, canRetry: boolean, createdAt: string, startedAt?: string | null, finishedAt?: string | null, error?: { __typename?: 'Reason', code: ReasonCode, message: string } | null, instance: { __typename?: 'Instance', id: string, name: string }, steps: Array<{ __typename?: 'OperationStep', name: StepName, status: StepStatus, attempt: number, startedAt?: string | null, finishedAt?: string | null, error?: { __typename?: 'Reason', code: ReasonCode, message: string } | null }> } | null } };

export type CreateTokenMutationVariables = Exact<{
  input: CreateApiTokenInput;
}>;


export type CreateTokenMutation = { __typename?: 'Mutation', createApiToken: { __typename?: 'CreateApiTokenPayload', secret?: string | null, userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type TokensQueryVariables = Exact<{
  first: Scalars['Int']['input'];
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type TokensQuery = { __typename?: 'Query', apiTokens: { __typename?: 'ApiTokenConnection', pageInfo: { __typename?: 'PageInfo', endCursor?: string | null, hasNextPage: boolean }, nodes: Array<{ __typename?: 'ApiToken', id: string, name: string, role: TokenRole, createdAt: string, expiresAt?: string | null, revokedAt?: string | null, lastUsedAt?: string | null }> } };

export type TokenRowFragment = { __typename?: 'ApiToken', id: string, name: string, role: TokenRole, createdAt: string, expiresAt?: string | null, revokedAt?: string | null, lastUsedAt?: string | null };

export type RevokeTokenMutationVariables = Exact<{
  input: RevokeApiTokenInput;
}>;


export type RevokeTokenMutation = { __typename?: 'Mutation', revokeApiToken: { __typename?: 'RevokeApiTokenPayload', userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const RangeFragmentDoc = new TypedDocumentString(`
    fragment Range on IntRange {
  min
  max
  default
}
    `, {"fragmentName":"Range"}) as unknown as TypedDocumentString<RangeFragment, unknown>;
export const EventLineFragmentDoc = new TypedDocumentString(`
    fragment EventLine on InstanceEvent {
  cursor
  type
  at
  from
  to
  reason {
    code
    message
  }
  operation {
    id
    kind
  }
}
    `, {"fragmentName":"EventLine"}) as unknown as TypedDocumentString<EventLineFragment, unknown>;
export const SampleFragmentDoc = new TypedDocumentString(`
    fragment Sample on HealthCheck {
  cursor
  at
  status
  latencyMs
  error {
    code
    message
  }
}
    `, {"fragmentName":"Sample"}) as unknown as TypedDocumentString<SampleFragment, unknown>;
export const InstanceRowFragmentDoc = new TypedDocumentString(`
    fragment InstanceRow on Instance {
  id
  name
  state
  health
  reason {
    code
    message
  }
  postgresVersion
  storageGb
  cpuMillis
  memoryMb
  labels {
    key
    value
  }
  endpoint {
    host
    port
  }
  createdAt
}
    `, {"fragmentName":"InstanceRow"}) as unknown as TypedDocumentString<InstanceRowFragment, unknown>;
export const InstancePageFragmentDoc = new TypedDocumentString(`
    fragment InstancePage on Instance {
  id
  name
  state
  health
  reason {
    code
    message
  }
  postgresVersion
  storageGb
  cpuMillis
  memoryMb
  username
  database
  exposure {
    type
    sourceRanges
    dnsLabel
  }
  endpoint {
    host
    port
  }
  labels {
    key
    value
  }
  deletionProtected
  availableOperations
  createdAt
  deletedAt
  operations(first: 1) {
    nodes {
      id
    }
  }
}
    `, {"fragmentName":"InstancePage"}) as unknown as TypedDocumentString<InstancePageFragment, unknown>;
export const OperationCardFragmentDoc = new TypedDocumentString(`
    fragment OperationCard on Operation {
  id
  kind
  status
  cancelRequested
  canCancel
  canRetry
  createdAt
  startedAt
  finishedAt
  error {
    code
    message
  }
  instance {
    id
    name
  }
  steps {
    name
    status
    attempt
    startedAt
    finishedAt
    error {
      code
      message
    }
  }
}
    `, {"fragmentName":"OperationCard"}) as unknown as TypedDocumentString<OperationCardFragment, unknown>;
export const TokenRowFragmentDoc = new TypedDocumentString(`
    fragment TokenRow on ApiToken {
  id
  name
  role
  createdAt
  expiresAt
  revokedAt
  lastUsedAt
}
    `, {"fragmentName":"TokenRow"}) as unknown as TypedDocumentString<TokenRowFragment, unknown>;
export const ControlPlaneDocument = new TypedDocumentString(`
    query ControlPlane {
  controlPlane {
    version
    runtime
    postgresVersions
    caller {
      role
      tokenName
    }
    limits {
      storageGb {
        ...Range
      }
      cpuMillis {
        ...Range
      }
      memoryMb {
        ...Range
      }
      healthCheckIntervalSeconds {
        ...Range
      }
      healthCheckTimeoutSeconds {
        ...Range
      }
      restartTimeoutSeconds {
        ...Range
      }
      nameLength {
        ...Range
      }
      passwordBytes {
        ...Range
      }
      labels {
        ...Range
      }
      labelKeyLength {
        ...Range
      }
      labelValueLength {
        ...Range
      }
      tokenNameLength {
        ...Range
      }
      tokenExpiresInDays {
        ...Range
      }
    }
  }
}
    fragment Range on IntRange {
  min
  max
  default
}`) as unknown as TypedDocumentString<ControlPlaneQuery, ControlPlaneQueryVariables>;
export const EventHistoryDocument = new TypedDocumentString(`
    query EventHistory($instanceId: ID!, $last: Int!) {
  instance(id: $instanceId) {
    events(last: $last) {
      nodes {
        ...EventLine
      }
    }
  }
}
    fragment EventLine on InstanceEvent {
  cursor
  type
  at
  from
  to
  reason {
    code
    message
  }
  operation {
    id
    kind
  }
}`) as unknown as TypedDocumentString<EventHistoryQuery, EventHistoryQueryVariables>;
export const EventsDocument = new TypedDocumentString(`
    subscription Events($instanceId: ID!, $after: String) {
  instanceEvents(instanceId: $instanceId, after: $after) {
    ...EventLine
  }
}
    fragment EventLine on InstanceEvent {
  cursor
  type
  at
  from
  to
  reason {
    code
    message
  }
  operation {
    id
    kind
  }
}`) as unknown as TypedDocumentString<EventsSubscription, EventsSubscriptionVariables>;
export const HealthHistoryDocument = new TypedDocumentString(`
    query HealthHistory($instanceId: ID!, $first: Int!) {
  instance(id: $instanceId) {
    healthChecks(first: $first) {
      nodes {
        ...Sample
      }
    }
  }
}
    fragment Sample on HealthCheck {
  cursor
  at
  status
  latencyMs
  error {
    code
    message
  }
}`) as unknown as TypedDocumentString<HealthHistoryQuery, HealthHistoryQueryVariables>;
export const HealthChecksDocument = new TypedDocumentString(`
    subscription HealthChecks($instanceId: ID!, $after: String) {
  healthChecks(instanceId: $instanceId, after: $after) {
    ...Sample
  }
}
    fragment Sample on HealthCheck {
  cursor
  at
  status
  latencyMs
  error {
    code
    message
  }
}`) as unknown as TypedDocumentString<HealthChecksSubscription, HealthChecksSubscriptionVariables>;
export const ConnectionStringDocument = new TypedDocumentString(`
    query ConnectionString($id: ID!) {
  instance(id: $id) {
    connectionString
  }
}
    `) as unknown as TypedDocumentString<ConnectionStringQuery, ConnectionStringQueryVariables>;
export const CreateInstanceDocument = new TypedDocumentString(`
    mutation CreateInstance($input: CreateInstanceInput!) {
  createInstance(input: $input) {
    instance {
      id
    }
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<CreateInstanceMutation, CreateInstanceMutationVariables>;
export const InstancesDocument = new TypedDocumentString(`
    subscription Instances($after: String) {
  instances(after: $after) {
    type
    cursor
    instanceId
    instance {
      ...InstanceRow
    }
  }
}
    fragment InstanceRow on Instance {
  id
  name
  state
  health
  reason {
    code
    message
  }
  postgresVersion
  storageGb
  cpuMillis
  memoryMb
  labels {
    key
    value
  }
  endpoint {
    host
    port
  }
  createdAt
}`) as unknown as TypedDocumentString<InstancesSubscription, InstancesSubscriptionVariables>;
export const InstanceDocument = new TypedDocumentString(`
    subscription Instance($id: ID!) {
  instance(id: $id) {
    ...InstancePage
  }
}
    fragment InstancePage on Instance {
  id
  name
  state
  health
  reason {
    code
    message
  }
  postgresVersion
  storageGb
  cpuMillis
  memoryMb
  username
  database
  exposure {
    type
    sourceRanges
    dnsLabel
  }
  endpoint {
    host
    port
  }
  labels {
    key
    value
  }
  deletionProtected
  availableOperations
  createdAt
  deletedAt
  operations(first: 1) {
    nodes {
      id
    }
  }
}`) as unknown as TypedDocumentString<InstanceSubscription, InstanceSubscriptionVariables>;
export const UpdateInstanceDocument = new TypedDocumentString(`
    mutation UpdateInstance($input: UpdateInstanceInput!) {
  updateInstance(input: $input) {
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<UpdateInstanceMutation, UpdateInstanceMutationVariables>;
export const CancelOperationDocument = new TypedDocumentString(`
    mutation CancelOperation($input: CancelOperationInput!) {
  cancelOperation(input: $input) {
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<CancelOperationMutation, CancelOperationMutationVariables>;
export const RetryOperationDocument = new TypedDocumentString(`
    mutation RetryOperation($input: RetryOperationInput!) {
  retryOperation(input: $input) {
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RetryOperationMutation, RetryOperationMutationVariables>;
export const DeleteInstanceDocument = new TypedDocumentString(`
    mutation DeleteInstance($input: DeleteInstanceInput!) {
  deleteInstance(input: $input) {
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<DeleteInstanceMutation, DeleteInstanceMutationVariables>;
export const RestartInstanceDocument = new TypedDocumentString(`
    mutation RestartInstance($input: RestartInstanceInput!) {
  restartInstance(input: $input) {
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RestartInstanceMutation, RestartInstanceMutationVariables>;
export const OperationDocument = new TypedDocumentString(`
    subscription Operation($id: ID!) {
  operation(id: $id) {
    ...OperationCard
  }
}
    fragment OperationCard on Operation {
  id
  kind
  status
  cancelRequested
  canCancel
  canRetry
  createdAt
  startedAt
  finishedAt
  error {
    code
    message
  }
  instance {
    id
    name
  }
  steps {
    name
    status
    attempt
    startedAt
    finishedAt
    error {
      code
      message
    }
  }
}`) as unknown as TypedDocumentString<OperationSubscription, OperationSubscriptionVariables>;
export const OperationsDocument = new TypedDocumentString(`
    query Operations($first: Int!, $after: String, $filter: OperationFilter) {
  operations(first: $first, after: $after, filter: $filter) {
    totalCount
    pageInfo {
      endCursor
      hasNextPage
    }
    nodes {
      ...OperationCard
    }
  }
}
    fragment OperationCard on Operation {
  id
  kind
  status
  cancelRequested
  canCancel
  canRetry
  createdAt
  startedAt
  finishedAt
  error {
    code
    message
  }
  instance {
    id
    name
  }
  steps {
    name
    status
    attempt
    startedAt
    finishedAt
    error {
      code
      message
    }
  }
}`) as unknown as TypedDocumentString<OperationsQuery, OperationsQueryVariables>;
export const OperationUpdatesDocument = new TypedDocumentString(`
    subscription OperationUpdates($instanceId: ID, $after: String) {
  instanceEvents(instanceId: $instanceId, after: $after) {
    cursor
    operation {
      ...OperationCard
    }
  }
}
    fragment OperationCard on Operation {
  id
  kind
  status
  cancelRequested
  canCancel
  canRetry
  createdAt
  startedAt
  finishedAt
  error {
    code
    message
  }
  instance {
    id
    name
  }
  steps {
    name
    status
    attempt
    startedAt
    finishedAt
    error {
      code
      message
    }
  }
}`) as unknown as TypedDocumentString<OperationUpdatesSubscription, OperationUpdatesSubscriptionVariables>;
export const CreateTokenDocument = new TypedDocumentString(`
    mutation CreateToken($input: CreateApiTokenInput!) {
  createApiToken(input: $input) {
    secret
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<CreateTokenMutation, CreateTokenMutationVariables>;
export const TokensDocument = new TypedDocumentString(`
    query Tokens($first: Int!, $after: String) {
  apiTokens(first: $first, after: $after) {
    pageInfo {
      endCursor
      hasNextPage
    }
    nodes {
      ...TokenRow
    }
  }
}
    fragment TokenRow on ApiToken {
  id
  name
  role
  createdAt
  expiresAt
  revokedAt
  lastUsedAt
}`) as unknown as TypedDocumentString<TokensQuery, TokensQueryVariables>;
export const RevokeTokenDocument = new TypedDocumentString(`
    mutation RevokeToken($input: RevokeApiTokenInput!) {
  revokeApiToken(input: $input) {
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RevokeTokenMutation, RevokeTokenMutationVariables>;