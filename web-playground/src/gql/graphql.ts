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

/** A token that gives its bearer access to the API. Its secret is only in the payload of `createApiToken`. */
export type ApiToken = Node & {
  __typename?: 'ApiToken';
  /** When the token was created. */
  createdAt: Scalars['DateTime']['output'];
  /** When the token expires. Null if it does not. */
  expiresAt?: Maybe<Scalars['DateTime']['output']>;
  /** The ID of the token. */
  id: Scalars['ID']['output'];
  /** When the token was last used, to the minute. */
  lastUsedAt?: Maybe<Scalars['DateTime']['output']>;
  /** What the token is for. */
  name: Scalars['String']['output'];
  /** When the token was revoked. */
  revokedAt?: Maybe<Scalars['DateTime']['output']>;
  /** What the bearer may do. */
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

/** What `upgradeInstance` would change of a server without another major version. */
export type AvailableUpdate = {
  __typename?: 'AvailableUpdate';
  /** The minor version of PostgreSQL that the server was started with, on Kubernetes its image. */
  from: Scalars['String']['output'];
  /** The one that it would be started with. */
  to: Scalars['String']['output'];
};

/** A base backup of an instance: a copy of all its files, from which every later point is restored with the WAL. */
export type Backup = Node & {
  __typename?: 'Backup';
  /** The number of times that the backup was begun. */
  attempt: Scalars['Int']['output'];
  /** The bytes of the cluster that are in the backup, so far. */
  bytes: Scalars['BigInt']['output'];
  /** When the backup was requested. */
  createdAt: Scalars['DateTime']['output'];
  /** The position in the WAL at which the backup is consistent: the first that can be restored from it. */
  endLsn?: Maybe<Scalars['String']['output']>;
  /** Why the backup failed, or why the attempt before failed. */
  error?: Maybe<Reason>;
  /**
   * When the backup is deleted at the earliest. Null while it is locked or not complete. The newest one that can be restored is kept
   * beyond.
   */
  expiresAt?: Maybe<Scalars['DateTime']['output']>;
  /** By the clock of the server, the first time that can be restored from the backup. */
  finishedAt?: Maybe<Scalars['DateTime']['output']>;
  /** The ID of the backup. */
  id: Scalars['ID']['output'];
  /** The instance. */
  instance: Instance;
  /** Until when the backup is kept at least, whatever the retention of its instance. */
  keepUntil?: Maybe<Scalars['DateTime']['output']>;
  /** Why the backup is kept now, also when `expiresAt` has passed. Null while it is not complete, and once nothing needs it: it is deleted soon. */
  keptFor?: Maybe<BackupKeptFor>;
  /** Whether the backup is kept until it is unlocked. */
  locked: Scalars['Boolean']['output'];
  /** The operation that asked for the backup. Null if it was due. */
  operation?: Maybe<Operation>;
  /** The directory of the backup in the store. Null before it has begun. */
  path?: Maybe<Scalars['String']['output']>;
  /** The version of the server, such as `150018`. */
  serverVersion?: Maybe<Scalars['Int']['output']>;
  /** The position in the WAL from which it is needed to restore the backup. */
  startLsn?: Maybe<Scalars['String']['output']>;
  /** When the latest attempt began. */
  startedAt?: Maybe<Scalars['DateTime']['output']>;
  /** The stage of the backup. */
  status: BackupStatus;
  /** The bytes that the backup takes in the store, compressed. Null before it is complete. */
  storedBytes?: Maybe<Scalars['BigInt']['output']>;
  /** The timeline of the WAL that the backup needs. */
  timeline?: Maybe<Scalars['BigInt']['output']>;
  /** About how many bytes it will be. Null before that is known. */
  totalBytes?: Maybe<Scalars['BigInt']['output']>;
  /** Why the backup was taken. */
  trigger: BackupTrigger;
  /** Whether the backup was restored to see that it can be. */
  verification: BackupVerification;
};

/** A page of the base backups of an instance. */
export type BackupConnection = {
  __typename?: 'BackupConnection';
  /** A list of edges. */
  edges: Array<BackupEdge>;
  /** A list of nodes. */
  nodes: Array<Backup>;
  /** Information to aid in pagination. */
  pageInfo: PageInfo;
};

/** What the store of backups survives. */
export const BackupDurability = {
  /** The loss of the machine: the store is another system. */
  ObjectStore: 'OBJECT_STORE',
  /** Nothing that the machine of the control plane does not survive: the store is a directory. */
  SameMachine: 'SAME_MACHINE'
} as const;

export type BackupDurability = typeof BackupDurability[keyof typeof BackupDurability];
/** An edge in a connection. */
export type BackupEdge = {
  __typename?: 'BackupEdge';
  /** A cursor for use in pagination */
  cursor: Scalars['String']['output'];
  /** The item at the end of the edge */
  node: Backup;
};

/** Why a base backup is kept. */
export const BackupKeptFor = {
  /** It is older than the retention, and somebody has asked to keep it until its `keepUntil`. */
  KeepUntil: 'KEEP_UNTIL',
  /** It is locked: until it is unlocked. */
  Locked: 'LOCKED',
  /** It is older than the retention, and the newest of its archive: the latest points are restored from it. */
  Newest: 'NEWEST',
  /** It is older than the retention, and the first points within the retention are restored from it: the next backup is too new for them. */
  RestorePoints: 'RESTORE_POINTS',
  /** It is not older than the retention of its instance. */
  Retention: 'RETENTION'
} as const;

export type BackupKeptFor = typeof BackupKeptFor[keyof typeof BackupKeptFor];
/** How an instance is backed up, and whether that protects it. */
export type BackupPolicy = {
  __typename?: 'BackupPolicy';
  /** What the store survives. Null if there is no store. */
  durability?: Maybe<BackupDurability>;
  /** Whether the instance is backed up, if there is a store. */
  enabled: Scalars['Boolean']['output'];
  /** The hours from one base backup to the next. In between, every commit is archived within seconds. */
  intervalHours: Scalars['Int']['output'];
  /** Whether the instance is protected by backups. */
  protection: BackupProtection;
  /** Why what the instance commits is not archived at the moment. */
  reason?: Maybe<Reason>;
  /** The days for which every point in time stays restorable. From the deletion of the instance, its backups are kept for as long. */
  retentionDays: Scalars['Int']['output'];
  /** Where backups go. Null if there is no store. */
  store?: Maybe<Scalars['String']['output']>;
};

/** What is chosen for the backups of an instance. */
export type BackupPolicyInput = {
  /** Whether the instance is backed up (default: a setting of the server). */
  enabled?: InputMaybe<Scalars['Boolean']['input']>;
  /** The hours from one base backup to the next (default: `controlPlane.limits`). */
  intervalHours?: InputMaybe<Scalars['Int']['input']>;
  /** The days for which every point in time stays restorable (default: `controlPlane.limits`). */
  retentionDays?: InputMaybe<Scalars['Int']['input']>;
};

/** Whether an instance is protected by backups. */
export const BackupProtection = {
  /** What it commits is not archived at the moment; the reason says why. */
  Failing: 'FAILING',
  /** The control plane has no store for backups. */
  NotConfigured: 'NOT_CONFIGURED',
  /** Backups of it are turned off. */
  Off: 'OFF',
  /** It can be restored, and what it commits is archived. */
  Protected: 'PROTECTED',
  /** Its first base backup is not complete yet. */
  Starting: 'STARTING',
  /** Its server does not run, so nothing is committed. */
  Stopped: 'STOPPED',
  /** It was created by an earlier release, and has no role for replication. */
  Unsupported: 'UNSUPPORTED'
} as const;

export type BackupProtection = typeof BackupProtection[keyof typeof BackupProtection];
/** The stage of a base backup. */
export const BackupStatus = {
  /** It can be restored. */
  Available: 'AVAILABLE',
  /** Being removed from the store. */
  Deleting: 'DELETING',
  /** It did not succeed. */
  Failed: 'FAILED',
  /** Requested, and not begun. */
  Pending: 'PENDING',
  /** In progress. */
  Running: 'RUNNING'
} as const;

export type BackupStatus = typeof BackupStatus[keyof typeof BackupStatus];
/** Why a base backup was taken. */
export const BackupTrigger = {
  /** Somebody asked for it. */
  Request: 'REQUEST',
  /** It was due, or the first one, or the first after a gap. */
  Schedule: 'SCHEDULE'
} as const;

export type BackupTrigger = typeof BackupTrigger[keyof typeof BackupTrigger];
/** What came of the verification of a base backup: it is restored to a place of its own, and everything in it is read. */
export type BackupVerification = {
  __typename?: 'BackupVerification';
  /** When the verification ended. */
  endedAt?: Maybe<Scalars['DateTime']['output']>;
  /** Why the verification failed or is skipped, or why the last attempt did not succeed. */
  reason?: Maybe<Reason>;
  /** The seconds that the restoration has taken, without the reading. */
  restoreSeconds?: Maybe<Scalars['Float']['output']>;
  /** The stage of the verification. */
  status: BackupVerificationStatus;
};

/** Whether a base backup was restored to see that it can be. */
export const BackupVerificationStatus = {
  /** It cannot be restored, or the data in it is damaged. */
  Failed: 'FAILED',
  /** It will be. */
  Pending: 'PENDING',
  /** In progress. */
  Running: 'RUNNING',
  /** It is not verified. */
  Skipped: 'SKIPPED',
  /** It was restored, and everything in it was read. */
  Verified: 'VERIFIED'
} as const;

export type BackupVerificationStatus = typeof BackupVerificationStatus[keyof typeof BackupVerificationStatus];
/** The certificate of an authority that issues, will issue or has issued the certificates of instances. Clients trust all of them. */
export type CaCertificate = {
  __typename?: 'CaCertificate';
  /** The SHA-256 digest of the certificate, in hexadecimal digits. It identifies the authority. */
  fingerprint: Scalars['String']['output'];
  /** When the authority begins to issue, or began to. Clients should trust it by then. */
  issuesFrom: Scalars['DateTime']['output'];
  /** When the certificate expires. */
  notAfter: Scalars['DateTime']['output'];
  /** When the certificate becomes valid. */
  notBefore: Scalars['DateTime']['output'];
  /** The certificate, in PEM. For an intermediate authority it is followed by those up to the root. */
  pem: Scalars['String']['output'];
  /** Whether the authority issues certificates. */
  status: CaStatus;
};

/** Whether a certificate authority issues certificates. */
export const CaStatus = {
  /** It issues certificates. */
  Issuing: 'ISSUING',
  /** It issues no more, and is published until no running server presents a certificate of it. */
  Retiring: 'RETIRING',
  /**
   * It is published, so that clients can trust it before it issues anything. Only if the key of the one that issues is gone, it
   * issues for new instances.
   */
  Upcoming: 'UPCOMING'
} as const;

export type CaStatus = typeof CaStatus[keyof typeof CaStatus];
/** The caller of the API. */
export type Caller = {
  __typename?: 'Caller';
  /** What the caller may do: the role of its token, or `ADMIN` on a server that requires no token. */
  role: TokenRole;
  /** When the caller's token expires. Null for never, and on a server that requires no token. */
  tokenExpiresAt?: Maybe<Scalars['DateTime']['output']>;
  /** The ID of the caller's token. Null on a server that requires no token. */
  tokenId?: Maybe<Scalars['ID']['output']>;
  /** The name of the caller's token. Null on a server that requires no token. */
  tokenName?: Maybe<Scalars['String']['output']>;
};

/** Input of `cancelOperation`. */
export type CancelOperationInput = {
  /** The ID of the operation. */
  id: Scalars['ID']['input'];
};

/** Payload of `cancelOperation`. */
export type CancelOperationPayload = {
  __typename?: 'CancelOperationPayload';
  /** The instance as it is now. Null if there are user errors. */
  instance?: Maybe<Instance>;
  /** The operation that carries out the request. Null if there are user errors. */
  operation?: Maybe<Operation>;
  /** The errors in the input. Empty if the request was accepted. */
  userErrors: Array<UserError>;
};

/** Input of `cancelQuery`. */
export type CancelQueryInput = {
  /** The ID of the instance. */
  instanceId: Scalars['ID']['input'];
  /** The ID of the session, from `activity`. */
  sessionId: Scalars['ID']['input'];
};

/** Payload of `cancelQuery`. */
export type CancelQueryPayload = {
  __typename?: 'CancelQueryPayload';
  /** The ID of the session. Null if there are user errors. */
  sessionId?: Maybe<Scalars['ID']['output']>;
  /** The errors in the input. Empty if the session was told to cancel its statement. */
  userErrors: Array<UserError>;
};

/** The certificate that an instance presents. */
export type Certificate = {
  __typename?: 'Certificate';
  /** The SHA-256 digest of the certificate, in hexadecimal digits. */
  fingerprint: Scalars['String']['output'];
  /** The names and addresses in the latest certificate of the instance. */
  names: Array<Scalars['String']['output']>;
  /** When the certificate expires. It is renewed long before. */
  notAfter: Scalars['DateTime']['output'];
  /** Whether another certificate was issued, which the instance does not present yet, or it does not follow a changed `requireTls` yet. */
  renewing: Scalars['Boolean']['output'];
};

/** A session of a client. */
export type ClientSession = {
  __typename?: 'ClientSession';
  /** The seconds since then. */
  ageSeconds: Scalars['Float']['output'];
  /** What the client calls itself (`application_name`). */
  applicationName?: Maybe<Scalars['String']['output']>;
  /** The IDs of the processes that hold a lock that it waits for, or wait for it before this session. 0 is a prepared transaction. */
  blockedBy: Array<Scalars['Int']['output']>;
  /** Where the client connects from. Null over a socket of the same machine. */
  clientAddress?: Maybe<Scalars['String']['output']>;
  /** When the session began. */
  connectedAt: Scalars['DateTime']['output'];
  /** The database. */
  database?: Maybe<Scalars['String']['output']>;
  /** The ID of the session, for `cancelQuery` and `terminateSession`. A later session has another one, also if its process has the same ID. */
  id: Scalars['ID']['output'];
  /** The ID of the process that serves it (`pg_backend_pid()`). */
  pid: Scalars['Int']['output'];
  /** What the session does. Null if it is not known. */
  state?: Maybe<SessionState>;
  /** The seconds since its state changed. */
  stateSeconds?: Maybe<Scalars['Float']['output']>;
  /**
   * The statement that it runs, or the last one: up to 2,000 bytes, of which the server keeps 1,024 unless `track_activity_query_size` says
   * otherwise. Secrets that are known by their form are `***`.
   */
  statement?: Maybe<Scalars['String']['output']>;
  /** The seconds since its statement began. */
  statementSeconds?: Maybe<Scalars['Float']['output']>;
  /** The seconds since its transaction began. Null if it is in none. */
  transactionSeconds?: Maybe<Scalars['Float']['output']>;
  /** The role that has logged in. */
  username?: Maybe<Scalars['String']['output']>;
  /** The event that it waits for. */
  waitEvent?: Maybe<Scalars['String']['output']>;
  /** The kind of event that it waits for, such as `Lock`. A session without a statement waits for its client. */
  waitEventType?: Maybe<Scalars['String']['output']>;
};

/** Input of `cloneInstance`. What is omitted is as in the source, whose user, database and version of PostgreSQL the new instance has. */
export type CloneInstanceInput = {
  /** How the instance is backed up. */
  backups?: InputMaybe<BackupPolicyInput>;
  /** The CPU in millicores. */
  cpuMillis?: InputMaybe<Scalars['Int']['input']>;
  /** Whether deletion is refused (default false). */
  deletionProtected?: InputMaybe<Scalars['Boolean']['input']>;
  /** The network access of the instance. The DNS label of the source is not taken over. */
  exposure?: InputMaybe<ExposureInput>;
  /** How the health of the instance is checked. */
  healthCheck?: InputMaybe<HealthCheckInput>;
  /**
   * A unique key for this request. Repeating the request with the same key returns the first answer instead of making
   * another instance.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The minutes without a session of a client after which the instance is suspended; 0 for never. */
  idleSuspendMinutes?: InputMaybe<Scalars['Int']['input']>;
  /** The labels of the instance. */
  labels?: InputMaybe<Array<LabelInput>>;
  /** The memory in MiB. */
  memoryMb?: InputMaybe<Scalars['Int']['input']>;
  /** The name of the new instance: a DNS label, unique among instances that are not deleted. */
  name: Scalars['String']['input'];
  /** Parameters of the server: see `setParameters`. */
  parameters?: InputMaybe<Array<ParameterInput>>;
  /** The password of the user (default: generated). Passwords of the source do not work in the new instance. */
  password?: InputMaybe<Scalars['String']['input']>;
  /** Whether clients without TLS are refused. */
  requireTls?: InputMaybe<Scalars['Boolean']['input']>;
  /** The ID of the instance whose data the new one gets. It runs; with `controlPlane.copiesInstances`, it may also be suspended. */
  sourceId: Scalars['ID']['input'];
  /** When the volume grows by itself; `thresholdPercent: 0` for never. */
  storageAutoGrow?: InputMaybe<StorageAutoGrowInput>;
  /** The size of the volume in GiB, at least that of the source. */
  storageGb?: InputMaybe<Scalars['Int']['input']>;
};

/** Payload of `cloneInstance`. */
export type CloneInstancePayload = {
  __typename?: 'CloneInstancePayload';
  /** The instance as it is now. Null if there are user errors. */
  instance?: Maybe<Instance>;
  /** The operation that carries out the request. Null if there are user errors. */
  operation?: Maybe<Operation>;
  /** The errors in the input. Empty if the request was accepted. */
  userErrors: Array<UserError>;
};

/** The control plane itself. */
export type ControlPlane = {
  __typename?: 'ControlPlane';
  /**
   * The certificate authorities that clients of instances should trust, in the order in which they issue. `/ca.pem` answers all of them
   * as one file.
   */
  caCertificates: Array<CaCertificate>;
  /** The caller of this request. */
  caller: Caller;
  /**
   * Whether `cloneInstance` copies the data of the source, and so needs no backups, and clones a suspended instance too. Otherwise it
   * restores the archive of the source.
   */
  copiesInstances: Scalars['Boolean']['output'];
  /** The health of the control plane. */
  health: ControlPlaneHealth;
  /** The limits of inputs. */
  limits: Limits;
  /**
   * The parameters that the owner of an instance with this major version of PostgreSQL can set, by name. Empty if the version is not on
   * offer.
   */
  parameters: Array<Parameter>;
  /** The PostgreSQL versions on offer, newest first. The newest is the default. */
  postgresVersions: Array<Scalars['String']['output']>;
  /** Where instances run: `process` or `kubernetes`. */
  runtime: Scalars['String']['output'];
  /** The version of the server. */
  version: Scalars['String']['output'];
};


/** The control plane itself. */
export type ControlPlaneParametersArgs = {
  postgresVersion: Scalars['String']['input'];
};

/** The health of the control plane. */
export type ControlPlaneHealth = {
  __typename?: 'ControlPlaneHealth';
  /** Whether the metadata database answers. */
  database: Scalars['Boolean']['output'];
  /** Whether changes reach subscribers at once. */
  liveDelivery: Scalars['Boolean']['output'];
  /** Whether `database`, `liveDelivery` and `workflows` are true, and the server is not about to stop. */
  ready: Scalars['Boolean']['output'];
  /** The host of the instances. The server is ready without it, and operations wait for it. */
  runtime: RuntimeHealth;
  /** Whether this server runs workflows, or is not meant to. */
  workflows: Scalars['Boolean']['output'];
};

/** Input of `createApiToken`. */
export type CreateApiTokenInput = {
  /** The days after which the token expires, 1 to 3650 (default 90). */
  expiresInDays?: InputMaybe<Scalars['Int']['input']>;
  /** What the token is for: 1 to 100 characters. */
  name: Scalars['String']['input'];
  /** Whether the token does not expire. Excludes `expiresInDays`. */
  neverExpires?: Scalars['Boolean']['input'];
  /** What the bearer may do. */
  role: TokenRole;
};

/** Payload of `createApiToken`. */
export type CreateApiTokenPayload = {
  __typename?: 'CreateApiTokenPayload';
  /** The token. Null if there are user errors. */
  apiToken?: Maybe<ApiToken>;
  /** The secret of the token. It is not stored and cannot be read again. */
  secret?: Maybe<Scalars['String']['output']>;
  /** The errors in the input. Empty if the token was created. */
  userErrors: Array<UserError>;
};

/** Input of `createBackup`. */
export type CreateBackupInput = {
  /** A unique key for this request. Repeating the request with the same key returns the first answer. */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The ID of the instance. */
  instanceId: Scalars['ID']['input'];
  /** The revision that the instance must have. Any other is refused. */
  revision?: InputMaybe<Scalars['BigInt']['input']>;
};

/** Payload of `createBackup`. */
export type CreateBackupPayload = {
  __typename?: 'CreateBackupPayload';
  /** The backup as it is now. Null if there are user errors. */
  backup?: Maybe<Backup>;
  /** The instance as it is now. Null if there are user errors. */
  instance?: Maybe<Instance>;
  /** The operation that waits for the backup. Null if there are user errors. */
  operation?: Maybe<Operation>;
  /** The errors in the input. Empty if the request was accepted. */
  userErrors: Array<UserError>;
};

/** Input of `createDatabase`. */
export type CreateDatabaseInput = {
  /** A unique key for this request. Repeating the request with the same key returns the first answer. */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The ID of the instance. */
  instanceId: Scalars['ID']['input'];
  /** The name of the database. */
  name: Scalars['String']['input'];
  /** The user who owns it (default: `username` of the instance). */
  owner?: InputMaybe<Scalars['String']['input']>;
  /** The revision that the instance must have. Any other is refused. */
  revision?: InputMaybe<Scalars['BigInt']['input']>;
};

/** Payload of `createDatabase`. */
export type CreateDatabasePayload = {
  __typename?: 'CreateDatabasePayload';
  /** The instance as it is now. Null if there are user errors. */
  instance?: Maybe<Instance>;
  /** The operation that carries out the request. Null if there are user errors. */
  operation?: Maybe<Operation>;
  /** The errors in the input. Empty if the request was accepted. */
  userErrors: Array<UserError>;
};

/** Input of `createDatabaseUser`. */
export type CreateDatabaseUserInput = {
  /** What the user may do. */
  access: DatabaseAccess;
  /**
   * The database in which the user may do that (default for `READ_WRITE` and `READ_ONLY`: `database` of the instance; for `OWNER`: none, so
   * that the user owns the databases that are created for it).
   */
  database?: InputMaybe<Scalars['String']['input']>;
  /** A unique key for this request. Repeating the request with the same key returns the first answer, without the password. */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The ID of the instance. */
  instanceId: Scalars['ID']['input'];
  /** The name of the user: 1 to 63 lower-case letters, digits or underscores. */
  name: Scalars['String']['input'];
  /** The password: 8 to 99 bytes (default: generated). */
  password?: InputMaybe<Scalars['String']['input']>;
  /** The revision that the instance must have. Any other is refused. */
  revision?: InputMaybe<Scalars['BigInt']['input']>;
};

/** Payload of `createDatabaseUser`. */
export type CreateDatabaseUserPayload = {
  __typename?: 'CreateDatabaseUserPayload';
  /** The instance as it is now. Null if there are user errors. */
  instance?: Maybe<Instance>;
  /** The operation that carries out the request. Null if there are user errors. */
  operation?: Maybe<Operation>;
  /**
   * The password of the user. It is not stored and cannot be read again. Null if there are user errors, or if this repeats an earlier
   * request.
   */
  password?: Maybe<Scalars['String']['output']>;
  /** The errors in the input. Empty if the request was accepted. */
  userErrors: Array<UserError>;
};

/** Input of `createInstance`. */
export type CreateInstanceInput = {
  /** How the instance is backed up. */
  backups?: InputMaybe<BackupPolicyInput>;
  /** The CPU in millicores (default 500). */
  cpuMillis?: InputMaybe<Scalars['Int']['input']>;
  /** The name of the database to create (default: the username). Names that start with `toygres` or `pg_` are reserved. */
  database?: InputMaybe<Scalars['String']['input']>;
  /** Whether deletion is refused (default false). */
  deletionProtected?: InputMaybe<Scalars['Boolean']['input']>;
  /** The network access of the instance (default: clients in the cluster or on the same machine). */
  exposure?: InputMaybe<ExposureInput>;
  /** How the health of the instance is checked. */
  healthCheck?: InputMaybe<HealthCheckInput>;
  /**
   * A unique key for this request. Repeating the request with the same key returns the first answer instead of creating
   * another instance.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /**
   * The minutes without a session of a client after which the instance is suspended (default 0: never). Sessions of the control plane do
   * not count.
   */
  idleSuspendMinutes?: InputMaybe<Scalars['Int']['input']>;
  /** The labels of the instance. */
  labels?: InputMaybe<Array<LabelInput>>;
  /** The weekly time in which updates are applied by themselves, which restarts the instance (default: never). */
  maintenanceWindow?: InputMaybe<MaintenanceWindowInput>;
  /** The memory in MiB (default 512). */
  memoryMb?: InputMaybe<Scalars['Int']['input']>;
  /**
   * The name of the instance: a DNS label, unique among instances that are not deleted. It is part of the address of the
   * instance.
   */
  name: Scalars['String']['input'];
  /** Parameters of the server: see `setParameters`. */
  parameters?: InputMaybe<Array<ParameterInput>>;
  /** The password of that role (default: generated). */
  password?: InputMaybe<Scalars['String']['input']>;
  /** The major version of PostgreSQL (default: the newest on offer). */
  postgresVersion?: InputMaybe<Scalars['String']['input']>;
  /** Whether clients without TLS are refused (default: true with a load balancer, else false). TLS is offered in any case. */
  requireTls?: InputMaybe<Scalars['Boolean']['input']>;
  /** When the volume grows by itself (default: never). */
  storageAutoGrow?: InputMaybe<StorageAutoGrowInput>;
  /** The size of the volume in GiB (default 10). */
  storageGb?: InputMaybe<Scalars['Int']['input']>;
  /**
   * The role that clients log in as (default `app`). It owns the database, may create databases and, from version 16 on, roles, and is no
   * superuser. Names that start with `toygres` or `pg_` are reserved.
   */
  username?: InputMaybe<Scalars['String']['input']>;
};

/** Payload of `createInstance`. */
export type CreateInstancePayload = {
  __typename?: 'CreateInstancePayload';
  /** The instance as it is now. Null if there are user errors. */
  instance?: Maybe<Instance>;
  /** The operation that carries out the request. Null if there are user errors. */
  operation?: Maybe<Operation>;
  /** The errors in the input. Empty if the request was accepted. */
  userErrors: Array<UserError>;
};

/** Input of `createWebhook`. */
export type CreateWebhookInput = {
  /** What the webhook is for: up to 200 characters. */
  description?: InputMaybe<Scalars['String']['input']>;
  /** The kinds of messages to send (default: all). */
  events?: InputMaybe<Array<WebhookEventType>>;
  /** A unique key for this request. Repeating the request with the same key returns the first answer. */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** What signs the messages: `whsec_` and the base64 of 24 to 64 random bytes (default: a generated one). */
  secret?: InputMaybe<Scalars['String']['input']>;
  /**
   * Where messages are sent: an `https://` URL of up to 2048 characters. Loopback, private and other special addresses are refused unless the server
   * is configured to allow them.
   */
  url: Scalars['String']['input'];
};

/** Payload of `createWebhook`. */
export type CreateWebhookPayload = {
  __typename?: 'CreateWebhookPayload';
  /** The secret that signs the messages. It cannot be read again. */
  secret?: Maybe<Scalars['String']['output']>;
  /** The errors in the input. Empty if the webhook was created. */
  userErrors: Array<UserError>;
  /** The webhook. Null if there are user errors. */
  webhook?: Maybe<Webhook>;
};

/** A database of an instance: the one that it was created with, or one that `createDatabase` has made. */
export type Database = Node & {
  __typename?: 'Database';
  /** When the database was created. */
  createdAt: Scalars['DateTime']['output'];
  /** The ID of the database. */
  id: Scalars['ID']['output'];
  /** The name of the database. */
  name: Scalars['String']['output'];
  /** The user who owns it, as far as this API is concerned. */
  owner: Scalars['String']['output'];
};

/** What a user of an instance may do. */
export const DatabaseAccess = {
  /** Everything that the owner of its database may do. Without a database, it owns those that are created for it. */
  Owner: 'OWNER',
  /** Read what is and will be in its database. */
  ReadOnly: 'READ_ONLY',
  /** Read and change the rows of what is and will be in its database. It makes, alters and owns nothing there. */
  ReadWrite: 'READ_WRITE'
} as const;

export type DatabaseAccess = typeof DatabaseAccess[keyof typeof DatabaseAccess];
/** A page of the databases of an instance. */
export type DatabaseConnection = {
  __typename?: 'DatabaseConnection';
  /** A list of edges. */
  edges: Array<DatabaseEdge>;
  /** A list of nodes. */
  nodes: Array<Database>;
  /** Information to aid in pagination. */
  pageInfo: PageInfo;
};

/** An edge in a connection. */
export type DatabaseEdge = {
  __typename?: 'DatabaseEdge';
  /** A cursor for use in pagination */
  cursor: Scalars['String']['output'];
  /** The item at the end of the edge */
  node: Database;
};

/** A user of an instance: the one that it was created with, or one that `createDatabaseUser` has made. */
export type DatabaseUser = Node & {
  __typename?: 'DatabaseUser';
  /** What the user may do. */
  access: DatabaseAccess;
  /** When the user was created. */
  createdAt: Scalars['DateTime']['output'];
  /** The database in which the user may do that. Null if it owns the databases that are created for it. */
  database?: Maybe<Scalars['String']['output']>;
  /** The ID of the user. */
  id: Scalars['ID']['output'];
  /** The name of the role. */
  name: Scalars['String']['output'];
};

/** A page of the users of an instance. */
export type DatabaseUserConnection = {
  __typename?: 'DatabaseUserConnection';
  /** A list of edges. */
  edges: Array<DatabaseUserEdge>;
  /** A list of nodes. */
  nodes: Array<DatabaseUser>;
  /** Information to aid in pagination. */
  pageInfo: PageInfo;
};

/** An edge in a connection. */
export type DatabaseUserEdge = {
  __typename?: 'DatabaseUserEdge';
  /** A cursor for use in pagination */
  cursor: Scalars['String']['output'];
  /** The item at the end of the edge */
  node: DatabaseUser;
};

/** Input of `deleteBackup`. */
export type DeleteBackupInput = {
  /** The ID of the backup. */
  id: Scalars['ID']['input'];
};

/** Payload of `deleteBackup`. */
export type DeleteBackupPayload = {
  __typename?: 'DeleteBackupPayload';
  /** The backup as it is now. Null if there are user errors. */
  backup?: Maybe<Backup>;
  /** The errors in the input. Empty if the request was accepted. */
  userErrors: Array<UserError>;
};

/** Input of `deleteInstance`. */
export type DeleteInstanceInput = {
  /**
   * The days for which the backups of the instance are kept from its deletion on (default: `backupPolicy.retentionDays`). With 0 they are
   * deleted at once, unless one is locked.
   */
  backupRetentionDays?: InputMaybe<Scalars['Int']['input']>;
  /**
   * Whether a base backup is taken before anything is removed (default false), which takes an instance that is backed up. The deletion waits
   * for it: meanwhile it can be cancelled, and another request with `finalBackup: false` has it go on without. Without a final backup too,
   * everything that was committed is archived, if backups are kept.
   */
  finalBackup?: InputMaybe<Scalars['Boolean']['input']>;
  /** The ID of the instance. */
  id: Scalars['ID']['input'];
  /** A unique key for this request. Repeating the request with the same key returns the first answer. */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** Whether to keep the volumes (default false). */
  keepVolumes?: InputMaybe<Scalars['Boolean']['input']>;
  /** The revision that the instance must have. Any other is refused. */
  revision?: InputMaybe<Scalars['BigInt']['input']>;
};

/** Payload of `deleteInstance`. */
export type DeleteInstancePayload = {
  __typename?: 'DeleteInstancePayload';
  /** The instance as it is now. Null if there are user errors. */
  instance?: Maybe<Instance>;
  /** The operation that carries out the request. Null if there are user errors. */
  operation?: Maybe<Operation>;
  /** The errors in the input. Empty if the request was accepted. */
  userErrors: Array<UserError>;
};

/** Input of `deleteWebhook`. */
export type DeleteWebhookInput = {
  /** The ID of the webhook. */
  id: Scalars['ID']['input'];
  /** The revision that the webhook must have. Any other is refused. */
  revision?: InputMaybe<Scalars['BigInt']['input']>;
};

/** Payload of `deleteWebhook`. */
export type DeleteWebhookPayload = {
  __typename?: 'DeleteWebhookPayload';
  /** The ID of the webhook that was deleted. Null if there are user errors. */
  deletedWebhookId?: Maybe<Scalars['ID']['output']>;
  /** The errors in the input. Empty if the webhook was deleted. */
  userErrors: Array<UserError>;
};

/** Input of `dropDatabase`. */
export type DropDatabaseInput = {
  /** Whether sessions in it are ended (default false). Otherwise they refuse it. */
  force?: InputMaybe<Scalars['Boolean']['input']>;
  /** A unique key for this request. Repeating the request with the same key returns the first answer. */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The ID of the instance. */
  instanceId: Scalars['ID']['input'];
  /** The name of the database. */
  name: Scalars['String']['input'];
  /** The revision that the instance must have. Any other is refused. */
  revision?: InputMaybe<Scalars['BigInt']['input']>;
};

/** Payload of `dropDatabase`. */
export type DropDatabasePayload = {
  __typename?: 'DropDatabasePayload';
  /** The instance as it is now. Null if there are user errors. */
  instance?: Maybe<Instance>;
  /** The operation that carries out the request. Null if there are user errors. */
  operation?: Maybe<Operation>;
  /** The errors in the input. Empty if the request was accepted. */
  userErrors: Array<UserError>;
};

/** Input of `dropDatabaseUser`. */
export type DropDatabaseUserInput = {
  /** A unique key for this request. Repeating the request with the same key returns the first answer. */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The ID of the instance. */
  instanceId: Scalars['ID']['input'];
  /** The name of the user. */
  name: Scalars['String']['input'];
  /** The user who gets what it owns (default: `username` of the instance). */
  reassignTo?: InputMaybe<Scalars['String']['input']>;
  /** The revision that the instance must have. Any other is refused. */
  revision?: InputMaybe<Scalars['BigInt']['input']>;
};

/** Payload of `dropDatabaseUser`. */
export type DropDatabaseUserPayload = {
  __typename?: 'DropDatabaseUserPayload';
  /** The instance as it is now. Null if there are user errors. */
  instance?: Maybe<Instance>;
  /** The operation that carries out the request. Null if there are user errors. */
  operation?: Maybe<Operation>;
  /** The errors in the input. Empty if the request was accepted. */
  userErrors: Array<UserError>;
};

/** The address that clients connect to. */
export type Endpoint = {
  __typename?: 'Endpoint';
  /** The host name or IP address. */
  host: Scalars['String']['output'];
  /** The TCP port. */
  port: Scalars['Int']['output'];
};

/** The network access of an instance. */
export type Exposure = {
  __typename?: 'Exposure';
  /** The DNS label of the load balancer's address. */
  dnsLabel?: Maybe<Scalars['String']['output']>;
  /** The IP ranges (CIDR) that may connect to the load balancer. Empty means all. */
  sourceRanges: Array<Scalars['String']['output']>;
  /** The kind of network access. */
  type: ExposureType;
};

/** The network access of an instance. */
export type ExposureInput = {
  /** The DNS label that the cloud gives the load balancer's address. */
  dnsLabel?: InputMaybe<Scalars['String']['input']>;
  /** The IP ranges (CIDR) that may connect to the load balancer (default: all). */
  sourceRanges?: InputMaybe<Array<Scalars['String']['input']>>;
  /** The kind of network access. */
  type: ExposureType;
};

/** The network access of an instance. */
export const ExposureType = {
  /** Clients in the cluster, or with the process runtime on the same machine. */
  Cluster: 'CLUSTER',
  /** Clients anywhere, through a load balancer. */
  LoadBalancer: 'LOAD_BALANCER'
} as const;

export type ExposureType = typeof ExposureType[keyof typeof ExposureType];
/** One check of the health of an instance. */
export type HealthCheck = Node & {
  __typename?: 'HealthCheck';
  /** When the check was made. */
  at: Scalars['DateTime']['output'];
  /** The position among the checks of the instance, to resume from. */
  cursor: Scalars['String']['output'];
  /** Why the check failed. */
  error?: Maybe<Reason>;
  /** The ID of the check. */
  id: Scalars['ID']['output'];
  /** The ID of the instance that was checked. */
  instanceId: Scalars['ID']['output'];
  /** How long the check took, in milliseconds. */
  latencyMs?: Maybe<Scalars['Float']['output']>;
  /**
   * Whether the check logged in, so that `latencyMs` includes a new connection and the authentication. Other checks use a connection that is
   * kept. Null for one that failed, and for those that an earlier release has made.
   */
  loggedIn?: Maybe<Scalars['Boolean']['output']>;
  /** What the check found. A single failure is not yet an outage, so this can differ from the health of the instance. */
  status: HealthStatus;
};

/** A page of the health checks of an instance. */
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
  /** Seconds from one check to the next (default of a new instance: `controlPlane.limits`). */
  intervalSeconds?: InputMaybe<Scalars['Int']['input']>;
  /** Seconds that one check may take (default of a new instance: `controlPlane.limits`). */
  timeoutSeconds?: InputMaybe<Scalars['Int']['input']>;
};

/** How the health of an instance is checked. */
export type HealthCheckPolicy = {
  __typename?: 'HealthCheckPolicy';
  /** Seconds from one check to the next. */
  intervalSeconds: Scalars['Int']['output'];
  /** Seconds that one check may take. */
  timeoutSeconds: Scalars['Int']['output'];
};

/** What health checks found. */
export const HealthStatus = {
  /** The last check logged in and got an answer. */
  Healthy: 'HEALTHY',
  /** It does not answer, and further checks have confirmed that. */
  Unhealthy: 'UNHEALTHY',
  /** Not checked yet, or checks are paused. */
  Unknown: 'UNKNOWN'
} as const;

export type HealthStatus = typeof HealthStatus[keyof typeof HealthStatus];
/** A summary of the health checks of the last 24 hours. */
export type HealthSummary = {
  __typename?: 'HealthSummary';
  /** The number of checks. */
  checks: Scalars['Int']['output'];
  /** When a check last failed. */
  lastFailureAt?: Maybe<Scalars['DateTime']['output']>;
  /** The median latency of the checks that succeeded, in milliseconds. */
  latencyP50Ms?: Maybe<Scalars['Float']['output']>;
  /** The 99th percentile of the latency, in milliseconds. */
  latencyP99Ms?: Maybe<Scalars['Float']['output']>;
  /**
   * The share of the time in which the instance was available, from 0 to 1. A check counts for the time until the next one. A time
   * without checks, such as planned maintenance, counts neither way. Null without checks.
   */
  uptime?: Maybe<Scalars['Float']['output']>;
};

/** Input of `importBackups`. */
export type ImportBackupsInput = {
  /** Whether each instance is restored at once, to its latest point and under its own name. Default: false. */
  restore?: InputMaybe<Scalars['Boolean']['input']>;
};

/** Payload of `importBackups`. */
export type ImportBackupsPayload = {
  __typename?: 'ImportBackupsPayload';
  /** The instances that were imported, now or earlier, and are not restored yet, in the order of their names. They are deleted, and can be restored. */
  instances: Array<Instance>;
  /** The restorations that have begun. */
  operations: Array<Operation>;
  /** Why nothing was imported, or why some of the instances are not imported or not restored. */
  userErrors: Array<UserError>;
};

/** A hosted PostgreSQL server. */
export type Instance = Node & {
  __typename?: 'Instance';
  /**
   * What the sessions of clients do now, asked of the server of the instance, which takes a few seconds at the most. Sessions of the platform
   * (health checks, operations, backups) are left out. Requires the role `OPERATOR`, because statements can contain secrets; those that are
   * known by their form are masked.
   */
  activity: InstanceActivity;
  /** The kinds of operations that would be accepted now. */
  availableOperations: Array<OperationKind>;
  /** How the instance is backed up, and whether that protects it. */
  backupPolicy: BackupPolicy;
  /** The base backups of the instance, newest first. Those of a deleted instance are kept for the days of its policy. */
  backups: BackupConnection;
  /** The certificate that the server presents to clients that use TLS, as far as it was seen. Null before, and if the server has no TLS. */
  certificate?: Maybe<Certificate>;
  /**
   * The URL for clients, including the password. Null until the instance is running. It stays the same while the instance is suspended,
   * when nobody can connect. While there is a notice `PASSWORD_CHANGED`, it is
   * without the password, because the one that is stored does not log in. Requires the role `OPERATOR`.
   */
  connectionString?: Maybe<Scalars['String']['output']>;
  /** The CPU in millicores. */
  cpuMillis: Scalars['Int']['output'];
  /** When the instance was created. */
  createdAt: Scalars['DateTime']['output'];
  /**
   * The operation that the instance is `CREATING`, `UPDATING` or `DELETING` for. Null in any other state: `operations` has those that leave the
   * state as it is.
   */
  currentOperation?: Maybe<Operation>;
  /** The database of that role. */
  database: Scalars['String']['output'];
  /**
   * The users of the instance by name: the one that it was created with, and those that `createDatabaseUser` has made. Roles that were made
   * by SQL are not among them.
   */
  databaseUsers: DatabaseUserConnection;
  /**
   * The databases of the instance by name: the one that it was created with, and those that `createDatabase` has made. Databases that were
   * made by SQL are not among them.
   */
  databases: DatabaseConnection;
  /** When the instance was deleted. */
  deletedAt?: Maybe<Scalars['DateTime']['output']>;
  /** Whether deletion is refused. */
  deletionProtected: Scalars['Boolean']['output'];
  /** The address that clients connect to. Null until the instance is running. */
  endpoint?: Maybe<Endpoint>;
  /** The events of the instance, oldest first. */
  events: InstanceEventConnection;
  /** The network access of the instance. */
  exposure: Exposure;
  /** What health checks found. */
  health: HealthStatus;
  /** The ID of the workflow that checks the health of the instance. */
  healthCheckOrchestrationId?: Maybe<Scalars['String']['output']>;
  /** How the health of the instance is checked. */
  healthCheckPolicy: HealthCheckPolicy;
  /** The health checks of the instance, newest first. */
  healthChecks: HealthCheckConnection;
  /** A summary of the health checks of the last 24 hours. */
  healthSummary: HealthSummary;
  /** The ID of the instance: a UUID, the same in logs and on the objects of the runtime. */
  id: Scalars['ID']['output'];
  /** The minutes without a session of a client after which the instance is suspended. Null if it never is. */
  idleSuspendMinutes?: Maybe<Scalars['Int']['output']>;
  /** The labels of the instance. */
  labels: Array<Label>;
  /** The latest health check. */
  latestHealthCheck?: Maybe<HealthCheck>;
  /**
   * The log of the server, read from its host, oldest entry first: without `after` the newest entries, with `after` those that follow the
   * cursor. The host keeps a limited amount. `instanceLogs` follows it. Requires the role `OPERATOR`, because messages can contain secrets;
   * those that are known by their form are masked.
   */
  logs: LogEntryConnection;
  /** When updates (`updateAvailable`) are applied by themselves. Null if they never are. */
  maintenanceWindow?: Maybe<MaintenanceWindow>;
  /** The memory in MiB. */
  memoryMb: Scalars['Int']['output'];
  /**
   * Metrics of the instance over time, read every 30 seconds with its health checks. They are kept for as long as the health checks; hours are
   * kept for longer, and are what steps of an hour and more are made of. All series together have at most 10,000 points. `instanceMetrics`
   * follows the latest values.
   */
  metrics: Array<MetricSeries>;
  /** The name of the instance, unique among instances that are not deleted. */
  name: Scalars['String']['output'];
  /**
   * What else there is to know about the instance, oldest first. A notice is no outage: state and health stay. Each change is an
   * event.
   */
  notices: Array<Notice>;
  /** The operations of the instance, newest first. */
  operations: OperationConnection;
  /** The parameters of the server that its owner has set, by name. `setParameters` changes them. */
  parameters: Array<InstanceParameter>;
  /** The major version of PostgreSQL. */
  postgresVersion: Scalars['String']['output'];
  /** Why the instance is not as it should be, or what it waits for. */
  reason?: Maybe<Reason>;
  /** What can be restored of the instance. Null if nothing was ever archived. `instanceBackups` follows it. */
  recovery?: Maybe<Recovery>;
  /** Whether clients without TLS are refused. */
  requireTls: Scalars['Boolean']['output'];
  /** A number that grows with every change. A mutation with this revision is refused if the instance has changed since. */
  revision: Scalars['BigInt']['output'];
  /** The stage of the instance's life. */
  state: InstanceState;
  /** When the volume grows by itself. Null if it never does. */
  storageAutoGrow?: Maybe<StorageAutoGrow>;
  /** The size of the volume in GiB. */
  storageGb: Scalars['Int']['output'];
  /**
   * What the instance uses of its volume, measured once a minute, and more often when that may soon be full. Null before the first
   * measurement, and of an instance of an earlier release without roles of the platform. It is an event when it has moved by a hundredth of
   * the capacity.
   */
  storageUsage?: Maybe<StorageUsage>;
  /**
   * The statements that have cost the instance most since its statistics were reset, asked of its server, which takes a few seconds at the
   * most. Those of the platform are left out. Requires the role `OPERATOR`, because statements can contain secrets; those that are known by
   * their form are masked.
   */
  topQueries: TopQueries;
  /**
   * The update that the server does not run yet: a newer minor version that is installed, or another image that is configured. `upgradeInstance` with
   * the version that the instance has applies it. Null if there is none, or none is known yet.
   */
  updateAvailable?: Maybe<AvailableUpdate>;
  /** When the instance last changed. */
  updatedAt: Scalars['DateTime']['output'];
  /**
   * The newer major versions of PostgreSQL that are offered here, newest first. `upgradeInstance` upgrades the instance to one. Empty while it is
   * created or deleted.
   */
  upgradeTargets: Array<UpgradeTarget>;
  /** The role that clients log in as. */
  username: Scalars['String']['output'];
};


/** A hosted PostgreSQL server. */
export type InstanceActivityArgs = {
  first?: InputMaybe<Scalars['Int']['input']>;
};


/** A hosted PostgreSQL server. */
export type InstanceBackupsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** A hosted PostgreSQL server. */
export type InstanceDatabaseUsersArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** A hosted PostgreSQL server. */
export type InstanceDatabasesArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** A hosted PostgreSQL server. */
export type InstanceEventsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** A hosted PostgreSQL server. */
export type InstanceHealthChecksArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** A hosted PostgreSQL server. */
export type InstanceLogsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  contains?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  severity?: InputMaybe<LogSeverity>;
  since?: InputMaybe<Scalars['DateTime']['input']>;
};


/** A hosted PostgreSQL server. */
export type InstanceMetricsArgs = {
  from?: InputMaybe<Scalars['DateTime']['input']>;
  names?: InputMaybe<Array<MetricName>>;
  stepSeconds?: InputMaybe<Scalars['Int']['input']>;
  to?: InputMaybe<Scalars['DateTime']['input']>;
};


/** A hosted PostgreSQL server. */
export type InstanceOperationsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<OperationFilter>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** A hosted PostgreSQL server. */
export type InstanceTopQueriesArgs = {
  first?: InputMaybe<Scalars['Int']['input']>;
  orderBy?: InputMaybe<TopQueryOrder>;
};

/** What the sessions of clients do in an instance, at one moment. */
export type InstanceActivity = {
  __typename?: 'InstanceActivity';
  /** When the sessions were read, by the clock of the server. Null if they could not be read. */
  readAt?: Maybe<Scalars['DateTime']['output']>;
  /** Why the sessions could not be read. Null if they were. */
  reason?: Maybe<Reason>;
  /** The sessions: those that do something first, and of these those whose transaction began first. */
  sessions: Array<ClientSession>;
  /** The number of sessions of clients, with those that were left out. Null if they could not be read. */
  totalSessions?: Maybe<Scalars['Int']['output']>;
};

/** An item of the live list of instances. */
export type InstanceChange = {
  __typename?: 'InstanceChange';
  /** The position to resume from. Within the snapshot it leads back to the start of the snapshot. */
  cursor: Scalars['String']['output'];
  /** The instance as it is now. Null with `SNAPSHOT_COMPLETE`. */
  instance?: Maybe<Instance>;
  /** The ID of the instance. Null with `SNAPSHOT_COMPLETE`. */
  instanceId?: Maybe<Scalars['ID']['output']>;
  /** The kind of the item. */
  type: InstanceChangeType;
};

/** The kind of an item in the live list of instances. */
export const InstanceChangeType = {
  /** An instance was deleted, or no longer matches the filter. */
  Removed: 'REMOVED',
  /** An instance that exists when the subscription starts. */
  Snapshot: 'SNAPSHOT',
  /** The snapshot is complete. */
  SnapshotComplete: 'SNAPSHOT_COMPLETE',
  /** An instance was created or changed, or matches the filter from now on. */
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
  /** The number of entries in the whole list. */
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
  /** When the event was written. */
  at: Scalars['DateTime']['output'];
  /** The position in the log, to resume from. */
  cursor: Scalars['String']['output'];
  /** The value before the change: a state, health or status. */
  from?: Maybe<Scalars['String']['output']>;
  /** The ID of the event. */
  id: Scalars['ID']['output'];
  /** The instance that the event belongs to, as it is now. */
  instance?: Maybe<Instance>;
  /** The ID of the instance that the event belongs to. */
  instanceId: Scalars['ID']['output'];
  /** The notices that came and went with the change. */
  notices: Array<NoticeChange>;
  /** The operation that changed, as it is now. */
  operation?: Maybe<Operation>;
  /** The reason for the change. */
  reason?: Maybe<Reason>;
  /** The value after the change. */
  to?: Maybe<Scalars['String']['output']>;
  /** What changed. */
  type: InstanceEventType;
};

/** A page of the events of an instance. */
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

/** What an event reports. */
export const InstanceEventType = {
  /** The health went `from` -> `to`. */
  HealthChanged: 'HEALTH_CHANGED',
  /** The creation of an instance was accepted. */
  InstanceCreated: 'INSTANCE_CREATED',
  /** Something of the instance that somebody had deleted or edited was put back. */
  InstanceRepaired: 'INSTANCE_REPAIRED',
  /** Another field of the instance changed: labels, protection, endpoint, reason, notices. */
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
/** Selects instances that meet every given condition. */
export type InstanceFilter = {
  /** With one of these health statuses. */
  health?: InputMaybe<Array<HealthStatus>>;
  /** With all of these labels. */
  labels?: InputMaybe<Array<LabelInput>>;
  /** With a name that contains this text. */
  nameContains?: InputMaybe<Scalars['String']['input']>;
  /** In one of these states (default: every state but `DELETED`). */
  state?: InputMaybe<Array<InstanceState>>;
};

/** Entries of a log that have arrived together. */
export type InstanceLogBatch = {
  __typename?: 'InstanceLogBatch';
  /** The position up to which the log was read, to resume after. */
  cursor: Scalars['String']['output'];
  /** The entries, oldest first. May be empty: then the log was read up to `cursor`, and nothing in it was wanted. */
  entries: Array<LogEntry>;
  /** Whether entries are missing in front of these, because the host has dropped them before they were read. */
  gap: Scalars['Boolean']['output'];
};

/** The latest reading of the metrics of an instance. */
export type InstanceMetrics = {
  __typename?: 'InstanceMetrics';
  /** When it was made. */
  at: Scalars['DateTime']['output'];
  /** Its values, in the order that was asked for. */
  values: Array<MetricValue>;
};

/** The order of instances. */
export type InstanceOrder = {
  /** The direction. */
  direction?: OrderDirection;
  /** The field to order by. */
  field: InstanceOrderByField;
};

/** The fields that instances can be ordered by. */
export const InstanceOrderByField = {
  /** By the time of creation. */
  CreatedAt: 'CREATED_AT',
  /** By name. */
  Name: 'NAME'
} as const;

export type InstanceOrderByField = typeof InstanceOrderByField[keyof typeof InstanceOrderByField];
/** A parameter that the owner of an instance has set. */
export type InstanceParameter = {
  __typename?: 'InstanceParameter';
  /** The value that is built into PostgreSQL. The platform may compute another one, for example from the memory. */
  default?: Maybe<Scalars['String']['output']>;
  /** The name. */
  name: Scalars['String']['output'];
  /** Whether another value takes effect at the next restart. */
  pendingRestart: Scalars['Boolean']['output'];
  /** The value after the next restart, if `pendingRestart`. Null is the default. */
  pendingValue?: Maybe<Scalars['String']['output']>;
  /** The value that the server has, as it was set. Null if it is the default. */
  value?: Maybe<Scalars['String']['output']>;
};

/** The stage of an instance's life. */
export const InstanceState = {
  /** Being created; nothing to connect to yet. */
  Creating: 'CREATING',
  /** Deleted; the row is kept as history. */
  Deleted: 'DELETED',
  /** Being deleted. */
  Deleting: 'DELETING',
  /** Its creation failed; the reason says why. Retry the operation, or delete the instance. */
  Failed: 'FAILED',
  /** Created. Whether it answers is its health. */
  Running: 'RUNNING',
  /** Its server is stopped until it is resumed; its data is kept. */
  Suspended: 'SUSPENDED',
  /** Being changed by an operation, during which it may not answer. */
  Updating: 'UPDATING'
} as const;

export type InstanceState = typeof InstanceState[keyof typeof InstanceState];
/** A range of whole numbers, both ends included. */
export type IntRange = {
  __typename?: 'IntRange';
  /** The value of an input that is omitted. Null if it has no fixed default. */
  default?: Maybe<Scalars['Int']['output']>;
  /** The largest value. */
  max: Scalars['Int']['output'];
  /** The smallest value. */
  min: Scalars['Int']['output'];
};

/** A label that a caller put on an instance. */
export type Label = {
  __typename?: 'Label';
  /** The key, unique on the instance. */
  key: Scalars['String']['output'];
  /** The value. */
  value: Scalars['String']['output'];
};

/** A label. */
export type LabelInput = {
  /** 1 to 63 letters, digits or any of `- _ . /`. Unique on the instance. */
  key: Scalars['String']['input'];
  /** Up to 63 of the same characters. */
  value: Scalars['String']['input'];
};

/** The limits of inputs, so that clients need not repeat them. */
export type Limits = {
  __typename?: 'Limits';
  /** The number of sessions in one answer. */
  activitySessions: IntRange;
  /** The hours from one base backup to the next. */
  backupIntervalHours: IntRange;
  /** The days for which every point in time stays restorable. */
  backupRetentionDays: IntRange;
  /** The CPU of an instance in millicores. */
  cpuMillis: IntRange;
  /** The seconds from one health check to the next. */
  healthCheckIntervalSeconds: IntRange;
  /** The seconds that one health check may take. */
  healthCheckTimeoutSeconds: IntRange;
  /** The length of an idempotency key in bytes. */
  idempotencyKeyBytes: IntRange;
  /** The minutes without a session of a client after which an instance is suspended. 0, which turns that off, is accepted too. */
  idleSuspendMinutes: IntRange;
  /** The length of a label's key in characters. */
  labelKeyLength: IntRange;
  /** The length of a label's value in characters. */
  labelValueLength: IntRange;
  /** The number of labels of one instance. */
  labels: IntRange;
  /** The minutes of a maintenance window. 0, which turns it off, is accepted too. */
  maintenanceWindowMinutes: IntRange;
  /** The memory of an instance in MiB. */
  memoryMb: IntRange;
  /** The number of points of one metric in one answer. */
  metricPoints: IntRange;
  /** The seconds of one point of a metric. More than an hour has to be whole hours. */
  metricStepSeconds: IntRange;
  /** The length of an instance name in characters. */
  nameLength: IntRange;
  /** The number of entries in one page of a list. */
  pageSize: IntRange;
  /** The number of parameters in one request. */
  parameters: IntRange;
  /** The length of a password in bytes. */
  passwordBytes: IntRange;
  /** The seconds that a server may take to shut down gracefully before it is stopped immediately. */
  restartTimeoutSeconds: IntRange;
  /** The percent of a volume that are used when it grows by itself. 0, which turns that off, is accepted too. */
  storageAutoGrowPercent: IntRange;
  /** The size of a volume in GiB. */
  storageGb: IntRange;
  /** The seconds that a server may take to shut down gracefully for a suspension before it is stopped immediately. */
  suspendTimeoutSeconds: IntRange;
  /** The days after which an API token expires. */
  tokenExpiresInDays: IntRange;
  /** The length of an API token's name in characters. */
  tokenNameLength: IntRange;
  /** The number of statements with their statistics in one answer. */
  topQueries: IntRange;
  /** The length of a webhook's description in characters. */
  webhookDescriptionLength: IntRange;
  /** The length of a webhook's URL in bytes. */
  webhookUrlLength: IntRange;
  /** The number of webhooks. */
  webhooks: IntRange;
};

/**
 * A message that the server of an instance has logged, with all its lines. Secrets in its texts that are known by their form are `***`. Each text
 * is cut after 64 KiB.
 */
export type LogEntry = {
  __typename?: 'LogEntry';
  /** What the client calls itself (`application_name`). */
  applicationName?: Maybe<Scalars['String']['output']>;
  /** Where it happened, such as in which line of which function. */
  context?: Maybe<Scalars['String']['output']>;
  /**
   * The cursor of the entry. It stays valid for as long as the entry is kept, across restarts of the server, of the instance and of the control
   * plane.
   */
  cursor: Scalars['String']['output'];
  /** The database. */
  database?: Maybe<Scalars['String']['output']>;
  /** More about the message. */
  detail?: Maybe<Scalars['String']['output']>;
  /** What to do about it. */
  hint?: Maybe<Scalars['String']['output']>;
  /** The message. */
  message: Scalars['String']['output'];
  /** The ID of the process that wrote it. */
  pid?: Maybe<Scalars['Int']['output']>;
  /** How severe the entry is. `LOG` if it is a line of another program than PostgreSQL. */
  severity: LogSeverity;
  /** The error code. Null if it is no error. */
  sqlstate?: Maybe<Scalars['String']['output']>;
  /** The statement that caused it. Servers log statements only if they are told to. */
  statement?: Maybe<Scalars['String']['output']>;
  /** When the entry was written. Null if it is a line of another program than PostgreSQL and the host does not know it. */
  time?: Maybe<Scalars['DateTime']['output']>;
  /** The role that has logged in, or tried to. Null if it is not a message of a session. */
  username?: Maybe<Scalars['String']['output']>;
};

/** A page of the log of an instance, the oldest entry first. */
export type LogEntryConnection = {
  __typename?: 'LogEntryConnection';
  /** A list of edges. */
  edges: Array<LogEntryEdge>;
  /** Whether the entry of the cursor `after` is not kept any more, so that entries after it may be missing. */
  gap: Scalars['Boolean']['output'];
  /** A list of nodes. */
  nodes: Array<LogEntry>;
  /** Information to aid in pagination. */
  pageInfo: PageInfo;
  /** Why the log could not be read. Null if it was. */
  reason?: Maybe<Reason>;
};

/** An edge in a connection. */
export type LogEntryEdge = {
  __typename?: 'LogEntryEdge';
  /** A cursor for use in pagination */
  cursor: Scalars['String']['output'];
  /** The item at the end of the edge */
  node: LogEntry;
};

/** How severe an entry of a log is, from the least to the most severe. A filter selects a severity and those after it. */
export const LogSeverity = {
  /** Details for developers. */
  Debug: 'DEBUG',
  /** A statement was aborted. */
  Error: 'ERROR',
  /** A session was aborted, or the server did not start. */
  Fatal: 'FATAL',
  /** What a client has asked for, such as the output of `VACUUM VERBOSE`. */
  Info: 'INFO',
  /** What administrators may want to know, such as a checkpoint or a connection. */
  Log: 'LOG',
  /** A hint for a client. */
  Notice: 'NOTICE',
  /** All sessions were aborted. */
  Panic: 'PANIC',
  /** A likely problem. */
  Warning: 'WARNING'
} as const;

export type LogSeverity = typeof LogSeverity[keyof typeof LogSeverity];
/** The weekly time in which updates are applied by themselves. */
export type MaintenanceWindow = {
  __typename?: 'MaintenanceWindow';
  /** How long it is, in minutes. It may end on the next day. */
  durationMinutes: Scalars['Int']['output'];
  /** The time at which it begins, in UTC, such as `03:00`. */
  startTime: Scalars['String']['output'];
  /** The day on which it begins, in UTC. */
  weekday: Weekday;
};

/** The weekly time in which updates are applied by themselves. */
export type MaintenanceWindowInput = {
  /** How long it is, in minutes (default 60). 0 turns it off, and needs nothing else. */
  durationMinutes?: InputMaybe<Scalars['Int']['input']>;
  /** The time at which it begins, in UTC, such as `03:00`. */
  startTime?: InputMaybe<Scalars['String']['input']>;
  /** The day on which it begins, in UTC. */
  weekday?: InputMaybe<Weekday>;
};

/** A metric of an instance. */
export const MetricName = {
  /** Sessions of clients that run a statement. */
  ActiveConnections: 'ACTIVE_CONNECTIONS',
  /** Sessions of clients that wait for a lock, which are among the active ones. */
  BlockedConnections: 'BLOCKED_CONNECTIONS',
  /** Blocks that were found in the cache of the server (`shared_buffers`). */
  BlocksHit: 'BLOCKS_HIT',
  /** Blocks that were read from files, or from the cache of the operating system. */
  BlocksRead: 'BLOCKS_READ',
  /** The part of the blocks that were found in the cache of the server: 0 to 1. Absent if none were needed. */
  CacheHitRatio: 'CACHE_HIT_RATIO',
  /** Transactions that were committed, in all databases of clients. */
  Commits: 'COMMITS',
  /** Sessions of clients. */
  Connections: 'CONNECTIONS',
  /** The size of all databases, with their temporary files. */
  DatabaseSize: 'DATABASE_SIZE',
  /** Deadlocks, each of which has ended a transaction. */
  Deadlocks: 'DEADLOCKS',
  /** Sessions of clients that wait for the next statement outside of a transaction. */
  IdleConnections: 'IDLE_CONNECTIONS',
  /** Sessions of clients that wait for the next statement within a transaction. */
  IdleInTransactionConnections: 'IDLE_IN_TRANSACTION_CONNECTIONS',
  /** The age of the oldest transaction of a client. */
  LongestTransaction: 'LONGEST_TRANSACTION',
  /** Sessions that clients can have. */
  MaxConnections: 'MAX_CONNECTIONS',
  /**
   * The age, in transactions, of the oldest transaction or multixact that is not frozen. At about 2.1 billion the server takes no more
   * writes.
   */
  OldestUnfrozenAge: 'OLDEST_UNFROZEN_AGE',
  /** Checkpoints that were requested. Most are because the WAL had reached `max_wal_size`. */
  RequestedCheckpoints: 'REQUESTED_CHECKPOINTS',
  /** Transactions that were rolled back. */
  Rollbacks: 'ROLLBACKS',
  /** Rows that scans of tables have read, and entries that scans of indexes have returned. */
  RowsRead: 'ROWS_READ',
  /** Rows that were inserted, updated or deleted. */
  RowsWritten: 'ROWS_WRITTEN',
  /** The WAL that the replication slot that is the furthest behind keeps. */
  SlotWal: 'SLOT_WAL',
  /** Bytes that were written to temporary files, by sorts and joins that are larger than `work_mem`. */
  TemporaryBytes: 'TEMPORARY_BYTES',
  /** Checkpoints that were due after `checkpoint_timeout`. */
  TimedCheckpoints: 'TIMED_CHECKPOINTS',
  /** What is free on the volume. */
  VolumeAvailable: 'VOLUME_AVAILABLE',
  /** What the instance uses of its volume: its databases, its WAL and its temporary files. */
  VolumeUsed: 'VOLUME_USED',
  /** Bytes that were written to the WAL. */
  WalBytes: 'WAL_BYTES'
} as const;

export type MetricName = typeof MetricName[keyof typeof MetricName];
/** The values of a metric in the time of one point. */
export type MetricPoint = {
  __typename?: 'MetricPoint';
  /** When the time begins. Times begin at multiples of the step. */
  at: Scalars['DateTime']['output'];
  /** The largest value. */
  maximum: Scalars['Float']['output'];
  /** The smallest value. */
  minimum: Scalars['Float']['output'];
  /** The average. That of a rate is what was counted, divided by the time. */
  value: Scalars['Float']['output'];
};

/** A metric of an instance over time. */
export type MetricSeries = {
  __typename?: 'MetricSeries';
  /** The metric. */
  name: MetricName;
  /**
   * The points in order. Those without a value are left out: while nobody read the instance, and of rates also across a restart of its server
   * or a reset of its statistics.
   */
  points: Array<MetricPoint>;
  /** The seconds of one point. */
  stepSeconds: Scalars['Int']['output'];
  /** The unit of its values. */
  unit: MetricUnit;
};

/** The unit of a metric. */
export const MetricUnit = {
  /** Bytes. */
  Bytes: 'BYTES',
  /** Bytes per second. */
  BytesPerSecond: 'BYTES_PER_SECOND',
  /** A number of things. */
  Count: 'COUNT',
  /** A number of things per second. */
  PerSecond: 'PER_SECOND',
  /** A part of a whole: 0 to 1. */
  Ratio: 'RATIO',
  /** Seconds. */
  Seconds: 'SECONDS'
} as const;

export type MetricUnit = typeof MetricUnit[keyof typeof MetricUnit];
/** The latest value of a metric. */
export type MetricValue = {
  __typename?: 'MetricValue';
  /** The metric. */
  name: MetricName;
  /** The unit of the value. */
  unit: MetricUnit;
  /** The value; that of a rate is the one since the reading before. Null if there is none. */
  value?: Maybe<Scalars['Float']['output']>;
};

/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type Mutation = {
  __typename?: 'Mutation';
  /** Cancels an operation. What it has done so far is reverted. `Operation.canCancel` tells whether it can be cancelled. */
  cancelOperation: CancelOperationPayload;
  /**
   * Cancels the statement that a session of a client runs. Its transaction fails; the session goes on. It takes effect at once, and is not an
   * operation: there is nothing to follow. Sessions of the platform are refused.
   */
  cancelQuery: CancelQueryPayload;
  /**
   * Creates an instance with the data of another one, as it is now: everything that was committed when the request was accepted. The
   * source stays as it is, and goes on. The operation is of the kind `RESTORE`, and its `restoration.method` says how the data got there.
   * Returns at once; subscribe to the operation to follow it.
   */
  cloneInstance: CloneInstancePayload;
  /** Creates an API token. Its secret is only in this payload. */
  createApiToken: CreateApiTokenPayload;
  /**
   * Takes a base backup of a running instance, besides those that are due. Every later point is restored from the newest one before it, so
   * another one makes restores faster.
   */
  createBackup: CreateBackupPayload;
  /** Creates a database in a running instance. */
  createDatabase: CreateDatabasePayload;
  /**
   * Creates a user in a running instance. Its password is only in this payload, and works when the operation has succeeded. The names of
   * the platform are refused, and more than 40 users.
   */
  createDatabaseUser: CreateDatabaseUserPayload;
  /** Creates an instance. Returns at once; subscribe to the operation or to the instance to follow it. */
  createInstance: CreateInstancePayload;
  /** Creates a webhook, which is sent messages about what happens from now on. Its secret is only in this payload. */
  createWebhook: CreateWebhookPayload;
  /**
   * Deletes a backup, and with it the points that only it can restore. It vanishes from the list once it is gone from the store. The newest
   * backup of an instance that is backed up is refused.
   */
  deleteBackup: DeleteBackupPayload;
  /** Deletes an instance, whatever its state. Returns at once; the name is free again when the instance is deleted. */
  deleteInstance: DeleteInstancePayload;
  /** Deletes a webhook at once. What was not delivered to it is not delivered any more. */
  deleteWebhook: DeleteWebhookPayload;
  /** Drops a database that was made by `createDatabase`, with everything in it. That cannot be undone. */
  dropDatabase: DropDatabasePayload;
  /**
   * Drops a user that was made by `createDatabaseUser`, and ends its sessions. What it owns is reassigned to another user in every
   * database; the step `DROP_DATABASE_USER` says how many objects that were.
   */
  dropDatabaseUser: DropDatabaseUserPayload;
  /**
   * Looks for backups in the store that this control plane does not know, and makes a deleted instance of each archive, which
   * `restoreInstance` restores: after the loss of the metadata database, or of the machine. The newest backup of each is locked.
   */
  importBackups: ImportBackupsPayload;
  /**
   * Compares a running instance with what was deployed, puts back what somebody has deleted or edited, and waits until it is ready.
   * The step `REPAIR_POSTGRES` says what that was. It fails with `DATA_LOST` if the data is gone. The control plane repairs
   * instances also without being asked.
   */
  repairInstance: RepairInstancePayload;
  /**
   * Changes the CPU, the memory and the volume of an instance that is running or suspended. Another CPU or memory may restart its server; a
   * volume grows while it runs. If it fails, the instance is as before, except that a volume that has grown stays so.
   */
  resizeInstance: ResizeInstancePayload;
  /**
   * Stops the server of a running instance and starts it again. Clients lose their connections. Health checks pause while
   * the instance restarts. Parameters that wait for a restart take effect; if the server does not start with them, it gets its former
   * ones again.
   */
  restartInstance: RestartInstancePayload;
  /**
   * Creates an instance with the data of another one, as it was at a point in time. The source stays as it is. Returns at once; subscribe
   * to the operation to follow it.
   */
  restoreInstance: RestoreInstancePayload;
  /** Starts the server of a suspended instance, and waits until clients can connect. After a failure the instance is suspended again. */
  resumeInstance: ResumeInstancePayload;
  /**
   * Repeats an operation that failed or was cancelled, as a new operation with the same parameters. `Operation.canRetry`
   * tells whether it can be repeated.
   */
  retryOperation: RetryOperationPayload;
  /** Revokes an API token at once. Its open connections are closed. */
  revokeApiToken: RevokeApiTokenPayload;
  /**
   * Replaces the authority that issues the certificates of instances. The next one is published first, so that clients can trust it
   * before instances move to it, which interrupts no session; the former one is published until no instance presents a certificate of it.
   */
  rotateCertificateAuthority: RotateCertificateAuthorityPayload;
  /**
   * Gives the role `username` of a running instance another password. `connectionString` has the one that works: the former until the new
   * one is set. If the operation fails, the former is put back. The instance stays running, and open sessions stay open unless they are to
   * be ended. Refused for instances that an earlier release without roles of the platform has created.
   */
  rotatePassword: RotatePasswordPayload;
  /** Gives a webhook another secret at once. For a day, messages are signed with the former secret too, so that the receiver can be given the new one. */
  rotateWebhookSecret: RotateWebhookSecretPayload;
  /**
   * Changes parameters of the server of an instance that is running or suspended. `controlPlane.parameters` lists those that can be set.
   * Each value is checked before anything changes. If the server does not accept the values, or does not start with them, it gets its
   * former ones again and the operation fails with what the server says.
   */
  setParameters: SetParametersPayload;
  /**
   * Stops the server of a running instance and keeps it stopped, until `resumeInstance`. The data and the address stay. Clients lose
   * their connections and nobody can connect. There are no health checks meanwhile, and no outage.
   */
  suspendInstance: SuspendInstancePayload;
  /**
   * Ends a session of a client. Its transaction is rolled back, and its connection is closed. It takes effect at once, and is not an operation:
   * there is nothing to follow. Sessions of the platform are refused.
   */
  terminateSession: TerminateSessionPayload;
  /** Sends a message `webhook.test` to a webhook, enabled or not, and waits up to 15 seconds for the answer. Deliveries are not affected. */
  testWebhook: TestWebhookPayload;
  /**
   * Keeps a backup longer than the retention of its instance, or does so no more, at once. A backup that is kept like this can be restored
   * to its end; whether to later points depends on the retention.
   */
  updateBackup: UpdateBackupPayload;
  /**
   * Changes the name, the network access, whether it requires TLS, its labels, the deletion protection, the health checks, the
   * suspension when idle, the growth of the volume or the backups. Nothing is restarted.
   */
  updateInstance: UpdateInstancePayload;
  /** Changes, enables or disables a webhook at once. */
  updateWebhook: UpdateWebhookPayload;
  /**
   * Upgrades an instance that is running or suspended to a newer major version of PostgreSQL with `pg_upgrade`. Its server is stopped
   * meanwhile. The former data stays until a login to the new server has worked, and until then clients are kept out: a failure, a
   * cancellation or the deadline brings back the former version with its data. Afterwards nothing leads back, and a new archive of backups
   * begins with a base backup. A suspended instance lets no client in meanwhile, and is suspended again at the end. Within the same major
   * version a running instance is only restarted; a suspended one has the update when it is resumed.
   */
  upgradeInstance: UpgradeInstancePayload;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationCancelOperationArgs = {
  input: CancelOperationInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationCancelQueryArgs = {
  input: CancelQueryInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationCloneInstanceArgs = {
  input: CloneInstanceInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationCreateApiTokenArgs = {
  input: CreateApiTokenInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationCreateBackupArgs = {
  input: CreateBackupInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationCreateDatabaseArgs = {
  input: CreateDatabaseInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationCreateDatabaseUserArgs = {
  input: CreateDatabaseUserInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationCreateInstanceArgs = {
  input: CreateInstanceInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationCreateWebhookArgs = {
  input: CreateWebhookInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationDeleteBackupArgs = {
  input: DeleteBackupInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationDeleteInstanceArgs = {
  input: DeleteInstanceInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationDeleteWebhookArgs = {
  input: DeleteWebhookInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationDropDatabaseArgs = {
  input: DropDatabaseInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationDropDatabaseUserArgs = {
  input: DropDatabaseUserInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationImportBackupsArgs = {
  input: ImportBackupsInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationRepairInstanceArgs = {
  input: RepairInstanceInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationResizeInstanceArgs = {
  input: ResizeInstanceInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationRestartInstanceArgs = {
  input: RestartInstanceInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationRestoreInstanceArgs = {
  input: RestoreInstanceInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationResumeInstanceArgs = {
  input: ResumeInstanceInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationRetryOperationArgs = {
  input: RetryOperationInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationRevokeApiTokenArgs = {
  input: RevokeApiTokenInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationRotateCertificateAuthorityArgs = {
  input: RotateCertificateAuthorityInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationRotatePasswordArgs = {
  input: RotatePasswordInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationRotateWebhookSecretArgs = {
  input: RotateWebhookSecretInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationSetParametersArgs = {
  input: SetParametersInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationSuspendInstanceArgs = {
  input: SuspendInstanceInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationTerminateSessionArgs = {
  input: TerminateSessionInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationTestWebhookArgs = {
  input: TestWebhookInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationUpdateBackupArgs = {
  input: UpdateBackupInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationUpdateInstanceArgs = {
  input: UpdateInstanceInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationUpdateWebhookArgs = {
  input: UpdateWebhookInput;
};


/** The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out. */
export type MutationUpgradeInstanceArgs = {
  input: UpgradeInstanceInput;
};

/** An object with a globally unique ID. */
export type Node = {
  /** The globally unique ID of the object. */
  id: Scalars['ID']['output'];
};

/** Something to know about an instance that is no outage. */
export type Notice = {
  __typename?: 'Notice';
  /** The kind of notice. Stable, for programs. An instance has at most one of each. */
  code: NoticeCode;
  /** One sentence for people. */
  message: Scalars['String']['output'];
  /** When it was found first. */
  since: Scalars['DateTime']['output'];
};

/** A notice that came or went. */
export type NoticeChange = {
  __typename?: 'NoticeChange';
  /** The notice. */
  notice: Notice;
  /** Whether the instance has the notice from then on. */
  raised: Scalars['Boolean']['output'];
};

/** The kinds of notices. */
export const NoticeCode = {
  /**
   * The instance has another name or exposure, and clients reach it by the former one until the new one is ready. The message says what
   * that waits for; the notice goes when the former address is removed.
   */
  AddressChanging: 'ADDRESS_CHANGING',
  /**
   * Many of the blocks that statements need are not found in the cache of the server, and the instance has memory for a larger one:
   * `setParameters` with `shared_buffers`. The notice goes when more are found, or when the cache is as large as is useful.
   */
  CacheHitLow: 'CACHE_HIT_LOW',
  /** The certificate of the server expires soon, and could not be renewed. The notice goes when the server presents another one. */
  CertificateExpiring: 'CERTIFICATE_EXPIRING',
  /**
   * The library that sorts the text of a database has another version than its indexes were built with, so they may be wrong. The
   * message says what to run; the notice goes when that is done.
   */
  CollationVersionMismatch: 'COLLATION_VERSION_MISMATCH',
  /** Nearly all connections that clients can have are in use. The notice goes when there are clearly fewer. */
  ConnectionsHigh: 'CONNECTIONS_HIGH',
  /**
   * A session has been idle in a transaction for a quarter of an hour, which keeps its locks and holds up VACUUM. The notice goes when
   * the transaction ends.
   */
  IdleTransaction: 'IDLE_TRANSACTION',
  /**
   * Backups are on, and what was committed in the last quarter of an hour is not archived, or there has been no complete base backup for a
   * day. The notice goes when the instance is protected again.
   */
  NotBackedUp: 'NOT_BACKED_UP',
  /**
   * The password of the owner's role was changed by SQL, so the stored one does not log in any more. The notice goes when the
   * stored password is the role's again: `rotatePassword` gives it another one, which is stored.
   */
  PasswordChanged: 'PASSWORD_CHANGED',
  /** Changes of parameters wait for a restart: `restartInstance`. The notice goes with it, or when they are taken back. */
  PendingRestart: 'PENDING_RESTART',
  /**
   * A replication slot keeps more than half of the WAL that slots may keep. At the limit the server gives the slot up, and what reads from it
   * has to begin anew. The notice goes when its reader has caught up, or the slot is dropped.
   */
  SlotWalHigh: 'SLOT_WAL_HIGH',
  /**
   * At the rate of the latest hours, the volume is full within a day. The notice goes when it grows more slowly, or has more room:
   * `resizeInstance`, `updateInstance` with `storageAutoGrow`.
   */
  StorageFilling: 'STORAGE_FILLING',
  /**
   * Little space is left on the volume, and it does not grow by itself: that is off, has reached its limit, or failed. The notice goes when
   * there is space again.
   */
  StorageLow: 'STORAGE_LOW',
  /** The server does not run the minor version or the image that its host has now: `upgradeInstance`. The notice goes when it does. */
  UpdateAvailable: 'UPDATE_AVAILABLE',
  /**
   * A database has transactions that VACUUM should have frozen long ago. In the end its server takes no more writes. The notice goes
   * when they are frozen.
   */
  WraparoundNear: 'WRAPAROUND_NEAR'
} as const;

export type NoticeCode = typeof NoticeCode[keyof typeof NoticeCode];
/** An accepted request that takes time, and its progress. */
export type Operation = Node & {
  __typename?: 'Operation';
  /** Whether `cancelOperation` would be accepted now. */
  canCancel: Scalars['Boolean']['output'];
  /** Whether `retryOperation` would be accepted now. */
  canRetry: Scalars['Boolean']['output'];
  /** Whether cancellation was requested. */
  cancelRequested: Scalars['Boolean']['output'];
  /** When the operation was accepted. */
  createdAt: Scalars['DateTime']['output'];
  /** When the operation fails if it is not finished. Null if it continues until it succeeds. */
  deadline?: Maybe<Scalars['DateTime']['output']>;
  /** Why the operation failed or was cancelled. */
  error?: Maybe<Reason>;
  /** When the operation finished. */
  finishedAt?: Maybe<Scalars['DateTime']['output']>;
  /** The ID of the operation: `<kind>-<instance>-<n>`, the same in logs. */
  id: Scalars['ID']['output'];
  /** The instance that the operation works on. */
  instance: Instance;
  /** What the operation does. */
  kind: OperationKind;
  /** Who requested the operation: the name of an API token, or why the control plane did. Null for a caller without a token. */
  requestedBy?: Maybe<Scalars['String']['output']>;
  /** What `restoreInstance` and `cloneInstance` restore. Null for other operations. */
  restoration?: Maybe<OperationRestoration>;
  /** When a workflow started to carry out the operation. */
  startedAt?: Maybe<Scalars['DateTime']['output']>;
  /** The status of the operation. */
  status: OperationStatus;
  /** The steps in order, including those not started yet. */
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
  /** The number of entries in the whole list. */
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

/** Selects operations that meet every given condition. */
export type OperationFilter = {
  /** Of this instance. */
  instanceId?: InputMaybe<Scalars['ID']['input']>;
  /** Of one of these kinds. */
  kind?: InputMaybe<Array<OperationKind>>;
  /** With one of these statuses. */
  status?: InputMaybe<Array<OperationStatus>>;
};

/** The kind of an operation. */
export const OperationKind = {
  /** Creates an instance. */
  Create: 'CREATE',
  /** Takes a base backup of an instance. */
  CreateBackup: 'CREATE_BACKUP',
  /** Makes a database in an instance. */
  CreateDatabase: 'CREATE_DATABASE',
  /** Makes a user in an instance. */
  CreateDatabaseUser: 'CREATE_DATABASE_USER',
  /** Deletes an instance. */
  Delete: 'DELETE',
  /** Drops a database of an instance. */
  DropDatabase: 'DROP_DATABASE',
  /** Drops a user of an instance. */
  DropDatabaseUser: 'DROP_DATABASE_USER',
  /** Puts back what somebody has deleted or edited of an instance. */
  Repair: 'REPAIR',
  /** Changes the CPU, the memory and the volume of an instance. */
  Resize: 'RESIZE',
  /** Stops the server of an instance and starts it again. */
  Restart: 'RESTART',
  /** Creates an instance with the data of a backup, or of another instance. */
  Restore: 'RESTORE',
  /** Starts the server of a suspended instance. */
  Resume: 'RESUME',
  /** Gives the owner's role of an instance another password. */
  RotatePassword: 'ROTATE_PASSWORD',
  /** Changes parameters of the server of an instance. */
  SetParameters: 'SET_PARAMETERS',
  /** Stops the server of an instance and keeps it stopped. */
  Suspend: 'SUSPEND',
  /** Upgrades an instance to another major version of PostgreSQL, or finds out whether that is possible. */
  Upgrade: 'UPGRADE'
} as const;

export type OperationKind = typeof OperationKind[keyof typeof OperationKind];
/** What a new instance gets its data from. */
export type OperationRestoration = {
  __typename?: 'OperationRestoration';
  /** Whether the new instance is a clone of the source as it is now (`cloneInstance`). */
  clones: Scalars['Boolean']['output'];
  /** How the data gets into the new instance. Null until a clone has copied it. */
  method?: Maybe<RestoreMethod>;
  /** The ID of the instance whose data it is. That may be deleted meanwhile. */
  sourceId: Scalars['ID']['output'];
};

/** The status of an operation. */
export const OperationStatus = {
  /** It was cancelled, by a caller or by a later operation. */
  Cancelled: 'CANCELLED',
  /** It did not work; the error says why. */
  Failed: 'FAILED',
  /** Accepted; no workflow has taken it up yet. */
  Pending: 'PENDING',
  /** A workflow carries it out. */
  Running: 'RUNNING',
  /** Done. */
  Succeeded: 'SUCCEEDED'
} as const;

export type OperationStatus = typeof OperationStatus[keyof typeof OperationStatus];
/** A step of an operation. */
export type OperationStep = {
  __typename?: 'OperationStep';
  /** The number of times the step was started. */
  attempt: Scalars['Int']['output'];
  /** The last error, or what the step waits for. */
  error?: Maybe<Reason>;
  /** What the step found, a sentence each. Empty if its status says everything. */
  findings: Array<Scalars['String']['output']>;
  /** When the step finished. */
  finishedAt?: Maybe<Scalars['DateTime']['output']>;
  /** The name of the step. */
  name: StepName;
  /** When the step was first started. */
  startedAt?: Maybe<Scalars['DateTime']['output']>;
  /** The status of the step. */
  status: StepStatus;
};

/** The direction of an order. */
export const OrderDirection = {
  /** Ascending: the smallest or oldest first. */
  Asc: 'ASC',
  /** Descending: the largest or newest first. */
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

/** A parameter of PostgreSQL that the owner of an instance can set. */
export type Parameter = {
  __typename?: 'Parameter';
  /** The chapter of PostgreSQL's documentation. */
  category: Scalars['String']['output'];
  /** The value that is built into PostgreSQL, in the unit. The platform may compute another one, for example from the memory. */
  default: Scalars['String']['output'];
  /** One sentence about the parameter. */
  description: Scalars['String']['output'];
  /** The values of the type `ENUM`. */
  enumValues?: Maybe<Array<Scalars['String']['output']>>;
  /** The largest number, in the unit. An instance may have a narrower range. */
  max?: Maybe<Scalars['Float']['output']>;
  /** The smallest number, in the unit. An instance may have a narrower range. */
  min?: Maybe<Scalars['Float']['output']>;
  /** The name. */
  name: Scalars['String']['output'];
  /** Whether a new value takes effect at a restart of the server only. */
  needsRestart: Scalars['Boolean']['output'];
  /** What the values are. */
  type: ParameterType;
  /** What a number without a unit counts, for example `kB`, `8kB` or `ms`. Null if the values have no unit. */
  unit?: Maybe<Scalars['String']['output']>;
};

/** A parameter and its new value. */
export type ParameterInput = {
  /** The name, for example `work_mem`. */
  name: Scalars['String']['input'];
  /** The value, for example `64MB`. Null gives the parameter its default again. */
  value?: InputMaybe<Scalars['String']['input']>;
};

/** What the values of a parameter are. */
export const ParameterType = {
  /** `on` or `off`. */
  Bool: 'BOOL',
  /** One of `enumValues`. */
  Enum: 'ENUM',
  /** A whole number, with a unit if the parameter has one. */
  Integer: 'INTEGER',
  /** A number, with a unit if the parameter has one. */
  Real: 'REAL',
  /** A text. */
  String: 'STRING'
} as const;

export type ParameterType = typeof ParameterType[keyof typeof ParameterType];
/** The root of queries. */
export type Query = {
  __typename?: 'Query';
  /** Lists API tokens, newest first. Requires the role `ADMIN`. */
  apiTokens: ApiTokenConnection;
  /** The control plane itself: its version, runtime, limits and health, and the caller. */
  controlPlane: ControlPlane;
  /** Finds an instance by its ID, including deleted instances. */
  instance?: Maybe<Instance>;
  /** Finds an instance by its name. Deleted instances are not found. */
  instanceByName?: Maybe<Instance>;
  /** Lists instances. */
  instances: InstanceConnection;
  /** Finds an object by its globally unique ID. */
  node?: Maybe<Node>;
  /** Finds an operation by its ID, or by the ID of one of its workflow runs (`...-r1`). */
  operation?: Maybe<Operation>;
  /** Lists operations, newest first. */
  operations: OperationConnection;
  /** Lists webhooks, newest first. Requires the role `ADMIN`. */
  webhooks: WebhookConnection;
};


/** The root of queries. */
export type QueryApiTokensArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** The root of queries. */
export type QueryInstanceArgs = {
  id: Scalars['ID']['input'];
};


/** The root of queries. */
export type QueryInstanceByNameArgs = {
  name: Scalars['String']['input'];
};


/** The root of queries. */
export type QueryInstancesArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<InstanceFilter>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  orderBy?: InputMaybe<InstanceOrder>;
};


/** The root of queries. */
export type QueryNodeArgs = {
  id: Scalars['ID']['input'];
};


/** The root of queries. */
export type QueryOperationArgs = {
  id: Scalars['ID']['input'];
};


/** The root of queries. */
export type QueryOperationsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<OperationFilter>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** The root of queries. */
export type QueryWebhooksArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};

/** Why something is not as it should be, or what it waits for. */
export type Reason = {
  __typename?: 'Reason';
  /** The kind of reason. Stable, for programs. */
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
  /** A backup failed. */
  BackupFailed: 'BACKUP_FAILED',
  /** As many other requests are being answered as may be at once. */
  Busy: 'BUSY',
  /** A caller cancelled the operation. */
  Cancelled: 'CANCELLED',
  /** The connection broke. */
  ConnectionLost: 'CONNECTION_LOST',
  /** Nothing listens at the endpoint. */
  ConnectionRefused: 'CONNECTION_REFUSED',
  /** The endpoint did not answer in time. */
  ConnectionTimeout: 'CONNECTION_TIMEOUT',
  /** The server keeps exiting soon after it starts. */
  CrashLoop: 'CRASH_LOOP',
  /** PostgreSQL has found damage in the data of a backup. */
  DataCorrupted: 'DATA_CORRUPTED',
  /** It has run before, and the volume with its data is gone. */
  DataLost: 'DATA_LOST',
  /** The operation's deadline passed. */
  DeadlineExceeded: 'DEADLINE_EXCEEDED',
  /** Its disk is full. */
  DiskFull: 'DISK_FULL',
  /** The endpoint's name does not resolve. */
  DnsFailed: 'DNS_FAILED',
  /** Somebody deleted or edited what was deployed. */
  Drifted: 'DRIFTED',
  /** The host has no address for clients any more. */
  EndpointMissing: 'ENDPOINT_MISSING',
  /** The control plane lacks a permission. */
  Forbidden: 'FORBIDDEN',
  /** The image cannot be pulled. */
  ImagePullFailed: 'IMAGE_PULL_FAILED',
  /** An internal error of the control plane; its log says more. */
  Internal: 'INTERNAL',
  /** Its log is on another machine than this server. */
  LogNotHere: 'LOG_NOT_HERE',
  /** No backup has the point in time that was to be restored. */
  NotRestorable: 'NOT_RESTORABLE',
  /** It has no server that runs. */
  NotRunning: 'NOT_RUNNING',
  /** Its data cannot be upgraded to that version of PostgreSQL as it is. */
  NotUpgradable: 'NOT_UPGRADABLE',
  /** A backup is not verified, by configuration or because the host cannot do it. */
  NotVerified: 'NOT_VERIFIED',
  /** It was killed because it used more memory than its limit. */
  OutOfMemory: 'OUT_OF_MEMORY',
  /** The PostgreSQL binaries for it are not installed. */
  PostgresMissing: 'POSTGRES_MISSING',
  /** The process of the server exited. */
  ProcessExited: 'PROCESS_EXITED',
  /** It answered with an error. */
  QueryFailed: 'QUERY_FAILED',
  /** A quota of the cluster is exhausted. */
  QuotaExceeded: 'QUOTA_EXCEEDED',
  /** It answers but accepts no writes. */
  ReadOnly: 'READ_ONLY',
  /** Something could not be removed. */
  RemovalIncomplete: 'REMOVAL_INCOMPLETE',
  /** The host of instances cannot be reached. */
  RuntimeUnavailable: 'RUNTIME_UNAVAILABLE',
  /** It answered with an error of its own or of its operating system, which may pass. */
  ServerError: 'SERVER_ERROR',
  /** The database is starting, or recovering after a crash. */
  StartingUp: 'STARTING_UP',
  /** Its server has no statistics of statements. */
  StatisticsMissing: 'STATISTICS_MISSING',
  /** What is in the store of backups is not what was written, or of another cluster. */
  StoreDamaged: 'STORE_DAMAGED',
  /** The store of backups refuses the credentials, or they may not do this. */
  StoreRefused: 'STORE_REFUSED',
  /** The store of backups cannot be reached, is too slow, or fails. */
  StoreUnavailable: 'STORE_UNAVAILABLE',
  /** Another operation took over. */
  Superseded: 'SUPERSEDED',
  /** It is suspended: its server is stopped until it is resumed. */
  Suspended: 'SUSPENDED',
  /** The TLS handshake failed. */
  TlsFailed: 'TLS_FAILED',
  /** All connections of the server are in use. */
  TooManyConnections: 'TOO_MANY_CONNECTIONS',
  /** No node has enough resources for it. */
  Unschedulable: 'UNSCHEDULABLE',
  /** Its volume cannot be provided. */
  VolumeNotBound: 'VOLUME_NOT_BOUND',
  /** Its volume cannot grow: the storage class does not allow it. */
  VolumeNotExpandable: 'VOLUME_NOT_EXPANDABLE',
  /** Its volume has not grown yet, or the cloud has refused it. */
  VolumeNotExpanded: 'VOLUME_NOT_EXPANDED',
  /** Its volume is being deleted: its data lives only as long as its server runs. */
  VolumeTerminating: 'VOLUME_TERMINATING'
} as const;

export type ReasonCode = typeof ReasonCode[keyof typeof ReasonCode];
/** What can be restored of an instance, computed from what is durable in the store. */
export type Recovery = {
  __typename?: 'Recovery';
  /** Whether a worker archives what the instance commits. */
  archiving: Scalars['Boolean']['output'];
  /** The first point that can be restored. Null if there is none. */
  from?: Maybe<Scalars['DateTime']['output']>;
  /** What is between them. */
  gaps: Array<RecoveryGap>;
  /** Why what an instance has committed last before its deletion may not be archived. Null if it is, or if the instance is not deleted. */
  incomplete?: Maybe<Reason>;
  /** The ranges in which every point can be restored, oldest first. */
  intervals: Array<RecoveryInterval>;
  /** The seconds of commits that are not durable in the store yet. Null while that is not known. */
  lagSeconds?: Maybe<Scalars['Float']['output']>;
  /** By the clock of the server: whatever was committed by then is durable in the store. It can be restored once a base backup is complete. */
  lastDurableAt?: Maybe<Scalars['DateTime']['output']>;
  /** The bytes that the backups and the WAL take in the store. */
  storedBytes: Scalars['BigInt']['output'];
  /** The last point that can be restored: whatever was committed by then, by the clock of the server. Null if there is none. */
  to?: Maybe<Scalars['DateTime']['output']>;
};

/** A range in which no point can be restored. */
export type RecoveryGap = {
  __typename?: 'RecoveryGap';
  /** The last point before it. */
  from: Scalars['DateTime']['output'];
  /** Why. */
  reason: RecoveryGapReason;
  /** The first point after it. */
  to: Scalars['DateTime']['output'];
};

/** Why a range cannot be restored. */
export const RecoveryGapReason = {
  /** It is older than the retention. The backup before it is kept nevertheless. */
  Expired: 'EXPIRED',
  /** Segments are missing in the store, and nothing says why. */
  Missing: 'MISSING',
  /** The replication slot did not exist any more: it was dropped by SQL, or backups were turned off. */
  SlotDropped: 'SLOT_DROPPED',
  /** The server kept no more WAL for its replication slot, because the store was away for too long (`max_slot_wal_keep_size`). */
  SlotLost: 'SLOT_LOST',
  /** The instance was upgraded, which begins a new archive. */
  Upgraded: 'UPGRADED'
} as const;

export type RecoveryGapReason = typeof RecoveryGapReason[keyof typeof RecoveryGapReason];
/** A range in which every point can be restored. */
export type RecoveryInterval = {
  __typename?: 'RecoveryInterval';
  /** The first point. */
  from: Scalars['DateTime']['output'];
  /** The position of the first point in the WAL. */
  fromLsn: Scalars['String']['output'];
  /** The last point. */
  to: Scalars['DateTime']['output'];
  /** The position of the last point in the WAL. */
  toLsn: Scalars['String']['output'];
};

/** Input of `repairInstance`. */
export type RepairInstanceInput = {
  /** The ID of the instance. */
  id: Scalars['ID']['input'];
  /** A unique key for this request. Repeating the request with the same key returns the first answer. */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The revision that the instance must have. Any other is refused. */
  revision?: InputMaybe<Scalars['BigInt']['input']>;
};

/** Payload of `repairInstance`. */
export type RepairInstancePayload = {
  __typename?: 'RepairInstancePayload';
  /** The instance as it is now. Null if there are user errors. */
  instance?: Maybe<Instance>;
  /** The operation that carries out the request. Null if there are user errors. */
  operation?: Maybe<Operation>;
  /** The errors in the input. Empty if the request was accepted. */
  userErrors: Array<UserError>;
};

/** Input of `resizeInstance`. What is omitted stays as it is. */
export type ResizeInstanceInput = {
  /** The CPU in millicores. */
  cpuMillis?: InputMaybe<Scalars['Int']['input']>;
  /** The ID of the instance. */
  id: Scalars['ID']['input'];
  /** A unique key for this request. Repeating the request with the same key returns the first answer. */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The memory in MiB. */
  memoryMb?: InputMaybe<Scalars['Int']['input']>;
  /** The revision that the instance must have. Any other is refused. */
  revision?: InputMaybe<Scalars['BigInt']['input']>;
  /** The size of the volume in GiB. It can only grow. */
  storageGb?: InputMaybe<Scalars['Int']['input']>;
};

/** Payload of `resizeInstance`. */
export type ResizeInstancePayload = {
  __typename?: 'ResizeInstancePayload';
  /** The instance as it is now. Null if there are user errors. */
  instance?: Maybe<Instance>;
  /** The operation that carries out the request. Null if there are user errors. */
  operation?: Maybe<Operation>;
  /** The errors in the input. Empty if the request was accepted. */
  userErrors: Array<UserError>;
};

/** Input of `restartInstance`. */
export type RestartInstanceInput = {
  /** The ID of the instance. */
  id: Scalars['ID']['input'];
  /** A unique key for this request. Repeating the request with the same key returns the first answer. */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The revision that the instance must have. Any other is refused. */
  revision?: InputMaybe<Scalars['BigInt']['input']>;
  /** The seconds that the server may take to shut down gracefully before it is stopped immediately (default 60). */
  timeoutSeconds?: InputMaybe<Scalars['Int']['input']>;
};

/** Payload of `restartInstance`. */
export type RestartInstancePayload = {
  __typename?: 'RestartInstancePayload';
  /** The instance as it is now. Null if there are user errors. */
  instance?: Maybe<Instance>;
  /** The operation that carries out the request. Null if there are user errors. */
  operation?: Maybe<Operation>;
  /** The errors in the input. Empty if the request was accepted. */
  userErrors: Array<UserError>;
};

/** Input of `restoreInstance`. What is omitted is as in the source, whose user, database and version of PostgreSQL the new instance has. */
export type RestoreInstanceInput = {
  /** How the instance is backed up. */
  backups?: InputMaybe<BackupPolicyInput>;
  /** The CPU in millicores. */
  cpuMillis?: InputMaybe<Scalars['Int']['input']>;
  /** Whether deletion is refused (default false). */
  deletionProtected?: InputMaybe<Scalars['Boolean']['input']>;
  /** The network access of the instance. The DNS label of the source is not taken over. */
  exposure?: InputMaybe<ExposureInput>;
  /** How the health of the instance is checked. */
  healthCheck?: InputMaybe<HealthCheckInput>;
  /**
   * A unique key for this request. Repeating the request with the same key returns the first answer instead of making
   * another instance.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The minutes without a session of a client after which the instance is suspended; 0 for never. */
  idleSuspendMinutes?: InputMaybe<Scalars['Int']['input']>;
  /** The labels of the instance. */
  labels?: InputMaybe<Array<LabelInput>>;
  /** The memory in MiB. */
  memoryMb?: InputMaybe<Scalars['Int']['input']>;
  /** The name of the new instance: a DNS label, unique among instances that are not deleted. */
  name: Scalars['String']['input'];
  /** Parameters of the server: see `setParameters`. */
  parameters?: InputMaybe<Array<ParameterInput>>;
  /** The password of the user (default: generated). Passwords of the source do not work in the new instance. */
  password?: InputMaybe<Scalars['String']['input']>;
  /** Whether clients without TLS are refused. */
  requireTls?: InputMaybe<Scalars['Boolean']['input']>;
  /** The ID of the instance that was backed up. It may run, and it may be deleted as long as its backups are kept. */
  sourceId: Scalars['ID']['input'];
  /** When the volume grows by itself; `thresholdPercent: 0` for never. */
  storageAutoGrow?: InputMaybe<StorageAutoGrowInput>;
  /** The size of the volume in GiB, at least that of the source. */
  storageGb?: InputMaybe<Scalars['Int']['input']>;
  /** The point to restore (default: everything that was archived). */
  target?: InputMaybe<RestoreTargetInput>;
};

/** Payload of `restoreInstance`. */
export type RestoreInstancePayload = {
  __typename?: 'RestoreInstancePayload';
  /** The instance as it is now. Null if there are user errors. */
  instance?: Maybe<Instance>;
  /** The operation that carries out the request. Null if there are user errors. */
  operation?: Maybe<Operation>;
  /** The errors in the input. Empty if the request was accepted. */
  userErrors: Array<UserError>;
};

/** How the data of a restored instance got there. */
export const RestoreMethod = {
  /** From the archive of its source. */
  Archive: 'ARCHIVE',
  /** The files of its source were copied. */
  Copy: 'COPY',
  /** The files of its source were cloned: both share the blocks that neither has changed since. */
  Reflink: 'REFLINK'
} as const;

export type RestoreMethod = typeof RestoreMethod[keyof typeof RestoreMethod];
/** A point to restore: at most one field. */
export type RestoreTargetInput = {
  /** The ID of a backup: the moment at which it was complete. */
  backupId?: InputMaybe<Scalars['ID']['input']>;
  /** A position in the WAL, such as `0/3000060`. */
  lsn?: InputMaybe<Scalars['String']['input']>;
  /** A time within `recovery.intervals`, by the clock of the server: what was committed by then, and nothing later. */
  time?: InputMaybe<Scalars['DateTime']['input']>;
};

/** Input of `resumeInstance`. */
export type ResumeInstanceInput = {
  /** The ID of the instance. */
  id: Scalars['ID']['input'];
  /** A unique key for this request. Repeating the request with the same key returns the first answer. */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The revision that the instance must have. Any other is refused. */
  revision?: InputMaybe<Scalars['BigInt']['input']>;
};

/** Payload of `resumeInstance`. */
export type ResumeInstancePayload = {
  __typename?: 'ResumeInstancePayload';
  /** The instance as it is now. Null if there are user errors. */
  instance?: Maybe<Instance>;
  /** The operation that carries out the request. Null if there are user errors. */
  operation?: Maybe<Operation>;
  /** The errors in the input. Empty if the request was accepted. */
  userErrors: Array<UserError>;
};

/** Input of `retryOperation`. */
export type RetryOperationInput = {
  /** The ID of the operation that failed or was cancelled. */
  id: Scalars['ID']['input'];
  /** A unique key for this request. Repeating the request with the same key returns the first answer. */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
};

/** Payload of `retryOperation`. */
export type RetryOperationPayload = {
  __typename?: 'RetryOperationPayload';
  /** The instance as it is now. Null if there are user errors. */
  instance?: Maybe<Instance>;
  /** The operation that carries out the request. Null if there are user errors. */
  operation?: Maybe<Operation>;
  /** The errors in the input. Empty if the request was accepted. */
  userErrors: Array<UserError>;
};

/** Input of `revokeApiToken`. */
export type RevokeApiTokenInput = {
  /** The ID of the token. */
  id: Scalars['ID']['input'];
};

/** Payload of `revokeApiToken`. */
export type RevokeApiTokenPayload = {
  __typename?: 'RevokeApiTokenPayload';
  /** The token as it is now. Null if there are user errors. */
  apiToken?: Maybe<ApiToken>;
  /** The errors in the input. Empty if the token was revoked. */
  userErrors: Array<UserError>;
};

/** Input of `rotateCertificateAuthority`. */
export type RotateCertificateAuthorityInput = {
  /**
   * Whether the next authority issues at once, and all others are revoked, as after their key was exposed. Clients that do not trust it yet
   * refuse the instances then. Default: false.
   */
  now?: InputMaybe<Scalars['Boolean']['input']>;
};

/** Payload of `rotateCertificateAuthority`. */
export type RotateCertificateAuthorityPayload = {
  __typename?: 'RotateCertificateAuthorityPayload';
  /** The authorities that clients should trust from now on. Empty if there are user errors. */
  caCertificates: Array<CaCertificate>;
  /** The errors in the input. Empty if the rotation has begun. */
  userErrors: Array<UserError>;
};

/** Input of `rotatePassword`. */
export type RotatePasswordInput = {
  /** The ID of the instance. */
  id: Scalars['ID']['input'];
  /** A unique key for this request. Repeating the request with the same key returns the first answer. */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The new password of `username`: 8 to 99 bytes (default: generated). */
  password?: InputMaybe<Scalars['String']['input']>;
  /** The revision that the instance must have. Any other is refused. */
  revision?: InputMaybe<Scalars['BigInt']['input']>;
  /** Whether the open sessions of `username` are ended once the new password is confirmed (default false). */
  terminateSessions?: InputMaybe<Scalars['Boolean']['input']>;
};

/** Payload of `rotatePassword`. */
export type RotatePasswordPayload = {
  __typename?: 'RotatePasswordPayload';
  /** The instance as it is now. Null if there are user errors. */
  instance?: Maybe<Instance>;
  /** The operation that carries out the request. Null if there are user errors. */
  operation?: Maybe<Operation>;
  /** The errors in the input. Empty if the request was accepted. */
  userErrors: Array<UserError>;
};

/** Input of `rotateWebhookSecret`. */
export type RotateWebhookSecretInput = {
  /** The ID of the webhook. */
  id: Scalars['ID']['input'];
  /** The revision that the webhook must have. Any other is refused. */
  revision?: InputMaybe<Scalars['BigInt']['input']>;
  /** What signs messages from now on: `whsec_` and the base64 of 24 to 64 random bytes (default: a generated one). */
  secret?: InputMaybe<Scalars['String']['input']>;
};

/** Payload of `rotateWebhookSecret`. */
export type RotateWebhookSecretPayload = {
  __typename?: 'RotateWebhookSecretPayload';
  /** The new secret. It cannot be read again. */
  secret?: Maybe<Scalars['String']['output']>;
  /** The errors in the input. Empty if the secret was replaced. */
  userErrors: Array<UserError>;
  /** The webhook as it is now. Null if there are user errors. */
  webhook?: Maybe<Webhook>;
};

/** Whether the host of the instances answers. */
export type RuntimeHealth = {
  __typename?: 'RuntimeHealth';
  /** Whether it answers. */
  reachable: Scalars['Boolean']['output'];
  /** Why it does not. Null if it does. */
  reason?: Maybe<Reason>;
  /** Since when it does not. Null if it does. */
  unreachableSince?: Maybe<Scalars['DateTime']['output']>;
};

/** What a session does. */
export const SessionState = {
  /** It runs a statement. */
  Active: 'ACTIVE',
  /** The server does not track what its sessions do (`track_activities`). */
  Disabled: 'DISABLED',
  /** It runs a function by the fast-path interface. */
  FastpathFunctionCall: 'FASTPATH_FUNCTION_CALL',
  /** It waits for the next statement of its client, outside of a transaction. */
  Idle: 'IDLE',
  /** It waits for the next statement of its client, in a transaction, whose locks it holds. */
  IdleInTransaction: 'IDLE_IN_TRANSACTION',
  /** Like `IDLE_IN_TRANSACTION`, after a statement of the transaction has failed. */
  IdleInTransactionAborted: 'IDLE_IN_TRANSACTION_ABORTED'
} as const;

export type SessionState = typeof SessionState[keyof typeof SessionState];
/** Input of `setParameters`. */
export type SetParametersInput = {
  /**
   * Whether the server is restarted if a parameter needs that (default false). Otherwise such a parameter waits for the next
   * `restartInstance` or the next `setParameters` that allows a restart. A suspended instance is started with all of them.
   */
  allowRestart?: InputMaybe<Scalars['Boolean']['input']>;
  /** The ID of the instance. */
  id: Scalars['ID']['input'];
  /** A unique key for this request. Repeating the request with the same key returns the first answer. */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /**
   * What to change. Other parameters stay as they are. With `allowRestart` the list may be empty: what waits for a restart then takes
   * effect.
   */
  parameters: Array<ParameterInput>;
  /** The revision that the instance must have. Any other is refused. */
  revision?: InputMaybe<Scalars['BigInt']['input']>;
};

/** Payload of `setParameters`. */
export type SetParametersPayload = {
  __typename?: 'SetParametersPayload';
  /** The instance as it is now. Null if there are user errors. */
  instance?: Maybe<Instance>;
  /** The operation that carries out the request. Null if there are user errors. */
  operation?: Maybe<Operation>;
  /** The errors in the input. Empty if the request was accepted. */
  userErrors: Array<UserError>;
};

/** The steps that operations consist of. */
export const StepName = {
  /** Collect the statistics of every database that the planner needs. */
  AnalyzeDatabases: 'ANALYZE_DATABASES',
  /** Give the server a changed configuration, which it reads if it need not be restarted for it. */
  ApplyConfiguration: 'APPLY_CONFIGURATION',
  /** Find out whether the instance can be upgraded. */
  CheckUpgrade: 'CHECK_UPGRADE',
  /** Remove what a failed creation made. */
  CleanUp: 'CLEAN_UP',
  /** Stop the server, and wait until everything that it has committed is in the store. After a few minutes the deletion goes on without. */
  CloseArchive: 'CLOSE_ARCHIVE',
  /** Log in with the new password, and end other sessions of the role if that was asked for. */
  ConfirmPassword: 'CONFIRM_PASSWORD',
  /** Decide for the new version, and let clients in. The former data is removed. */
  ConfirmUpgrade: 'CONFIRM_UPGRADE',
  /** Make the database. */
  CreateDatabase: 'CREATE_DATABASE',
  /** Make the role of the user, with what it is granted. */
  CreateDatabaseUser: 'CREATE_DATABASE_USER',
  /** Remove the objects of the instance and wait until they are gone. */
  DeletePostgres: 'DELETE_POSTGRES',
  /** Create the objects of the instance in the runtime, or repair them. */
  DeployPostgres: 'DEPLOY_POSTGRES',
  /** Drop the database. */
  DropDatabase: 'DROP_DATABASE',
  /** Reassign what the user owns, and drop its role. */
  DropDatabaseUser: 'DROP_DATABASE_USER',
  /** Make the roles and the database of a new instance, find out how clients connect, and log in once. */
  GenerateConnectionString: 'GENERATE_CONNECTION_STRING',
  /** Wait until the runtime reports that the instance is ready. */
  GetInstanceStatus: 'GET_INSTANCE_STATUS',
  /** Wait until the server has read the settings that follow from its size. */
  LoadConfiguration: 'LOAD_CONFIGURATION',
  /** Put back what differs from what was deployed. */
  RepairPostgres: 'REPAIR_POSTGRES',
  /** Grow the volume, and change the CPU and the memory of the server. */
  ResizePostgres: 'RESIZE_POSTGRES',
  /** Stop the server, and start it again. */
  RestartPostgres: 'RESTART_POSTGRES',
  /** Fetch the data from the store, or copy it from the source, replay the WAL, and remove the passwords of the source. */
  RestoreData: 'RESTORE_DATA',
  /** Put the former password back. */
  RestorePassword: 'RESTORE_PASSWORD',
  /** Put back what ran before, after a failure, and wait until it is ready. */
  RollBack: 'ROLL_BACK',
  /** Give the owner's role the new password. */
  SetPassword: 'SET_PASSWORD',
  /** Start the server of a suspended instance. For an upgrade, without letting clients in. */
  StartPostgres: 'START_POSTGRES',
  /** Stop the server, and keep it stopped. */
  StopPostgres: 'STOP_POSTGRES',
  /** Stop the workflows that still work on the instance. */
  StopWorkflows: 'STOP_WORKFLOWS',
  /** Wait until the base backup, and the WAL that it needs, are in the store. */
  TakeBackup: 'TAKE_BACKUP',
  /** Write the result to the metadata. */
  UpdateMetadata: 'UPDATE_METADATA',
  /** Stop the server, upgrade its data to the new version next to the former, start the new server without letting clients in, and log in. */
  UpgradePostgres: 'UPGRADE_POSTGRES',
  /** Ask the server whether it has the changed configuration. */
  VerifyConfiguration: 'VERIFY_CONFIGURATION'
} as const;

export type StepName = typeof StepName[keyof typeof StepName];
/** The status of a step. */
export const StepStatus = {
  /** It did not work. */
  Failed: 'FAILED',
  /** Not begun. */
  Pending: 'PENDING',
  /** In progress. */
  Running: 'RUNNING',
  /** Not needed. */
  Skipped: 'SKIPPED',
  /** Done. */
  Succeeded: 'SUCCEEDED'
} as const;

export type StepStatus = typeof StepStatus[keyof typeof StepStatus];
/** When a volume grows by itself, and how far. */
export type StorageAutoGrow = {
  __typename?: 'StorageAutoGrow';
  /** The size in GiB that it never exceeds. */
  maxGb: Scalars['Int']['output'];
  /** The part of the volume in percent that is used when it grows: by a fifth, or by as much as brings the usage below this. */
  thresholdPercent: Scalars['Int']['output'];
};

/** What is chosen for the automatic growth of a volume. What is left out stays as it is. */
export type StorageAutoGrowInput = {
  /** The size in GiB that it never exceeds. Must be given when the growth is turned on. */
  maxGb?: InputMaybe<Scalars['Int']['input']>;
  /** The part of the volume in percent that is used when it grows (default 80). 0 turns the growth off. */
  thresholdPercent?: InputMaybe<Scalars['Int']['input']>;
};

/** What an instance uses of its volume, as its server tells. */
export type StorageUsage = {
  __typename?: 'StorageUsage';
  /** The bytes that are left. */
  availableBytes: Scalars['BigInt']['output'];
  /** The bytes that the instance can use: `storageGb` without what the file system of a volume needs for itself, which is estimated. */
  capacityBytes: Scalars['BigInt']['output'];
  /** When it was measured. */
  measuredAt: Scalars['DateTime']['output'];
  /**
   * Whether the server takes no writes because less than the reserve is left: a tenth of the capacity, and 1 GiB at the most. It takes them
   * again by itself when half as much more is available.
   */
  readOnly: Scalars['Boolean']['output'];
  /** The bytes of the data, the WAL and the temporary files. */
  usedBytes: Scalars['BigInt']['output'];
  /** The part that is used, in percent, rounded down. Above 100 if a host that does not limit directories has more in one than was agreed. */
  usedPercent: Scalars['Int']['output'];
};

/** The root of subscriptions. */
export type Subscription = {
  __typename?: 'Subscription';
  /** Follows the health checks of an instance: every check exactly once. Starts with the next check, or after a cursor. */
  healthChecks: HealthCheck;
  /** Follows an instance: its current value, then its value after every change. Completes when the instance is deleted. */
  instance: Instance;
  /**
   * Follows the backups of an instance: its current value, then its value whenever `recovery`, `backups` or the instance itself changes.
   * Progress arrives within seconds. Completes when the instance is deleted and no backup of it is left.
   */
  instanceBackups: Instance;
  /**
   * Follows the event log: every event exactly once and in the order of commits. Starts with the next event, or after a
   * cursor; `after: "0"` starts with the oldest event that is kept.
   */
  instanceEvents: InstanceEvent;
  /**
   * Follows the log of an instance: each entry exactly once, also while its server is restarted. Starts with the newest entries, or after a
   * cursor. Entries are read as fast as the subscriber takes them; if the host drops some before, a batch says that there is a gap. Completes
   * when the instance is deleted. Requires the role `OPERATOR`, because messages can contain secrets; those that are known by their form are
   * masked.
   */
  instanceLogs: InstanceLogBatch;
  /**
   * Follows the metrics of an instance: its latest reading, then each that is made. A subscriber that is too slow gets the latest. Completes
   * when the instance is deleted.
   */
  instanceMetrics: InstanceMetrics;
  /**
   * Follows the list of instances: `SNAPSHOT` items, one `SNAPSHOT_COMPLETE`, then `UPSERTED` and `REMOVED` items. Several
   * changes of one instance may arrive as one item. With `after`, there is no snapshot, only the changes after that cursor.
   */
  instances: InstanceChange;
  /** Follows an operation: its current value, then its value after every change. Completes when the operation is finished. */
  operation: Operation;
  /**
   * Follows the webhooks: all of them, newest first, then all of them again whenever one is changed, begins to fail or recovers; what is pending is
   * as new as that, or a few seconds old. Requires the role `ADMIN`.
   */
  webhooks: Array<Webhook>;
};


/** The root of subscriptions. */
export type SubscriptionHealthChecksArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  instanceId: Scalars['ID']['input'];
};


/** The root of subscriptions. */
export type SubscriptionInstanceArgs = {
  id: Scalars['ID']['input'];
};


/** The root of subscriptions. */
export type SubscriptionInstanceBackupsArgs = {
  id: Scalars['ID']['input'];
};


/** The root of subscriptions. */
export type SubscriptionInstanceEventsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  instanceId?: InputMaybe<Scalars['ID']['input']>;
};


/** The root of subscriptions. */
export type SubscriptionInstanceLogsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  contains?: InputMaybe<Scalars['String']['input']>;
  instanceId: Scalars['ID']['input'];
  severity?: InputMaybe<LogSeverity>;
  tail?: InputMaybe<Scalars['Int']['input']>;
};


/** The root of subscriptions. */
export type SubscriptionInstanceMetricsArgs = {
  instanceId: Scalars['ID']['input'];
  names?: InputMaybe<Array<MetricName>>;
};


/** The root of subscriptions. */
export type SubscriptionInstancesArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<InstanceFilter>;
};


/** The root of subscriptions. */
export type SubscriptionOperationArgs = {
  id: Scalars['ID']['input'];
};

/** Input of `suspendInstance`. */
export type SuspendInstanceInput = {
  /** The ID of the instance. */
  id: Scalars['ID']['input'];
  /** A unique key for this request. Repeating the request with the same key returns the first answer. */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The revision that the instance must have. Any other is refused. */
  revision?: InputMaybe<Scalars['BigInt']['input']>;
  /** The seconds that the server may take to shut down gracefully before it is stopped immediately (default 60). */
  timeoutSeconds?: InputMaybe<Scalars['Int']['input']>;
};

/** Payload of `suspendInstance`. */
export type SuspendInstancePayload = {
  __typename?: 'SuspendInstancePayload';
  /** The instance as it is now. Null if there are user errors. */
  instance?: Maybe<Instance>;
  /** The operation that carries out the request. Null if there are user errors. */
  operation?: Maybe<Operation>;
  /** The errors in the input. Empty if the request was accepted. */
  userErrors: Array<UserError>;
};

/** Input of `terminateSession`. */
export type TerminateSessionInput = {
  /** The ID of the instance. */
  instanceId: Scalars['ID']['input'];
  /** The ID of the session, from `activity`. */
  sessionId: Scalars['ID']['input'];
};

/** Payload of `terminateSession`. */
export type TerminateSessionPayload = {
  __typename?: 'TerminateSessionPayload';
  /**
   * Whether the session has ended. False if it was told to end and has not within two seconds, because what it does cannot be interrupted
   * at once. Null if there are user errors.
   */
  ended?: Maybe<Scalars['Boolean']['output']>;
  /** The ID of the session. Null if there are user errors. */
  sessionId?: Maybe<Scalars['ID']['output']>;
  /** The errors in the input. Empty if the session was told to end. */
  userErrors: Array<UserError>;
};

/** Input of `testWebhook`. */
export type TestWebhookInput = {
  /** The ID of the webhook. */
  id: Scalars['ID']['input'];
};

/** Payload of `testWebhook`. */
export type TestWebhookPayload = {
  __typename?: 'TestWebhookPayload';
  /** What came of the message. Null if there are user errors. */
  answer?: Maybe<WebhookAnswer>;
  /** The errors in the input. Empty if the message was sent. */
  userErrors: Array<UserError>;
};

/** What the bearer of a token may do. Each role includes those before it. */
export const TokenRole = {
  /** Create and revoke tokens, manage webhooks, import backups, and rotate the certificate authority. */
  Admin: 'ADMIN',
  /** See secrets; create, change and delete instances; cancel and retry operations. */
  Operator: 'OPERATOR',
  /** See everything but secrets. */
  Viewer: 'VIEWER'
} as const;

export type TokenRole = typeof TokenRole[keyof typeof TokenRole];
/** The statements that have cost an instance most, as `pg_stat_statements` has counted them. */
export type TopQueries = {
  __typename?: 'TopQueries';
  /**
   * How often statements were dropped from the statistics because there were more than `pg_stat_statements.max`, those that were executed
   * least. What a statement has cost before is not counted when it comes back. Null if they could not be read.
   */
  evictions?: Maybe<Scalars['BigInt']['output']>;
  /** The statements, in the order that was asked for. */
  queries: Array<TopQuery>;
  /** Why the statistics could not be read. Null if they were. */
  reason?: Maybe<Reason>;
  /** When the statistics were last reset, by `pg_stat_statements_reset()` or a crash of the server. Null if they could not be read. */
  since?: Maybe<Scalars['DateTime']['output']>;
};

/**
 * A statement with what its executions have cost together. Statements that differ only in constants are one. Those of another role or
 * database are another one.
 */
export type TopQuery = {
  __typename?: 'TopQuery';
  /** The number of its executions. */
  calls: Scalars['BigInt']['output'];
  /** The database in which it was executed. Null if that was dropped. */
  database?: Maybe<Scalars['String']['output']>;
  /** The bytes that it has read from files and written to them, temporary ones included. What was in memory does not count. */
  ioBytes: Scalars['BigInt']['output'];
  /** The milliseconds that one execution took on average. */
  meanTimeMs: Scalars['Float']['output'];
  /** What PostgreSQL calls the statement (`query_id` in its logs and plans). Another major version may call it otherwise. */
  queryId: Scalars['BigInt']['output'];
  /** The rows that it has returned or changed. */
  rows: Scalars['BigInt']['output'];
  /** The text with parameters for constants, up to 2,000 bytes. Secrets that are known by their form are `***`. */
  text: Scalars['String']['output'];
  /** Its part of the time of all statements of clients: 0 to 1. */
  timeShare: Scalars['Float']['output'];
  /** The milliseconds that all executions took. */
  totalTimeMs: Scalars['Float']['output'];
  /** The role that has executed it. Null if that was dropped. */
  username?: Maybe<Scalars['String']['output']>;
};

/** The order of statements, the largest first. */
export const TopQueryOrder = {
  /** The number of their executions. */
  Calls: 'CALLS',
  /** The bytes that they have read from files and written to them. */
  Io: 'IO',
  /** The time of one execution on average. */
  MeanTime: 'MEAN_TIME',
  /** The rows that they have returned or changed. */
  Rows: 'ROWS',
  /** The time that their executions took together. */
  TotalTime: 'TOTAL_TIME'
} as const;

export type TopQueryOrder = typeof TopQueryOrder[keyof typeof TopQueryOrder];
/** Input of `updateBackup`. */
export type UpdateBackupInput = {
  /** The ID of the backup. */
  id: Scalars['ID']['input'];
  /** Until when the backup is kept at least. Null leaves that to the retention of its instance. */
  keepUntil?: InputMaybe<Scalars['DateTime']['input']>;
  /** Whether the backup is kept until it is unlocked, whatever the retention of its instance. */
  locked?: InputMaybe<Scalars['Boolean']['input']>;
};

/** Payload of `updateBackup`. */
export type UpdateBackupPayload = {
  __typename?: 'UpdateBackupPayload';
  /** The backup as it is now. Null if there are user errors. */
  backup?: Maybe<Backup>;
  /** The errors in the input. Empty if the request was accepted. */
  userErrors: Array<UserError>;
};

/** Input of `updateInstance`. */
export type UpdateInstanceInput = {
  /** How the instance is backed up. What is left out stays as it is. */
  backups?: InputMaybe<BackupPolicyInput>;
  /** Whether deletion is refused. */
  deletionProtected?: InputMaybe<Scalars['Boolean']['input']>;
  /** The network access of the instance. It replaces what is there, source ranges and DNS label too. The address changes as with `name`. */
  exposure?: InputMaybe<ExposureInput>;
  /** How the health of the instance is checked: what is given changes. The next check is made at once. */
  healthCheck?: InputMaybe<HealthCheckInput>;
  /** The ID of the instance. */
  id: Scalars['ID']['input'];
  /** The minutes without a session of a client after which the instance is suspended. 0 turns that off. */
  idleSuspendMinutes?: InputMaybe<Scalars['Int']['input']>;
  /** The labels of the instance. They replace all that it has. */
  labels?: InputMaybe<Array<LabelInput>>;
  /** The weekly time in which updates are applied by themselves, which restarts the instance. `durationMinutes: 0` turns it off. */
  maintenanceWindow?: InputMaybe<MaintenanceWindowInput>;
  /**
   * The name: a DNS label, unique among the instances that are not deleted. Nothing is restarted. Where clients connect by the name
   * (Kubernetes), they reach the instance by the former one until the new one is ready, which takes up to two minutes; `endpoint` and
   * `connectionString` change then, and the former name is free once the notice `ADDRESS_CHANGING` is gone. While the instance is running or
   * suspended.
   */
  name?: InputMaybe<Scalars['String']['input']>;
  /**
   * Whether clients without TLS are refused. Its sessions stay, and nothing is restarted; new ones are refused within seconds, on Kubernetes
   * within two minutes. `connectionString` changes at once. Turned on by default when the instance gets a load balancer. While the instance is
   * running or suspended.
   */
  requireTls?: InputMaybe<Scalars['Boolean']['input']>;
  /** The revision that the instance must have. Any other is refused. */
  revision?: InputMaybe<Scalars['BigInt']['input']>;
  /** When the volume grows by itself. What is left out stays as it is; `thresholdPercent: 0` turns it off. */
  storageAutoGrow?: InputMaybe<StorageAutoGrowInput>;
};

/** Payload of `updateInstance`. */
export type UpdateInstancePayload = {
  __typename?: 'UpdateInstancePayload';
  /** The instance as it is now. Null if there are user errors. */
  instance?: Maybe<Instance>;
  /** The errors in the input. Empty if the request was accepted. */
  userErrors: Array<UserError>;
};

/** Input of `updateWebhook`. Fields that are omitted stay as they are. */
export type UpdateWebhookInput = {
  /** What the webhook is for. */
  description?: InputMaybe<Scalars['String']['input']>;
  /** The kinds of messages to send. Empty for all. */
  events?: InputMaybe<Array<WebhookEventType>>;
  /** The ID of the webhook. */
  id: Scalars['ID']['input'];
  /** The revision that the webhook must have. Any other is refused. */
  revision?: InputMaybe<Scalars['BigInt']['input']>;
  /**
   * Whether messages are sent. A webhook that is enabled again continues where it stopped; if events after that are no longer kept, it is told so by
   * a message `webhook.gap`.
   */
  state?: InputMaybe<WebhookState>;
  /** Where messages are sent. */
  url?: InputMaybe<Scalars['String']['input']>;
};

/** Payload of `updateWebhook`. */
export type UpdateWebhookPayload = {
  __typename?: 'UpdateWebhookPayload';
  /** The errors in the input. Empty if the webhook was changed. */
  userErrors: Array<UserError>;
  /** The webhook as it is now. Null if there are user errors. */
  webhook?: Maybe<Webhook>;
};

/** Input of `upgradeInstance`. */
export type UpgradeInstanceInput = {
  /**
   * Only finds out whether the upgrade is possible. The server is stopped for it for some seconds, as for a restart, and nothing is
   * changed.
   */
  checkOnly?: Scalars['Boolean']['input'];
  /**
   * Goes on although the instance has logical replication slots, which PostgreSQL takes along from version 17 on only: they are lost.
   * Otherwise the upgrade fails before it changes anything, and names them.
   */
  dropLogicalSlots?: Scalars['Boolean']['input'];
  /** The ID of the instance. */
  id: Scalars['ID']['input'];
  /** A unique key for this request. Repeating the request with the same key returns the first answer. */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The revision that the instance must have. Any other is refused. */
  revision?: InputMaybe<Scalars['BigInt']['input']>;
  /**
   * The major version of PostgreSQL to upgrade to, such as `18`: one of `controlPlane.postgresVersions` that is newer than the instance. The
   * one that the instance has applies `updateAvailable`, which is a restart: its steps that are for major versions are skipped.
   */
  version: Scalars['String']['input'];
};

/** Payload of `upgradeInstance`. */
export type UpgradeInstancePayload = {
  __typename?: 'UpgradeInstancePayload';
  /** The instance as it is now. Null if there are user errors. */
  instance?: Maybe<Instance>;
  /** The operation that carries out the request. Null if there are user errors. */
  operation?: Maybe<Operation>;
  /** The errors in the input. Empty if the request was accepted. */
  userErrors: Array<UserError>;
};

/** A newer major version of PostgreSQL. */
export type UpgradeTarget = {
  __typename?: 'UpgradeTarget';
  /**
   * Why the instance cannot be upgraded to it as it is, and what to do about that: programs that this host lacks, or parameters that the
   * version does not have. Null if nothing is known to stand in the way; what only its server knows, `checkOnly` finds out.
   */
  obstacle?: Maybe<Scalars['String']['output']>;
  /** The version. */
  version: Scalars['String']['output'];
};

/** An error in the input of a mutation, which the caller can correct. Nothing was changed. */
export type UserError = {
  __typename?: 'UserError';
  /** The kind of error. Stable, for programs. */
  code: UserErrorCode;
  /** The path of the field within `input`. */
  field: Array<Scalars['String']['output']>;
  /** One sentence for people. */
  message: Scalars['String']['output'];
};

/** The kind of a user error. */
export const UserErrorCode = {
  /** The current state does not allow the request. */
  Conflict: 'CONFLICT',
  /** The idempotency key was used before with a different input. */
  IdempotencyMismatch: 'IDEMPOTENCY_MISMATCH',
  /** The value does not have the required form. */
  Invalid: 'INVALID',
  /** Another instance has this name. */
  NameTaken: 'NAME_TAKEN',
  /** No object has this ID. */
  NotFound: 'NOT_FOUND',
  /** The number is outside the range of the field. */
  OutOfRange: 'OUT_OF_RANGE',
  /** The deletion protection of the instance is on. */
  Protected: 'PROTECTED',
  /** The instance has another revision. */
  RevisionMismatch: 'REVISION_MISMATCH',
  /** The runtime does not offer this PostgreSQL version. */
  UnsupportedVersion: 'UNSUPPORTED_VERSION'
} as const;

export type UserErrorCode = typeof UserErrorCode[keyof typeof UserErrorCode];
/**
 * Messages about events, sent to a URL and signed after the Standard Webhooks specification: each at least once, in the order of the event log. The
 * secret is only in the payload of the mutation that set it.
 */
export type Webhook = Node & {
  __typename?: 'Webhook';
  /** When the webhook was created. */
  createdAt: Scalars['DateTime']['output'];
  /** What the webhook is for. */
  description: Scalars['String']['output'];
  /** Why and since when the webhook is disabled. Null while it is enabled. */
  disabled?: Maybe<WebhookDisabled>;
  /** The kinds of messages that are sent. Empty for all. */
  events: Array<WebhookEventType>;
  /** Since when every attempt has failed. Null if the last one did not. After a day, the webhook is disabled. */
  failingSince?: Maybe<Scalars['DateTime']['output']>;
  /** Until when messages are signed with the former secret too. Null if they are not. */
  formerSecretUntil?: Maybe<Scalars['DateTime']['output']>;
  /** The ID of the webhook. */
  id: Scalars['ID']['output'];
  /** The age in seconds of the oldest event that the webhook has not come to. 0 if there is none. */
  lagSeconds: Scalars['Float']['output'];
  /** The last attempt to send a message, but those of `testWebhook`. */
  lastAttempt?: Maybe<WebhookAttempt>;
  /** When the last message was delivered. */
  lastDeliveredAt?: Maybe<Scalars['DateTime']['output']>;
  /** When the next attempt is due, after one that failed. */
  nextAttemptAt?: Maybe<Scalars['DateTime']['output']>;
  /** The number of events that the webhook has not come to, counted up to 10,000. */
  pendingEvents: Scalars['Int']['output'];
  /** The revision of the webhook, which counts its changes by mutations and that it was disabled. */
  revision: Scalars['BigInt']['output'];
  /** Whether messages are sent. */
  state: WebhookState;
  /** Where messages are sent. */
  url: Scalars['String']['output'];
};

/** What came of a message that was sent once. */
export type WebhookAnswer = {
  __typename?: 'WebhookAnswer';
  /** The beginning of the body of the answer: up to 1000 bytes. */
  body: Scalars['String']['output'];
  /** Whether the receiver accepted the message: it answered with a status from 200 to 299. */
  delivered: Scalars['Boolean']['output'];
  /** How long the attempt took, in milliseconds. */
  durationMs: Scalars['Float']['output'];
  /** Why the message was not delivered. Null if it was. */
  error?: Maybe<Scalars['String']['output']>;
  /** The HTTP status of the answer. Null if there was none. */
  status?: Maybe<Scalars['Int']['output']>;
};

/** An attempt to send a message. */
export type WebhookAttempt = {
  __typename?: 'WebhookAttempt';
  /** When it ended. */
  at: Scalars['DateTime']['output'];
  /** Why it failed. Null if it did not. */
  error?: Maybe<Scalars['String']['output']>;
  /** The HTTP status of the answer. Null if there was none. */
  status?: Maybe<Scalars['Int']['output']>;
};

/** A page of webhooks. */
export type WebhookConnection = {
  __typename?: 'WebhookConnection';
  /** A list of edges. */
  edges: Array<WebhookEdge>;
  /** A list of nodes. */
  nodes: Array<Webhook>;
  /** Information to aid in pagination. */
  pageInfo: PageInfo;
};

/** Why and since when a webhook is disabled. */
export type WebhookDisabled = {
  __typename?: 'WebhookDisabled';
  /** The kind of reason. Stable, for programs. */
  code: WebhookDisabledCode;
  /** One sentence for people. */
  message: Scalars['String']['output'];
  /** Since when. */
  since: Scalars['DateTime']['output'];
};

/** Why a webhook is disabled. */
export const WebhookDisabledCode = {
  /** Every attempt of a day failed. */
  Failing: 'FAILING',
  /** The receiver answered 410 Gone. */
  Gone: 'GONE',
  /** Somebody asked for it. */
  Requested: 'REQUESTED'
} as const;

export type WebhookDisabledCode = typeof WebhookDisabledCode[keyof typeof WebhookDisabledCode];
/** An edge in a connection. */
export type WebhookEdge = {
  __typename?: 'WebhookEdge';
  /** A cursor for use in pagination */
  cursor: Scalars['String']['output'];
  /** The item at the end of the edge */
  node: Webhook;
};

/** What a webhook is told, with the `type` of the message. */
export const WebhookEventType = {
  /** `instance.created`: the creation of an instance was accepted. */
  InstanceCreated: 'INSTANCE_CREATED',
  /** `instance.health_changed`: the health of an instance changed. */
  InstanceHealthChanged: 'INSTANCE_HEALTH_CHANGED',
  /** `instance.repaired`: something of an instance that somebody had deleted or edited was put back. */
  InstanceRepaired: 'INSTANCE_REPAIRED',
  /** `instance.state_changed`: the state of an instance changed. */
  InstanceStateChanged: 'INSTANCE_STATE_CHANGED',
  /** `instance.updated`: another field of an instance changed. */
  InstanceUpdated: 'INSTANCE_UPDATED',
  /** `notice.cleared`: an instance does not have a notice any more. */
  NoticeCleared: 'NOTICE_CLEARED',
  /** `notice.raised`: an instance has a notice that it did not have. */
  NoticeRaised: 'NOTICE_RAISED',
  /** `operation.changed`: the status of an operation changed. */
  OperationChanged: 'OPERATION_CHANGED',
  /** `operation.created`: an operation was accepted. */
  OperationCreated: 'OPERATION_CREATED',
  /** `operation.progressed`: a step of an operation began, ended or failed. */
  OperationProgressed: 'OPERATION_PROGRESSED'
} as const;

export type WebhookEventType = typeof WebhookEventType[keyof typeof WebhookEventType];
/** Whether a webhook is sent messages. */
export const WebhookState = {
  /** Nothing is sent until it is enabled again. */
  Disabled: 'DISABLED',
  /** Messages are sent. */
  Enabled: 'ENABLED'
} as const;

export type WebhookState = typeof WebhookState[keyof typeof WebhookState];
/** A day of the week. */
export const Weekday = {
  /** Friday. */
  Friday: 'FRIDAY',
  /** Monday. */
  Monday: 'MONDAY',
  /** Saturday. */
  Saturday: 'SATURDAY',
  /** Sunday. */
  Sunday: 'SUNDAY',
  /** Thursday. */
  Thursday: 'THURSDAY',
  /** Tuesday. */
  Tuesday: 'TUESDAY',
  /** Wednesday. */
  Wednesday: 'WEDNESDAY'
} as const;

export type Weekday = typeof Weekday[keyof typeof Weekday];
export type CancelQueryMutationVariables = Exact<{
  input: CancelQueryInput;
}>;


export type CancelQueryMutation = { __typename?: 'Mutation', cancelQuery: { __typename?: 'CancelQueryPayload', userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type TerminateSessionMutationVariables = Exact<{
  input: TerminateSessionInput;
}>;


export type TerminateSessionMutation = { __typename?: 'Mutation', terminateSession: { __typename?: 'TerminateSessionPayload', ended?: boolean | null, userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type ActivityQueryVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type ActivityQuery = { __typename?: 'Query', instance?: { __typename?: 'Instance', activity: { __typename?: 'InstanceActivity', readAt?: string | null, totalSessions?: number | null, sessions: Array<{ __typename?: 'ClientSession', id: string, pid: number, username?: string | null, database?: string | null, applicationName?: string | null, clientAddress?: string | null, state?: SessionState | null, waitEventType?: string | null, waitEvent?: string | null, blockedBy: Array<number>, transactionSeconds?: number | null, statementSeconds?: number | null, stateSeconds?: number | null, statement?: string | null }>, reason?: { __typename?: 'Reason', message: string } | null } } | null };

export type CloneInstanceMutationVariables = Exact<{
  input: CloneInstanceInput;
}>;


export type CloneInstanceMutation = { __typename?: 'Mutation', cloneInstance: { __typename?: 'CloneInstancePayload', instance?: { __typename?: 'Instance', id: string } | null, userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type CreateBackupMutationVariables = Exact<{
  input: CreateBackupInput;
}>;


export type CreateBackupMutation = { __typename?: 'Mutation', createBackup: { __typename?: 'CreateBackupPayload', userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type DeleteBackupMutationVariables = Exact<{
  input: DeleteBackupInput;
}>;


export type DeleteBackupMutation = { __typename?: 'Mutation', deleteBackup: { __typename?: 'DeleteBackupPayload', userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type InstanceBackupsSubscriptionVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type InstanceBackupsSubscription = { __typename?: 'Subscription', instanceBackups: { __typename?: 'Instance', id: string, backupPolicy: { __typename?: 'BackupPolicy', enabled: boolean, intervalHours: number, retentionDays: number, store?: string | null, durability?: BackupDurability | null, protection: BackupProtection, reason?: { __typename?: 'Reason', code: ReasonCode, message: string } | null }, recovery?: { __typename?: 'Recovery', from?: string | null, to?: string | null, lastDurableAt?: string | null, lagSeconds?: number | null, archiving: boolean, storedBytes: string, intervals: Array<{ __typename?: 'RecoveryInterval', from: string, to: string }>, gaps: Array<{ __typename?: 'RecoveryGap', from: string, to: string, reason: RecoveryGapReason }>, incomplete?: { __typename?: 'Reason', message: string } | null } | null, backups: { __typename?: 'BackupConnection', nodes: Array<{ __typename?: 'Backup', id: string, status: BackupStatus, bytes: string, totalBytes?: string | null, storedBytes?: string | null, createdAt: string, finishedAt?: string | null, expiresAt?: string | null, keptFor?: BackupKeptFor | null, locked: boolean, error?: { __typename?: 'Reason', message: string } | null, verification: { __typename?: 'BackupVerification', status: BackupVerificationStatus, restoreSeconds?: number | null, reason?: { __typename?: 'Reason', message: string } | null } }> } } };

export type BackupsFragment = { __typename?: 'Instance', id: string, backupPolicy: { __typename?: 'BackupPolicy', enabled: boolean, intervalHours: number, retentionDays: number, store?: string | null, durability?: BackupDurability | null, protection: BackupProtection, reason?: { __typename?: 'Reason', code: ReasonCode, message: string } | null }, recovery?: { __typename?: 'Recovery', from?: string | null, to?: string | null, lastDurableAt?: string | null, lagSeconds?: number | null, archiving: boolean, storedBytes: string, intervals: Array<{ __typename?: 'RecoveryInterval', from: string, to: string }>, gaps: Array<{ __typename?: 'RecoveryGap', from: string, to: string, reason: RecoveryGapReason }>, incomplete?: { __typename?: 'Reason', message: string } | null } | null, backups: { __typename?: 'BackupConnection', nodes: Array<{ __typename?: 'Backup', id: string, status: BackupStatus, bytes: string, totalBytes?: string | null, storedBytes?: string | null, createdAt: string, finishedAt?: string | null, expiresAt?: string | null, keptFor?: BackupKeptFor | null, locked: boolean, error?: { __typename?: 'Reason', message: string } | null, verification: { __typename?: 'BackupVerification', status: BackupVerificationStatus, restoreSeconds?: number | null, reason?: { __typename?: 'Reason', message: string } | null } }> } };

export type UpdateBackupMutationVariables = Exact<{
  input: UpdateBackupInput;
}>;


export type UpdateBackupMutation = { __typename?: 'Mutation', updateBackup: { __typename?: 'UpdateBackupPayload', userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type ImportBackupsMutationVariables = Exact<{
  input: ImportBackupsInput;
}>;


export type ImportBackupsMutation = { __typename?: 'Mutation', importBackups: { __typename?: 'ImportBackupsPayload', instances: Array<{ __typename?: 'Instance', id: string, name: string }>, userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type RestoreInstanceMutationVariables = Exact<{
  input: RestoreInstanceInput;
}>;


export type RestoreInstanceMutation = { __typename?: 'Mutation', restoreInstance: { __typename?: 'RestoreInstancePayload', instance?: { __typename?: 'Instance', id: string } | null, userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type BulkRestartMutationVariables = Exact<{
  input: RestartInstanceInput;
}>;


export type BulkRestartMutation = { __typename?: 'Mutation', restartInstance: { __typename?: 'RestartInstancePayload', operation?: { __typename?: 'Operation', id: string, status: OperationStatus } | null, userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type BulkDeleteMutationVariables = Exact<{
  input: DeleteInstanceInput;
}>;


export type BulkDeleteMutation = { __typename?: 'Mutation', deleteInstance: { __typename?: 'DeleteInstancePayload', operation?: { __typename?: 'Operation', id: string, status: OperationStatus } | null, userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type BulkTargetQueryVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type BulkTargetQuery = { __typename?: 'Query', instance?: { __typename?: 'Instance', id: string, name: string, state: InstanceState, revision: string, deletionProtected: boolean, availableOperations: Array<OperationKind>, labels: Array<{ __typename?: 'Label', key: string, value: string }> } | null };

export type BulkProgressSubscriptionVariables = Exact<{
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type BulkProgressSubscription = { __typename?: 'Subscription', instanceEvents: { __typename?: 'InstanceEvent', cursor: string, operation?: { __typename?: 'Operation', id: string, status: OperationStatus, error?: { __typename?: 'Reason', message: string } | null } | null } };

export type BulkOperationFragment = { __typename?: 'Operation', id: string, status: OperationStatus, error?: { __typename?: 'Reason', message: string } | null };

export type BulkOperationQueryVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type BulkOperationQuery = { __typename?: 'Query', operation?: { __typename?: 'Operation', id: string, status: OperationStatus, error?: { __typename?: 'Reason', message: string } | null } | null };

export type ControlPlaneQueryVariables = Exact<{ [key: string]: never; }>;


export type ControlPlaneQuery = { __typename?: 'Query', controlPlane: { __typename?: 'ControlPlane', version: string, runtime: string, postgresVersions: Array<string>, copiesInstances: boolean, caller: { __typename?: 'Caller', role: TokenRole, tokenName?: string | null, tokenId?: string | null, tokenExpiresAt?: string | null }, limits: { __typename?: 'Limits', storageGb: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, cpuMillis: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, memoryMb: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, healthCheckIntervalSeconds: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, healthCheckTimeoutSeconds: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, restartTimeoutSeconds: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, suspendTimeoutSeconds: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, idleSuspendMinutes: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, maintenanceWindowMinutes: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, storageAutoGrowPercent: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, backupIntervalHours: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, backupRetentionDays: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, nameLength: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, passwordBytes: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, labels: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, labelKeyLength: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, labelValueLength: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, tokenNameLength: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, tokenExpiresInDays: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, webhookUrlLength: { __typename?: 'IntRange', min: number, max: number, default?: number | null }, webhookDescriptionLength: { __typename?: 'IntRange', min: number, max: number, default?: number | null } } } };

export type RangeFragment = { __typename?: 'IntRange', min: number, max: number, default?: number | null };

export type CreateDatabaseUserMutationVariables = Exact<{
  input: CreateDatabaseUserInput;
}>;


export type CreateDatabaseUserMutation = { __typename?: 'Mutation', createDatabaseUser: { __typename?: 'CreateDatabaseUserPayload', password?: string | null, userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type DropDatabaseUserMutationVariables = Exact<{
  input: DropDatabaseUserInput;
}>;


export type DropDatabaseUserMutation = { __typename?: 'Mutation', dropDatabaseUser: { __typename?: 'DropDatabaseUserPayload', userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type CreateDatabaseMutationVariables = Exact<{
  input: CreateDatabaseInput;
}>;


export type CreateDatabaseMutation = { __typename?: 'Mutation', createDatabase: { __typename?: 'CreateDatabasePayload', userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type DropDatabaseMutationVariables = Exact<{
  input: DropDatabaseInput;
}>;


export type DropDatabaseMutation = { __typename?: 'Mutation', dropDatabase: { __typename?: 'DropDatabasePayload', userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type EventHistoryQueryVariables = Exact<{
  instanceId: Scalars['ID']['input'];
  last: Scalars['Int']['input'];
}>;


export type EventHistoryQuery = { __typename?: 'Query', instance?: { __typename?: 'Instance', events: { __typename?: 'InstanceEventConnection', nodes: Array<{ __typename?: 'InstanceEvent', cursor: string, type: InstanceEventType, at: string, from?: string | null, to?: string | null, reason?: { __typename?: 'Reason', code: ReasonCode, message: string } | null, operation?: { __typename?: 'Operation', id: string, kind: OperationKind, restoration?: { __typename?: 'OperationRestoration', clones: boolean } | null } | null, notices: Array<{ __typename?: 'NoticeChange', raised: boolean, notice: { __typename?: 'Notice', code: NoticeCode, message: string } }> }> } } | null };

export type EventLineFragment = { __typename?: 'InstanceEvent', cursor: string, type: InstanceEventType, at: string, from?: string | null, to?: string | null, reason?: { __typename?: 'Reason', code: ReasonCode, message: string } | null, operation?: { __typename?: 'Operation', id: string, kind: OperationKind, restoration?: { __typename?: 'OperationRestoration', clones: boolean } | null } | null, notices: Array<{ __typename?: 'NoticeChange', raised: boolean, notice: { __typename?: 'Notice', code: NoticeCode, message: string } }> };

export type EventsSubscriptionVariables = Exact<{
  instanceId: Scalars['ID']['input'];
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type EventsSubscription = { __typename?: 'Subscription', instanceEvents: { __typename?: 'InstanceEvent', cursor: string, type: InstanceEventType, at: string, from?: string | null, to?: string | null, reason?: { __typename?: 'Reason', code: ReasonCode, message: string } | null, operation?: { __typename?: 'Operation', id: string, kind: OperationKind, restoration?: { __typename?: 'OperationRestoration', clones: boolean } | null } | null, notices: Array<{ __typename?: 'NoticeChange', raised: boolean, notice: { __typename?: 'Notice', code: NoticeCode, message: string } }> } };

export type NewestQueryVariables = Exact<{ [key: string]: never; }>;


export type NewestQuery = { __typename?: 'Query', instances: { __typename?: 'InstanceConnection', nodes: Array<{ __typename?: 'Instance', id: string, name: string, upgradeTargets: Array<{ __typename?: 'UpgradeTarget', version: string, obstacle?: string | null }>, backups: { __typename?: 'BackupConnection', nodes: Array<{ __typename?: 'Backup', id: string }> } }> }, operations: { __typename?: 'OperationConnection', nodes: Array<{ __typename?: 'Operation', id: string }> } };

export type HealthSummaryQueryVariables = Exact<{
  instanceId: Scalars['ID']['input'];
}>;


export type HealthSummaryQuery = { __typename?: 'Query', instance?: { __typename?: 'Instance', healthSummary: { __typename?: 'HealthSummary', uptime?: number | null } } | null };

export type HealthHistoryQueryVariables = Exact<{
  instanceId: Scalars['ID']['input'];
  first: Scalars['Int']['input'];
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type HealthHistoryQuery = { __typename?: 'Query', instance?: { __typename?: 'Instance', healthChecks: { __typename?: 'HealthCheckConnection', pageInfo: { __typename?: 'PageInfo', endCursor?: string | null, hasNextPage: boolean }, nodes: Array<{ __typename?: 'HealthCheck', cursor: string, at: string, status: HealthStatus, latencyMs?: number | null, loggedIn?: boolean | null, error?: { __typename?: 'Reason', code: ReasonCode, message: string } | null }> } } | null };

export type SampleFragment = { __typename?: 'HealthCheck', cursor: string, at: string, status: HealthStatus, latencyMs?: number | null, loggedIn?: boolean | null, error?: { __typename?: 'Reason', code: ReasonCode, message: string } | null };

export type HealthChecksSubscriptionVariables = Exact<{
  instanceId: Scalars['ID']['input'];
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type HealthChecksSubscription = { __typename?: 'Subscription', healthChecks: { __typename?: 'HealthCheck', cursor: string, at: string, status: HealthStatus, latencyMs?: number | null, loggedIn?: boolean | null, error?: { __typename?: 'Reason', code: ReasonCode, message: string } | null } };

export type ConnectionStringQueryVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type ConnectionStringQuery = { __typename?: 'Query', instance?: { __typename?: 'Instance', connectionString?: string | null } | null };

export type CreateInstanceMutationVariables = Exact<{
  input: CreateInstanceInput;
}>;


export type CreateInstanceMutation = { __typename?: 'Mutation', createInstance: { __typename?: 'CreateInstancePayload', instance?: { __typename?: 'Instance', id: string } | null, userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type DeletedInstancesQueryVariables = Exact<{
  first: Scalars['Int']['input'];
}>;


export type DeletedInstancesQuery = { __typename?: 'Query', instances: { __typename?: 'InstanceConnection', nodes: Array<{ __typename?: 'Instance', id: string, name: string, state: InstanceState, health: HealthStatus, postgresVersion: string, storageGb: number, cpuMillis: number, memoryMb: number, createdAt: string, currentOperation?: { __typename?: 'Operation', kind: OperationKind, restoration?: { __typename?: 'OperationRestoration', clones: boolean } | null } | null, reason?: { __typename?: 'Reason', code: ReasonCode, message: string } | null, notices: Array<{ __typename?: 'Notice', code: NoticeCode, message: string }>, labels: Array<{ __typename?: 'Label', key: string, value: string }>, endpoint?: { __typename?: 'Endpoint', host: string, port: number } | null }> } };

export type InstancesSubscriptionVariables = Exact<{
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type InstancesSubscription = { __typename?: 'Subscription', instances: { __typename?: 'InstanceChange', type: InstanceChangeType, cursor: string, instanceId?: string | null, instance?: { __typename?: 'Instance', id: string, name: string, state: InstanceState, health: HealthStatus, postgresVersion: string, storageGb: number, cpuMillis: number, memoryMb: number, createdAt: string, currentOperation?: { __typename?: 'Operation', kind: OperationKind, restoration?: { __typename?: 'OperationRestoration', clones: boolean } | null } | null, reason?: { __typename?: 'Reason', code: ReasonCode, message: string } | null, notices: Array<{ __typename?: 'Notice', code: NoticeCode, message: string }>, labels: Array<{ __typename?: 'Label', key: string, value: string }>, endpoint?: { __typename?: 'Endpoint', host: string, port: number } | null } | null } };

export type InstanceRowFragment = { __typename?: 'Instance', id: string, name: string, state: InstanceState, health: HealthStatus, postgresVersion: string, storageGb: number, cpuMillis: number, memoryMb: number, createdAt: string, currentOperation?: { __typename?: 'Operation', kind: OperationKind, restoration?: { __typename?: 'OperationRestoration', clones: boolean } | null } | null, reason?: { __typename?: 'Reason', code: ReasonCode, message: string } | null, notices: Array<{ __typename?: 'Notice', code: NoticeCode, message: string }>, labels: Array<{ __typename?: 'Label', key: string, value: string }>, endpoint?: { __typename?: 'Endpoint', host: string, port: number } | null };

export type InstanceSubscriptionVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type InstanceSubscription = { __typename?: 'Subscription', instance: { __typename?: 'Instance', id: string, revision: string, name: string, state: InstanceState, health: HealthStatus, postgresVersion: string, storageGb: number, cpuMillis: number, memoryMb: number, username: string, database: string, requireTls: boolean, deletionProtected: boolean, idleSuspendMinutes?: number | null, availableOperations: Array<OperationKind>, createdAt: string, deletedAt?: string | null, currentOperation?: { __typename?: 'Operation', kind: OperationKind, restoration?: { __typename?: 'OperationRestoration', clones: boolean } | null } | null, reason?: { __typename?: 'Reason', code: ReasonCode, message: string } | null, notices: Array<{ __typename?: 'Notice', code: NoticeCode, message: string }>, updateAvailable?: { __typename?: 'AvailableUpdate', from: string, to: string } | null, upgradeTargets: Array<{ __typename?: 'UpgradeTarget', version: string, obstacle?: string | null }>, exposure: { __typename?: 'Exposure', type: ExposureType, sourceRanges: Array<string>, dnsLabel?: string | null }, parameters: Array<{ __typename?: 'InstanceParameter', name: string, value?: string | null, pendingRestart: boolean, pendingValue?: string | null }>, certificate?: { __typename?: 'Certificate', notAfter: string } | null, endpoint?: { __typename?: 'Endpoint', host: string, port: number } | null, labels: Array<{ __typename?: 'Label', key: string, value: string }>, maintenanceWindow?: { __typename?: 'MaintenanceWindow', weekday: Weekday, startTime: string, durationMinutes: number } | null, storageAutoGrow?: { __typename?: 'StorageAutoGrow', thresholdPercent: number, maxGb: number } | null, storageUsage?: { __typename?: 'StorageUsage', usedBytes: string, capacityBytes: string, usedPercent: number, readOnly: boolean } | null, healthCheckPolicy: { __typename?: 'HealthCheckPolicy', intervalSeconds: number, timeoutSeconds: number }, databaseUsers: { __typename?: 'DatabaseUserConnection', nodes: Array<{ __typename?: 'DatabaseUser', id: string, name: string, access: DatabaseAccess, database?: string | null }> }, databases: { __typename?: 'DatabaseConnection', nodes: Array<{ __typename?: 'Database', id: string, name: string, owner: string }> }, operations: { __typename?: 'OperationConnection', nodes: Array<{ __typename?: 'Operation', id: string, kind: OperationKind, status: OperationStatus }> } } };

export type InstancePageFragment = { __typename?: 'Instance', id: string, revision: string, name: string, state: InstanceState, health: HealthStatus, postgresVersion: string, storageGb: number, cpuMillis: number, memoryMb: number, username: string, database: string, requireTls: boolean, deletionProtected: boolean, idleSuspendMinutes?: number | null, availableOperations: Array<OperationKind>, createdAt: string, deletedAt?: string | null, currentOperation?: { __typename?: 'Operation', kind: OperationKind, restoration?: { __typename?: 'OperationRestoration', clones: boolean } | null } | null, reason?: { __typename?: 'Reason', code: ReasonCode, message: string } | null, notices: Array<{ __typename?: 'Notice', code: NoticeCode, message: string }>, updateAvailable?: { __typename?: 'AvailableUpdate', from: string, to: string } | null, upgradeTargets: Array<{ __typename?: 'UpgradeTarget', version: string, obstacle?: string | null }>, exposure: { __typename?: 'Exposure', type: ExposureType, sourceRanges: Array<string>, dnsLabel?: string | null }, parameters: Array<{ __typename?: 'InstanceParameter', name: string, value?: string | null, pendingRestart: boolean, pendingValue?: string | null }>, certificate?: { __typename?: 'Certificate', notAfter: string } | null, endpoint?: { __typename?: 'Endpoint', host: string, port: number } | null, labels: Array<{ __typename?: 'Label', key: string, value: string }>, maintenanceWindow?: { __typename?: 'MaintenanceWindow', weekday: Weekday, startTime: string, durationMinutes: number } | null, storageAutoGrow?: { __typename?: 'StorageAutoGrow', thresholdPercent: number, maxGb: number } | null, storageUsage?: { __typename?: 'StorageUsage', usedBytes: string, capacityBytes: string, usedPercent: number, readOnly: boolean } | null, healthCheckPolicy: { __typename?: 'HealthCheckPolicy', intervalSeconds: number, timeoutSeconds: number }, databaseUsers: { __typename?: 'DatabaseUserConnection', nodes: Array<{ __typename?: 'DatabaseUser', id: string, name: string, access: DatabaseAccess, database?: string | null }> }, databases: { __typename?: 'DatabaseConnection', nodes: Array<{ __typename?: 'Database', id: string, name: string, owner: string }> }, operations: { __typename?: 'OperationConnection', nodes: Array<{ __typename?: 'Operation', id: string, kind: OperationKind, status: OperationStatus }> } };

export type RowActionsQueryVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type RowActionsQuery = { __typename?: 'Query', instance?: { __typename?: 'Instance', availableOperations: Array<OperationKind>, deletionProtected: boolean } | null };

export type UpdateInstanceMutationVariables = Exact<{
  input: UpdateInstanceInput;
}>;


export type UpdateInstanceMutation = { __typename?: 'Mutation', updateInstance: { __typename?: 'UpdateInstancePayload', userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type InstanceLogsSubscriptionVariables = Exact<{
  instanceId: Scalars['ID']['input'];
  tail?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
  severity?: InputMaybe<LogSeverity>;
}>;


export type InstanceLogsSubscription = { __typename?: 'Subscription', instanceLogs: { __typename?: 'InstanceLogBatch', cursor: string, gap: boolean, entries: Array<{ __typename?: 'LogEntry', cursor: string, time?: string | null, severity: LogSeverity, sqlstate?: string | null, message: string, detail?: string | null, hint?: string | null, context?: string | null, statement?: string | null, username?: string | null, database?: string | null, applicationName?: string | null, pid?: number | null }> } };

export type LogLineFragment = { __typename?: 'LogEntry', cursor: string, time?: string | null, severity: LogSeverity, sqlstate?: string | null, message: string, detail?: string | null, hint?: string | null, context?: string | null, statement?: string | null, username?: string | null, database?: string | null, applicationName?: string | null, pid?: number | null };

export type MetricsQueryVariables = Exact<{
  id: Scalars['ID']['input'];
  names?: InputMaybe<Array<MetricName> | MetricName>;
  from?: InputMaybe<Scalars['DateTime']['input']>;
  stepSeconds?: InputMaybe<Scalars['Int']['input']>;
}>;


export type MetricsQuery = { __typename?: 'Query', instance?: { __typename?: 'Instance', metrics: Array<{ __typename?: 'MetricSeries', name: MetricName, unit: MetricUnit, points: Array<{ __typename?: 'MetricPoint', at: string, value: number, maximum: number }> }> } | null };

export type LatestMetricsSubscriptionVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type LatestMetricsSubscription = { __typename?: 'Subscription', instanceMetrics: { __typename?: 'InstanceMetrics', at: string, values: Array<{ __typename?: 'MetricValue', name: MetricName, value?: number | null }> } };

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

export type RepairInstanceMutationVariables = Exact<{
  input: RepairInstanceInput;
}>;


export type RepairInstanceMutation = { __typename?: 'Mutation', repairInstance: { __typename?: 'RepairInstancePayload', userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type ResizeInstanceMutationVariables = Exact<{
  input: ResizeInstanceInput;
}>;


export type ResizeInstanceMutation = { __typename?: 'Mutation', resizeInstance: { __typename?: 'ResizeInstancePayload', userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type RestartInstanceMutationVariables = Exact<{
  input: RestartInstanceInput;
}>;


export type RestartInstanceMutation = { __typename?: 'Mutation', restartInstance: { __typename?: 'RestartInstancePayload', userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type ResumeInstanceMutationVariables = Exact<{
  input: ResumeInstanceInput;
}>;


export type ResumeInstanceMutation = { __typename?: 'Mutation', resumeInstance: { __typename?: 'ResumeInstancePayload', userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type RotatePasswordMutationVariables = Exact<{
  input: RotatePasswordInput;
}>;


export type RotatePasswordMutation = { __typename?: 'Mutation', rotatePassword: { __typename?: 'RotatePasswordPayload', userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type SetParametersMutationVariables = Exact<{
  input: SetParametersInput;
}>;


export type SetParametersMutation = { __typename?: 'Mutation', setParameters: { __typename?: 'SetParametersPayload', userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type SuspendInstanceMutationVariables = Exact<{
  input: SuspendInstanceInput;
}>;


export type SuspendInstanceMutation = { __typename?: 'Mutation', suspendInstance: { __typename?: 'SuspendInstancePayload', userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type UpgradeInstanceMutationVariables = Exact<{
  input: UpgradeInstanceInput;
}>;


export type UpgradeInstanceMutation = { __typename?: 'Mutation', upgradeInstance: { __typename?: 'UpgradeInstancePayload', userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type OperationSubscriptionVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type OperationSubscription = { __typename?: 'Subscription', operation: { __typename?: 'Operation', id: string, kind: OperationKind, status: OperationStatus, cancelRequested: boolean, requestedBy?: string | null, canCancel: boolean, canRetry: boolean, createdAt: string, startedAt?: string | null, finishedAt?: string | null, restoration?: { __typename?: 'OperationRestoration', clones: boolean } | null, error?: { __typename?: 'Reason', code: ReasonCode, message: string } | null, instance: { __typename?: 'Instance', id: string, name: string }, steps: Array<{ __typename?: 'OperationStep', name: StepName, status: StepStatus, attempt: number, startedAt?: string | null, finishedAt?: string | null, findings: Array<string>, error?: { __typename?: 'Reason', code: ReasonCode, message: string } | null }> } };

export type OperationsQueryVariables = Exact<{
  first: Scalars['Int']['input'];
  after?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<OperationFilter>;
}>;


export type OperationsQuery = { __typename?: 'Query', operations: { __typename?: 'OperationConnection', totalCount: number, pageInfo: { __typename?: 'PageInfo', endCursor?: string | null, hasNextPage: boolean }, nodes: Array<{ __typename?: 'Operation', id: string, kind: OperationKind, status: OperationStatus, cancelRequested: boolean, requestedBy?: string | null, canCancel: boolean, canRetry: boolean, createdAt: string, startedAt?: string | null, finishedAt?: string | null, restoration?: { __typename?: 'OperationRestoration', clones: boolean } | null, error?: { __typename?: 'Reason', code: ReasonCode, message: string } | null, instance: { __typename?: 'Instance', id: string, name: string }, steps: Array<{ __typename?: 'OperationStep', name: StepName, status: StepStatus, attempt: number, startedAt?: string | null, finishedAt?: string | null, findings: Array<string>, error?: { __typename?: 'Reason', code: ReasonCode, message: string } | null }> }> } };

export type OperationCardFragment = { __typename?: 'Operation', id: string, kind: OperationKind, status: OperationStatus, cancelRequested: boolean, requestedBy?: string | null, canCancel: boolean, canRetry: boolean, createdAt: string, startedAt?: string | null, finishedAt?: string | null, restoration?: { __typename?: 'OperationRestoration', clones: boolean } | null, error?: { __typename?: 'Reason', code: ReasonCode, message: string } | null, instance: { __typename?: 'Instance', id: string, name: string }, steps: Array<{ __typename?: 'OperationStep', name: StepName, status: StepStatus, attempt: number, startedAt?: string | null, finishedAt?: string | null, findings: Array<string>, error?: { __typename?: 'Reason', code: ReasonCode, message: string } | null }> };

export type OperationUpdatesSubscriptionVariables = Exact<{
  instanceId?: InputMaybe<Scalars['ID']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type OperationUpdatesSubscription = { __typename?: 'Subscription', instanceEvents: { __typename?: 'InstanceEvent', cursor: string, operation?: { __typename?: 'Operation', id: string, kind: OperationKind, status: OperationStatus, cancelRequested: boolean, requestedBy?: string | null, canCancel: boolean, canRetry: boolean, createdAt: string, startedAt?: string | null, finishedAt?: string | null, restoration?: { __typename?: 'OperationRestoration', clones: boolean } | null, error?: { __typename?: 'Reason', code: ReasonCode, message: string } | null, instance: { __typename?: 'Instance', id: string, name: string }, steps: Array<{ __typename?: 'OperationStep', name: StepName, status: StepStatus, attempt: number, startedAt?: string | null, finishedAt?: string | null, findings: Array<string>, error?: { __typename?: 'Reason', code: ReasonCode, message: string } | null }> } | null } };

export type ParametersQueryVariables = Exact<{
  postgresVersion: Scalars['String']['input'];
}>;


export type ParametersQuery = { __typename?: 'Query', controlPlane: { __typename?: 'ControlPlane', parameters: Array<{ __typename?: 'Parameter', name: string, type: ParameterType, unit?: string | null, min?: number | null, max?: number | null, enumValues?: Array<string> | null, default: string, needsRestart: boolean, category: string, description: string }> } };

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

export type TopQueriesQueryVariables = Exact<{
  id: Scalars['ID']['input'];
  orderBy: TopQueryOrder;
}>;


export type TopQueriesQuery = { __typename?: 'Query', instance?: { __typename?: 'Instance', topQueries: { __typename?: 'TopQueries', since?: string | null, evictions?: string | null, queries: Array<{ __typename?: 'TopQuery', queryId: string, text: string, username?: string | null, database?: string | null, calls: string, totalTimeMs: number, meanTimeMs: number, rows: string, ioBytes: string, timeShare: number }>, reason?: { __typename?: 'Reason', message: string } | null } } | null };

export type CreateWebhookMutationVariables = Exact<{
  input: CreateWebhookInput;
}>;


export type CreateWebhookMutation = { __typename?: 'Mutation', createWebhook: { __typename?: 'CreateWebhookPayload', secret?: string | null, userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type DeleteWebhookMutationVariables = Exact<{
  input: DeleteWebhookInput;
}>;


export type DeleteWebhookMutation = { __typename?: 'Mutation', deleteWebhook: { __typename?: 'DeleteWebhookPayload', userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type WebhooksSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type WebhooksSubscription = { __typename?: 'Subscription', webhooks: Array<{ __typename?: 'Webhook', id: string, url: string, description: string, events: Array<WebhookEventType>, state: WebhookState, lastDeliveredAt?: string | null, failingSince?: string | null, nextAttemptAt?: string | null, pendingEvents: number, revision: string, disabled?: { __typename?: 'WebhookDisabled', code: WebhookDisabledCode, message: string } | null, lastAttempt?: { __typename?: 'WebhookAttempt', status?: number | null, error?: string | null } | null }> };

export type WebhookRowFragment = { __typename?: 'Webhook', id: string, url: string, description: string, events: Array<WebhookEventType>, state: WebhookState, lastDeliveredAt?: string | null, failingSince?: string | null, nextAttemptAt?: string | null, pendingEvents: number, revision: string, disabled?: { __typename?: 'WebhookDisabled', code: WebhookDisabledCode, message: string } | null, lastAttempt?: { __typename?: 'WebhookAttempt', status?: number | null, error?: string | null } | null };

export type RotateWebhookSecretMutationVariables = Exact<{
  input: RotateWebhookSecretInput;
}>;


export type RotateWebhookSecretMutation = { __typename?: 'Mutation', rotateWebhookSecret: { __typename?: 'RotateWebhookSecretPayload', secret?: string | null, userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type TestWebhookMutationVariables = Exact<{
  input: TestWebhookInput;
}>;


export type TestWebhookMutation = { __typename?: 'Mutation', testWebhook: { __typename?: 'TestWebhookPayload', answer?: { __typename?: 'WebhookAnswer', delivered: boolean, status?: number | null, error?: string | null, body: string, durationMs: number } | null, userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

export type UpdateWebhookMutationVariables = Exact<{
  input: UpdateWebhookInput;
}>;


export type UpdateWebhookMutation = { __typename?: 'Mutation', updateWebhook: { __typename?: 'UpdateWebhookPayload', userErrors: Array<{ __typename?: 'UserError', field: Array<string>, message: string }> } };

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
export const BackupsFragmentDoc = new TypedDocumentString(`
    fragment Backups on Instance {
  id
  backupPolicy {
    enabled
    intervalHours
    retentionDays
    store
    durability
    protection
    reason {
      code
      message
    }
  }
  recovery {
    from
    to
    intervals {
      from
      to
    }
    gaps {
      from
      to
      reason
    }
    lastDurableAt
    lagSeconds
    archiving
    storedBytes
    incomplete {
      message
    }
  }
  backups(first: 20) {
    nodes {
      id
      status
      bytes
      totalBytes
      storedBytes
      createdAt
      finishedAt
      expiresAt
      keptFor
      locked
      error {
        message
      }
      verification {
        status
        restoreSeconds
        reason {
          message
        }
      }
    }
  }
}
    `, {"fragmentName":"Backups"}) as unknown as TypedDocumentString<BackupsFragment, unknown>;
export const BulkOperationFragmentDoc = new TypedDocumentString(`
    fragment BulkOperation on Operation {
  id
  status
  error {
    message
  }
}
    `, {"fragmentName":"BulkOperation"}) as unknown as TypedDocumentString<BulkOperationFragment, unknown>;
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
    restoration {
      clones
    }
  }
  notices {
    raised
    notice {
      code
      message
    }
  }
}
    `, {"fragmentName":"EventLine"}) as unknown as TypedDocumentString<EventLineFragment, unknown>;
export const SampleFragmentDoc = new TypedDocumentString(`
    fragment Sample on HealthCheck {
  cursor
  at
  status
  latencyMs
  loggedIn
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
  currentOperation {
    kind
    restoration {
      clones
    }
  }
  reason {
    code
    message
  }
  notices {
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
  revision
  name
  state
  health
  currentOperation {
    kind
    restoration {
      clones
    }
  }
  reason {
    code
    message
  }
  notices {
    code
    message
  }
  postgresVersion
  updateAvailable {
    from
    to
  }
  upgradeTargets {
    version
    obstacle
  }
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
  parameters {
    name
    value
    pendingRestart
    pendingValue
  }
  requireTls
  certificate {
    notAfter
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
  idleSuspendMinutes
  maintenanceWindow {
    weekday
    startTime
    durationMinutes
  }
  storageAutoGrow {
    thresholdPercent
    maxGb
  }
  storageUsage {
    usedBytes
    capacityBytes
    usedPercent
    readOnly
  }
  healthCheckPolicy {
    intervalSeconds
    timeoutSeconds
  }
  availableOperations
  databaseUsers(first: 100) {
    nodes {
      id
      name
      access
      database
    }
  }
  databases(first: 100) {
    nodes {
      id
      name
      owner
    }
  }
  createdAt
  deletedAt
  operations(first: 1) {
    nodes {
      id
      kind
      status
    }
  }
}
    `, {"fragmentName":"InstancePage"}) as unknown as TypedDocumentString<InstancePageFragment, unknown>;
export const LogLineFragmentDoc = new TypedDocumentString(`
    fragment LogLine on LogEntry {
  cursor
  time
  severity
  sqlstate
  message
  detail
  hint
  context
  statement
  username
  database
  applicationName
  pid
}
    `, {"fragmentName":"LogLine"}) as unknown as TypedDocumentString<LogLineFragment, unknown>;
export const OperationCardFragmentDoc = new TypedDocumentString(`
    fragment OperationCard on Operation {
  id
  kind
  restoration {
    clones
  }
  status
  cancelRequested
  requestedBy
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
    findings
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
export const WebhookRowFragmentDoc = new TypedDocumentString(`
    fragment WebhookRow on Webhook {
  id
  url
  description
  events
  state
  disabled {
    code
    message
  }
  lastDeliveredAt
  lastAttempt {
    status
    error
  }
  failingSince
  nextAttemptAt
  pendingEvents
  revision
}
    `, {"fragmentName":"WebhookRow"}) as unknown as TypedDocumentString<WebhookRowFragment, unknown>;
export const CancelQueryDocument = new TypedDocumentString(`
    mutation CancelQuery($input: CancelQueryInput!) {
  cancelQuery(input: $input) {
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<CancelQueryMutation, CancelQueryMutationVariables>;
export const TerminateSessionDocument = new TypedDocumentString(`
    mutation TerminateSession($input: TerminateSessionInput!) {
  terminateSession(input: $input) {
    ended
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<TerminateSessionMutation, TerminateSessionMutationVariables>;
export const ActivityDocument = new TypedDocumentString(`
    query Activity($id: ID!) {
  instance(id: $id) {
    activity {
      readAt
      totalSessions
      sessions {
        id
        pid
        username
        database
        applicationName
        clientAddress
        state
        waitEventType
        waitEvent
        blockedBy
        transactionSeconds
        statementSeconds
        stateSeconds
        statement
      }
      reason {
        message
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ActivityQuery, ActivityQueryVariables>;
export const CloneInstanceDocument = new TypedDocumentString(`
    mutation CloneInstance($input: CloneInstanceInput!) {
  cloneInstance(input: $input) {
    instance {
      id
    }
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<CloneInstanceMutation, CloneInstanceMutationVariables>;
export const CreateBackupDocument = new TypedDocumentString(`
    mutation CreateBackup($input: CreateBackupInput!) {
  createBackup(input: $input) {
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<CreateBackupMutation, CreateBackupMutationVariables>;
export const DeleteBackupDocument = new TypedDocumentString(`
    mutation DeleteBackup($input: DeleteBackupInput!) {
  deleteBackup(input: $input) {
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<DeleteBackupMutation, DeleteBackupMutationVariables>;
export const InstanceBackupsDocument = new TypedDocumentString(`
    subscription InstanceBackups($id: ID!) {
  instanceBackups(id: $id) {
    ...Backups
  }
}
    fragment Backups on Instance {
  id
  backupPolicy {
    enabled
    intervalHours
    retentionDays
    store
    durability
    protection
    reason {
      code
      message
    }
  }
  recovery {
    from
    to
    intervals {
      from
      to
    }
    gaps {
      from
      to
      reason
    }
    lastDurableAt
    lagSeconds
    archiving
    storedBytes
    incomplete {
      message
    }
  }
  backups(first: 20) {
    nodes {
      id
      status
      bytes
      totalBytes
      storedBytes
      createdAt
      finishedAt
      expiresAt
      keptFor
      locked
      error {
        message
      }
      verification {
        status
        restoreSeconds
        reason {
          message
        }
      }
    }
  }
}`) as unknown as TypedDocumentString<InstanceBackupsSubscription, InstanceBackupsSubscriptionVariables>;
export const UpdateBackupDocument = new TypedDocumentString(`
    mutation UpdateBackup($input: UpdateBackupInput!) {
  updateBackup(input: $input) {
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<UpdateBackupMutation, UpdateBackupMutationVariables>;
export const ImportBackupsDocument = new TypedDocumentString(`
    mutation ImportBackups($input: ImportBackupsInput!) {
  importBackups(input: $input) {
    instances {
      id
      name
    }
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<ImportBackupsMutation, ImportBackupsMutationVariables>;
export const RestoreInstanceDocument = new TypedDocumentString(`
    mutation RestoreInstance($input: RestoreInstanceInput!) {
  restoreInstance(input: $input) {
    instance {
      id
    }
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RestoreInstanceMutation, RestoreInstanceMutationVariables>;
export const BulkRestartDocument = new TypedDocumentString(`
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
    `) as unknown as TypedDocumentString<BulkRestartMutation, BulkRestartMutationVariables>;
export const BulkDeleteDocument = new TypedDocumentString(`
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
    `) as unknown as TypedDocumentString<BulkDeleteMutation, BulkDeleteMutationVariables>;
export const BulkTargetDocument = new TypedDocumentString(`
    query BulkTarget($id: ID!) {
  instance(id: $id) {
    id
    name
    state
    revision
    deletionProtected
    availableOperations
    labels {
      key
      value
    }
  }
}
    `) as unknown as TypedDocumentString<BulkTargetQuery, BulkTargetQueryVariables>;
export const BulkProgressDocument = new TypedDocumentString(`
    subscription BulkProgress($after: String) {
  instanceEvents(after: $after) {
    cursor
    operation {
      ...BulkOperation
    }
  }
}
    fragment BulkOperation on Operation {
  id
  status
  error {
    message
  }
}`) as unknown as TypedDocumentString<BulkProgressSubscription, BulkProgressSubscriptionVariables>;
export const BulkOperationDocument = new TypedDocumentString(`
    query BulkOperation($id: ID!) {
  operation(id: $id) {
    ...BulkOperation
  }
}
    fragment BulkOperation on Operation {
  id
  status
  error {
    message
  }
}`) as unknown as TypedDocumentString<BulkOperationQuery, BulkOperationQueryVariables>;
export const ControlPlaneDocument = new TypedDocumentString(`
    query ControlPlane {
  controlPlane {
    version
    runtime
    postgresVersions
    copiesInstances
    caller {
      role
      tokenName
      tokenId
      tokenExpiresAt
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
      suspendTimeoutSeconds {
        ...Range
      }
      idleSuspendMinutes {
        ...Range
      }
      maintenanceWindowMinutes {
        ...Range
      }
      storageAutoGrowPercent {
        ...Range
      }
      backupIntervalHours {
        ...Range
      }
      backupRetentionDays {
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
      webhookUrlLength {
        ...Range
      }
      webhookDescriptionLength {
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
export const CreateDatabaseUserDocument = new TypedDocumentString(`
    mutation CreateDatabaseUser($input: CreateDatabaseUserInput!) {
  createDatabaseUser(input: $input) {
    password
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<CreateDatabaseUserMutation, CreateDatabaseUserMutationVariables>;
export const DropDatabaseUserDocument = new TypedDocumentString(`
    mutation DropDatabaseUser($input: DropDatabaseUserInput!) {
  dropDatabaseUser(input: $input) {
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<DropDatabaseUserMutation, DropDatabaseUserMutationVariables>;
export const CreateDatabaseDocument = new TypedDocumentString(`
    mutation CreateDatabase($input: CreateDatabaseInput!) {
  createDatabase(input: $input) {
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<CreateDatabaseMutation, CreateDatabaseMutationVariables>;
export const DropDatabaseDocument = new TypedDocumentString(`
    mutation DropDatabase($input: DropDatabaseInput!) {
  dropDatabase(input: $input) {
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<DropDatabaseMutation, DropDatabaseMutationVariables>;
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
    restoration {
      clones
    }
  }
  notices {
    raised
    notice {
      code
      message
    }
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
    restoration {
      clones
    }
  }
  notices {
    raised
    notice {
      code
      message
    }
  }
}`) as unknown as TypedDocumentString<EventsSubscription, EventsSubscriptionVariables>;
export const NewestDocument = new TypedDocumentString(`
    query Newest {
  instances(first: 1, orderBy: {field: CREATED_AT, direction: DESC}) {
    nodes {
      id
      name
      upgradeTargets {
        version
        obstacle
      }
      backups(first: 1) {
        nodes {
          id
        }
      }
    }
  }
  operations(first: 1) {
    nodes {
      id
    }
  }
}
    `) as unknown as TypedDocumentString<NewestQuery, NewestQueryVariables>;
export const HealthSummaryDocument = new TypedDocumentString(`
    query HealthSummary($instanceId: ID!) {
  instance(id: $instanceId) {
    healthSummary {
      uptime
    }
  }
}
    `) as unknown as TypedDocumentString<HealthSummaryQuery, HealthSummaryQueryVariables>;
export const HealthHistoryDocument = new TypedDocumentString(`
    query HealthHistory($instanceId: ID!, $first: Int!, $after: String) {
  instance(id: $instanceId) {
    healthChecks(first: $first, after: $after) {
      pageInfo {
        endCursor
        hasNextPage
      }
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
  loggedIn
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
  loggedIn
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
export const DeletedInstancesDocument = new TypedDocumentString(`
    query DeletedInstances($first: Int!) {
  instances(
    first: $first
    filter: {state: [DELETED]}
    orderBy: {field: CREATED_AT, direction: DESC}
  ) {
    nodes {
      ...InstanceRow
    }
  }
}
    fragment InstanceRow on Instance {
  id
  name
  state
  health
  currentOperation {
    kind
    restoration {
      clones
    }
  }
  reason {
    code
    message
  }
  notices {
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
}`) as unknown as TypedDocumentString<DeletedInstancesQuery, DeletedInstancesQueryVariables>;
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
  currentOperation {
    kind
    restoration {
      clones
    }
  }
  reason {
    code
    message
  }
  notices {
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
  revision
  name
  state
  health
  currentOperation {
    kind
    restoration {
      clones
    }
  }
  reason {
    code
    message
  }
  notices {
    code
    message
  }
  postgresVersion
  updateAvailable {
    from
    to
  }
  upgradeTargets {
    version
    obstacle
  }
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
  parameters {
    name
    value
    pendingRestart
    pendingValue
  }
  requireTls
  certificate {
    notAfter
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
  idleSuspendMinutes
  maintenanceWindow {
    weekday
    startTime
    durationMinutes
  }
  storageAutoGrow {
    thresholdPercent
    maxGb
  }
  storageUsage {
    usedBytes
    capacityBytes
    usedPercent
    readOnly
  }
  healthCheckPolicy {
    intervalSeconds
    timeoutSeconds
  }
  availableOperations
  databaseUsers(first: 100) {
    nodes {
      id
      name
      access
      database
    }
  }
  databases(first: 100) {
    nodes {
      id
      name
      owner
    }
  }
  createdAt
  deletedAt
  operations(first: 1) {
    nodes {
      id
      kind
      status
    }
  }
}`) as unknown as TypedDocumentString<InstanceSubscription, InstanceSubscriptionVariables>;
export const RowActionsDocument = new TypedDocumentString(`
    query RowActions($id: ID!) {
  instance(id: $id) {
    availableOperations
    deletionProtected
  }
}
    `) as unknown as TypedDocumentString<RowActionsQuery, RowActionsQueryVariables>;
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
export const InstanceLogsDocument = new TypedDocumentString(`
    subscription InstanceLogs($instanceId: ID!, $tail: Int, $after: String, $severity: LogSeverity) {
  instanceLogs(
    instanceId: $instanceId
    tail: $tail
    after: $after
    severity: $severity
  ) {
    cursor
    gap
    entries {
      ...LogLine
    }
  }
}
    fragment LogLine on LogEntry {
  cursor
  time
  severity
  sqlstate
  message
  detail
  hint
  context
  statement
  username
  database
  applicationName
  pid
}`) as unknown as TypedDocumentString<InstanceLogsSubscription, InstanceLogsSubscriptionVariables>;
export const MetricsDocument = new TypedDocumentString(`
    query Metrics($id: ID!, $names: [MetricName!], $from: DateTime, $stepSeconds: Int) {
  instance(id: $id) {
    metrics(names: $names, from: $from, stepSeconds: $stepSeconds) {
      name
      unit
      points {
        at
        value
        maximum
      }
    }
  }
}
    `) as unknown as TypedDocumentString<MetricsQuery, MetricsQueryVariables>;
export const LatestMetricsDocument = new TypedDocumentString(`
    subscription LatestMetrics($id: ID!) {
  instanceMetrics(instanceId: $id) {
    at
    values {
      name
      value
    }
  }
}
    `) as unknown as TypedDocumentString<LatestMetricsSubscription, LatestMetricsSubscriptionVariables>;
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
export const RepairInstanceDocument = new TypedDocumentString(`
    mutation RepairInstance($input: RepairInstanceInput!) {
  repairInstance(input: $input) {
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RepairInstanceMutation, RepairInstanceMutationVariables>;
export const ResizeInstanceDocument = new TypedDocumentString(`
    mutation ResizeInstance($input: ResizeInstanceInput!) {
  resizeInstance(input: $input) {
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<ResizeInstanceMutation, ResizeInstanceMutationVariables>;
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
export const ResumeInstanceDocument = new TypedDocumentString(`
    mutation ResumeInstance($input: ResumeInstanceInput!) {
  resumeInstance(input: $input) {
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<ResumeInstanceMutation, ResumeInstanceMutationVariables>;
export const RotatePasswordDocument = new TypedDocumentString(`
    mutation RotatePassword($input: RotatePasswordInput!) {
  rotatePassword(input: $input) {
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RotatePasswordMutation, RotatePasswordMutationVariables>;
export const SetParametersDocument = new TypedDocumentString(`
    mutation SetParameters($input: SetParametersInput!) {
  setParameters(input: $input) {
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<SetParametersMutation, SetParametersMutationVariables>;
export const SuspendInstanceDocument = new TypedDocumentString(`
    mutation SuspendInstance($input: SuspendInstanceInput!) {
  suspendInstance(input: $input) {
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<SuspendInstanceMutation, SuspendInstanceMutationVariables>;
export const UpgradeInstanceDocument = new TypedDocumentString(`
    mutation UpgradeInstance($input: UpgradeInstanceInput!) {
  upgradeInstance(input: $input) {
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<UpgradeInstanceMutation, UpgradeInstanceMutationVariables>;
export const OperationDocument = new TypedDocumentString(`
    subscription Operation($id: ID!) {
  operation(id: $id) {
    ...OperationCard
  }
}
    fragment OperationCard on Operation {
  id
  kind
  restoration {
    clones
  }
  status
  cancelRequested
  requestedBy
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
    findings
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
  restoration {
    clones
  }
  status
  cancelRequested
  requestedBy
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
    findings
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
  restoration {
    clones
  }
  status
  cancelRequested
  requestedBy
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
    findings
  }
}`) as unknown as TypedDocumentString<OperationUpdatesSubscription, OperationUpdatesSubscriptionVariables>;
export const ParametersDocument = new TypedDocumentString(`
    query Parameters($postgresVersion: String!) {
  controlPlane {
    parameters(postgresVersion: $postgresVersion) {
      name
      type
      unit
      min
      max
      enumValues
      default
      needsRestart
      category
      description
    }
  }
}
    `) as unknown as TypedDocumentString<ParametersQuery, ParametersQueryVariables>;
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
export const TopQueriesDocument = new TypedDocumentString(`
    query TopQueries($id: ID!, $orderBy: TopQueryOrder!) {
  instance(id: $id) {
    topQueries(orderBy: $orderBy, first: 20) {
      since
      evictions
      queries {
        queryId
        text
        username
        database
        calls
        totalTimeMs
        meanTimeMs
        rows
        ioBytes
        timeShare
      }
      reason {
        message
      }
    }
  }
}
    `) as unknown as TypedDocumentString<TopQueriesQuery, TopQueriesQueryVariables>;
export const CreateWebhookDocument = new TypedDocumentString(`
    mutation CreateWebhook($input: CreateWebhookInput!) {
  createWebhook(input: $input) {
    secret
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<CreateWebhookMutation, CreateWebhookMutationVariables>;
export const DeleteWebhookDocument = new TypedDocumentString(`
    mutation DeleteWebhook($input: DeleteWebhookInput!) {
  deleteWebhook(input: $input) {
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<DeleteWebhookMutation, DeleteWebhookMutationVariables>;
export const WebhooksDocument = new TypedDocumentString(`
    subscription Webhooks {
  webhooks {
    ...WebhookRow
  }
}
    fragment WebhookRow on Webhook {
  id
  url
  description
  events
  state
  disabled {
    code
    message
  }
  lastDeliveredAt
  lastAttempt {
    status
    error
  }
  failingSince
  nextAttemptAt
  pendingEvents
  revision
}`) as unknown as TypedDocumentString<WebhooksSubscription, WebhooksSubscriptionVariables>;
export const RotateWebhookSecretDocument = new TypedDocumentString(`
    mutation RotateWebhookSecret($input: RotateWebhookSecretInput!) {
  rotateWebhookSecret(input: $input) {
    secret
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RotateWebhookSecretMutation, RotateWebhookSecretMutationVariables>;
export const TestWebhookDocument = new TypedDocumentString(`
    mutation TestWebhook($input: TestWebhookInput!) {
  testWebhook(input: $input) {
    answer {
      delivered
      status
      error
      body
      durationMs
    }
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<TestWebhookMutation, TestWebhookMutationVariables>;
export const UpdateWebhookDocument = new TypedDocumentString(`
    mutation UpdateWebhook($input: UpdateWebhookInput!) {
  updateWebhook(input: $input) {
    userErrors {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<UpdateWebhookMutation, UpdateWebhookMutationVariables>;