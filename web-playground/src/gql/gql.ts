/* eslint-disable */
import * as types from './graphql';



/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "\n  mutation CancelQuery($input: CancelQueryInput!) {\n    cancelQuery(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.CancelQueryDocument,
    "\n  mutation TerminateSession($input: TerminateSessionInput!) {\n    terminateSession(input: $input) {\n      ended\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.TerminateSessionDocument,
    "\n  query Activity($id: ID!) {\n    instance(id: $id) {\n      activity {\n        readAt\n        totalSessions\n        sessions {\n          id\n          pid\n          username\n          database\n          applicationName\n          clientAddress\n          state\n          waitEventType\n          waitEvent\n          blockedBy\n          transactionSeconds\n          statementSeconds\n          stateSeconds\n          statement\n        }\n        reason {\n          message\n        }\n      }\n    }\n  }\n": typeof types.ActivityDocument,
    "\n  mutation CloneInstance($input: CloneInstanceInput!) {\n    cloneInstance(input: $input) {\n      instance {\n        id\n      }\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.CloneInstanceDocument,
    "\n  mutation CreateBackup($input: CreateBackupInput!) {\n    createBackup(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.CreateBackupDocument,
    "\n  mutation DeleteBackup($input: DeleteBackupInput!) {\n    deleteBackup(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.DeleteBackupDocument,
    "\n  subscription InstanceBackups($id: ID!) {\n    instanceBackups(id: $id) {\n      ...Backups\n    }\n  }\n\n  fragment Backups on Instance {\n    id\n    backupPolicy {\n      enabled\n      intervalHours\n      retentionDays\n      store\n      durability\n      protection\n      reason {\n        code\n        message\n      }\n    }\n    recovery {\n      from\n      to\n      intervals {\n        from\n        to\n      }\n      gaps {\n        from\n        to\n        reason\n      }\n      lastDurableAt\n      lagSeconds\n      archiving\n      storedBytes\n      incomplete {\n        message\n      }\n    }\n    backups(first: 20) {\n      nodes {\n        id\n        status\n        bytes\n        totalBytes\n        storedBytes\n        createdAt\n        finishedAt\n        expiresAt\n        keptFor\n        locked\n        error {\n          message\n        }\n        verification {\n          status\n          restoreSeconds\n          reason {\n            message\n          }\n        }\n      }\n    }\n  }\n": typeof types.InstanceBackupsDocument,
    "\n  mutation UpdateBackup($input: UpdateBackupInput!) {\n    updateBackup(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.UpdateBackupDocument,
    "\n  mutation ImportBackups($input: ImportBackupsInput!) {\n    importBackups(input: $input) {\n      instances {\n        id\n        name\n      }\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.ImportBackupsDocument,
    "\n  mutation RestoreInstance($input: RestoreInstanceInput!) {\n    restoreInstance(input: $input) {\n      instance {\n        id\n      }\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.RestoreInstanceDocument,
    "\n  mutation BulkRestart($input: RestartInstanceInput!) {\n    restartInstance(input: $input) {\n      operation {\n        id\n        status\n      }\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.BulkRestartDocument,
    "\n  mutation BulkDelete($input: DeleteInstanceInput!) {\n    deleteInstance(input: $input) {\n      operation {\n        id\n        status\n      }\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.BulkDeleteDocument,
    "\n  query BulkTarget($id: ID!) {\n    instance(id: $id) {\n      id\n      name\n      state\n      revision\n      deletionProtected\n      availableOperations\n      labels {\n        key\n        value\n      }\n    }\n  }\n": typeof types.BulkTargetDocument,
    "\n  subscription BulkProgress($after: String) {\n    instanceEvents(after: $after) {\n      cursor\n      operation {\n        ...BulkOperation\n      }\n    }\n  }\n\n  fragment BulkOperation on Operation {\n    id\n    status\n    error {\n      message\n    }\n  }\n": typeof types.BulkProgressDocument,
    "\n  query BulkOperation($id: ID!) {\n    operation(id: $id) {\n      ...BulkOperation\n    }\n  }\n": typeof types.BulkOperationDocument,
    "\n  query ControlPlane {\n    controlPlane {\n      version\n      runtime\n      postgresVersions\n      copiesInstances\n      caller {\n        role\n        tokenName\n        tokenId\n        tokenExpiresAt\n      }\n      limits {\n        storageGb {\n          ...Range\n        }\n        cpuMillis {\n          ...Range\n        }\n        memoryMb {\n          ...Range\n        }\n        healthCheckIntervalSeconds {\n          ...Range\n        }\n        healthCheckTimeoutSeconds {\n          ...Range\n        }\n        restartTimeoutSeconds {\n          ...Range\n        }\n        suspendTimeoutSeconds {\n          ...Range\n        }\n        idleSuspendMinutes {\n          ...Range\n        }\n        maintenanceWindowMinutes {\n          ...Range\n        }\n        storageAutoGrowPercent {\n          ...Range\n        }\n        backupIntervalHours {\n          ...Range\n        }\n        backupRetentionDays {\n          ...Range\n        }\n        nameLength {\n          ...Range\n        }\n        passwordBytes {\n          ...Range\n        }\n        labels {\n          ...Range\n        }\n        labelKeyLength {\n          ...Range\n        }\n        labelValueLength {\n          ...Range\n        }\n        tokenNameLength {\n          ...Range\n        }\n        tokenExpiresInDays {\n          ...Range\n        }\n        webhookUrlLength {\n          ...Range\n        }\n        webhookDescriptionLength {\n          ...Range\n        }\n      }\n    }\n  }\n\n  fragment Range on IntRange {\n    min\n    max\n    default\n  }\n": typeof types.ControlPlaneDocument,
    "\n  mutation CreateDatabaseUser($input: CreateDatabaseUserInput!) {\n    createDatabaseUser(input: $input) {\n      password\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.CreateDatabaseUserDocument,
    "\n  mutation DropDatabaseUser($input: DropDatabaseUserInput!) {\n    dropDatabaseUser(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.DropDatabaseUserDocument,
    "\n  mutation CreateDatabase($input: CreateDatabaseInput!) {\n    createDatabase(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.CreateDatabaseDocument,
    "\n  mutation DropDatabase($input: DropDatabaseInput!) {\n    dropDatabase(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.DropDatabaseDocument,
    "\n  query EventHistory($instanceId: ID!, $last: Int!) {\n    instance(id: $instanceId) {\n      events(last: $last) {\n        nodes {\n          ...EventLine\n        }\n      }\n    }\n  }\n\n  fragment EventLine on InstanceEvent {\n    cursor\n    type\n    at\n    from\n    to\n    reason {\n      code\n      message\n    }\n    operation {\n      id\n      kind\n      restoration {\n        clones\n      }\n    }\n    notices {\n      raised\n      notice {\n        code\n        message\n      }\n    }\n  }\n": typeof types.EventHistoryDocument,
    "\n  subscription Events($instanceId: ID!, $after: String) {\n    instanceEvents(instanceId: $instanceId, after: $after) {\n      ...EventLine\n    }\n  }\n": typeof types.EventsDocument,
    "\n  query Newest {\n    instances(first: 1, orderBy: { field: CREATED_AT, direction: DESC }) {\n      nodes {\n        id\n        name\n        upgradeTargets {\n          version\n          obstacle\n        }\n        backups(first: 1) {\n          nodes {\n            id\n          }\n        }\n      }\n    }\n    operations(first: 1) {\n      nodes {\n        id\n      }\n    }\n  }\n": typeof types.NewestDocument,
    "\n  query HealthSummary($instanceId: ID!) {\n    instance(id: $instanceId) {\n      healthSummary {\n        uptime\n      }\n    }\n  }\n": typeof types.HealthSummaryDocument,
    "\n  query HealthHistory($instanceId: ID!, $first: Int!, $after: String) {\n    instance(id: $instanceId) {\n      healthChecks(first: $first, after: $after) {\n        pageInfo {\n          endCursor\n          hasNextPage\n        }\n        nodes {\n          ...Sample\n        }\n      }\n    }\n  }\n\n  fragment Sample on HealthCheck {\n    cursor\n    at\n    status\n    latencyMs\n    loggedIn\n    error {\n      code\n      message\n    }\n  }\n": typeof types.HealthHistoryDocument,
    "\n  subscription HealthChecks($instanceId: ID!, $after: String) {\n    healthChecks(instanceId: $instanceId, after: $after) {\n      ...Sample\n    }\n  }\n": typeof types.HealthChecksDocument,
    "\n  query ConnectionString($id: ID!) {\n    instance(id: $id) {\n      connectionString\n    }\n  }\n": typeof types.ConnectionStringDocument,
    "\n  mutation CreateInstance($input: CreateInstanceInput!) {\n    createInstance(input: $input) {\n      instance {\n        id\n      }\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.CreateInstanceDocument,
    "\n  query DeletedInstances($first: Int!) {\n    instances(first: $first, filter: { state: [DELETED] }, orderBy: { field: CREATED_AT, direction: DESC }) {\n      nodes {\n        ...InstanceRow\n      }\n    }\n  }\n": typeof types.DeletedInstancesDocument,
    "\n  subscription Instances($after: String) {\n    instances(after: $after) {\n      type\n      cursor\n      instanceId\n      instance {\n        ...InstanceRow\n      }\n    }\n  }\n\n  fragment InstanceRow on Instance {\n    id\n    name\n    state\n    health\n    currentOperation {\n      kind\n      restoration {\n        clones\n      }\n    }\n    reason {\n      code\n      message\n    }\n    notices {\n      code\n      message\n    }\n    postgresVersion\n    storageGb\n    cpuMillis\n    memoryMb\n    labels {\n      key\n      value\n    }\n    endpoint {\n      host\n      port\n    }\n    createdAt\n  }\n": typeof types.InstancesDocument,
    "\n  subscription Instance($id: ID!) {\n    instance(id: $id) {\n      ...InstancePage\n    }\n  }\n\n  fragment InstancePage on Instance {\n    id\n    revision\n    name\n    state\n    health\n    currentOperation {\n      kind\n      restoration {\n        clones\n      }\n    }\n    reason {\n      code\n      message\n    }\n    notices {\n      code\n      message\n    }\n    postgresVersion\n    updateAvailable {\n      from\n      to\n    }\n    upgradeTargets {\n      version\n      obstacle\n    }\n    storageGb\n    cpuMillis\n    memoryMb\n    username\n    database\n    exposure {\n      type\n      sourceRanges\n      dnsLabel\n    }\n    parameters {\n      name\n      value\n      pendingRestart\n      pendingValue\n    }\n    requireTls\n    certificate {\n      notAfter\n    }\n    endpoint {\n      host\n      port\n    }\n    labels {\n      key\n      value\n    }\n    deletionProtected\n    idleSuspendMinutes\n    maintenanceWindow {\n      weekday\n      startTime\n      durationMinutes\n    }\n    storageAutoGrow {\n      thresholdPercent\n      maxGb\n    }\n    storageUsage {\n      usedBytes\n      capacityBytes\n      usedPercent\n      readOnly\n    }\n    healthCheckPolicy {\n      intervalSeconds\n      timeoutSeconds\n    }\n    availableOperations\n    databaseUsers(first: 100) {\n      nodes {\n        id\n        name\n        access\n        database\n      }\n    }\n    databases(first: 100) {\n      nodes {\n        id\n        name\n        owner\n      }\n    }\n    createdAt\n    deletedAt\n    operations(first: 1) {\n      nodes {\n        id\n        kind\n        status\n      }\n    }\n  }\n": typeof types.InstanceDocument,
    "\n  query RowActions($id: ID!) {\n    instance(id: $id) {\n      availableOperations\n      deletionProtected\n    }\n  }\n": typeof types.RowActionsDocument,
    "\n  mutation UpdateInstance($input: UpdateInstanceInput!) {\n    updateInstance(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.UpdateInstanceDocument,
    "\n  subscription InstanceLogs($instanceId: ID!, $tail: Int, $after: String, $severity: LogSeverity) {\n    instanceLogs(instanceId: $instanceId, tail: $tail, after: $after, severity: $severity) {\n      cursor\n      gap\n      entries {\n        ...LogLine\n      }\n    }\n  }\n\n  fragment LogLine on LogEntry {\n    cursor\n    time\n    severity\n    sqlstate\n    message\n    detail\n    hint\n    context\n    statement\n    username\n    database\n    applicationName\n    pid\n  }\n": typeof types.InstanceLogsDocument,
    "\n  query Metrics($id: ID!, $names: [MetricName!], $from: DateTime, $stepSeconds: Int) {\n    instance(id: $id) {\n      metrics(names: $names, from: $from, stepSeconds: $stepSeconds) {\n        name\n        unit\n        points {\n          at\n          value\n          maximum\n        }\n      }\n    }\n  }\n": typeof types.MetricsDocument,
    "\n  subscription LatestMetrics($id: ID!) {\n    instanceMetrics(instanceId: $id) {\n      at\n      values {\n        name\n        value\n      }\n    }\n  }\n": typeof types.LatestMetricsDocument,
    "\n  mutation CancelOperation($input: CancelOperationInput!) {\n    cancelOperation(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.CancelOperationDocument,
    "\n  mutation RetryOperation($input: RetryOperationInput!) {\n    retryOperation(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.RetryOperationDocument,
    "\n  mutation DeleteInstance($input: DeleteInstanceInput!) {\n    deleteInstance(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.DeleteInstanceDocument,
    "\n  mutation RepairInstance($input: RepairInstanceInput!) {\n    repairInstance(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.RepairInstanceDocument,
    "\n  mutation ResizeInstance($input: ResizeInstanceInput!) {\n    resizeInstance(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.ResizeInstanceDocument,
    "\n  mutation RestartInstance($input: RestartInstanceInput!) {\n    restartInstance(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.RestartInstanceDocument,
    "\n  mutation ResumeInstance($input: ResumeInstanceInput!) {\n    resumeInstance(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.ResumeInstanceDocument,
    "\n  mutation RotatePassword($input: RotatePasswordInput!) {\n    rotatePassword(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.RotatePasswordDocument,
    "\n  mutation SetParameters($input: SetParametersInput!) {\n    setParameters(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.SetParametersDocument,
    "\n  mutation SuspendInstance($input: SuspendInstanceInput!) {\n    suspendInstance(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.SuspendInstanceDocument,
    "\n  mutation UpgradeInstance($input: UpgradeInstanceInput!) {\n    upgradeInstance(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.UpgradeInstanceDocument,
    "\n  subscription Operation($id: ID!) {\n    operation(id: $id) {\n      ...OperationCard\n    }\n  }\n": typeof types.OperationDocument,
    "\n  query Operations($first: Int!, $after: String, $filter: OperationFilter) {\n    operations(first: $first, after: $after, filter: $filter) {\n      totalCount\n      pageInfo {\n        endCursor\n        hasNextPage\n      }\n      nodes {\n        ...OperationCard\n      }\n    }\n  }\n\n  fragment OperationCard on Operation {\n    id\n    kind\n    restoration {\n      clones\n    }\n    status\n    cancelRequested\n    requestedBy\n    canCancel\n    canRetry\n    createdAt\n    startedAt\n    finishedAt\n    error {\n      code\n      message\n    }\n    instance {\n      id\n      name\n    }\n    steps {\n      name\n      status\n      attempt\n      startedAt\n      finishedAt\n      error {\n        code\n        message\n      }\n      findings\n    }\n  }\n": typeof types.OperationsDocument,
    "\n  subscription OperationUpdates($instanceId: ID, $after: String) {\n    instanceEvents(instanceId: $instanceId, after: $after) {\n      cursor\n      operation {\n        ...OperationCard\n      }\n    }\n  }\n": typeof types.OperationUpdatesDocument,
    "\n  query Parameters($postgresVersion: String!) {\n    controlPlane {\n      parameters(postgresVersion: $postgresVersion) {\n        name\n        type\n        unit\n        min\n        max\n        enumValues\n        default\n        needsRestart\n        category\n        description\n      }\n    }\n  }\n": typeof types.ParametersDocument,
    "\n  mutation CreateToken($input: CreateApiTokenInput!) {\n    createApiToken(input: $input) {\n      secret\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.CreateTokenDocument,
    "\n  query Tokens($first: Int!, $after: String) {\n    apiTokens(first: $first, after: $after) {\n      pageInfo {\n        endCursor\n        hasNextPage\n      }\n      nodes {\n        ...TokenRow\n      }\n    }\n  }\n\n  fragment TokenRow on ApiToken {\n    id\n    name\n    role\n    createdAt\n    expiresAt\n    revokedAt\n    lastUsedAt\n  }\n": typeof types.TokensDocument,
    "\n  mutation RevokeToken($input: RevokeApiTokenInput!) {\n    revokeApiToken(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.RevokeTokenDocument,
    "\n  query TopQueries($id: ID!, $orderBy: TopQueryOrder!) {\n    instance(id: $id) {\n      topQueries(orderBy: $orderBy, first: 20) {\n        since\n        evictions\n        queries {\n          queryId\n          text\n          username\n          database\n          calls\n          totalTimeMs\n          meanTimeMs\n          rows\n          ioBytes\n          timeShare\n        }\n        reason {\n          message\n        }\n      }\n    }\n  }\n": typeof types.TopQueriesDocument,
    "\n  mutation CreateWebhook($input: CreateWebhookInput!) {\n    createWebhook(input: $input) {\n      secret\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.CreateWebhookDocument,
    "\n  mutation DeleteWebhook($input: DeleteWebhookInput!) {\n    deleteWebhook(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.DeleteWebhookDocument,
    "\n  subscription Webhooks {\n    webhooks {\n      ...WebhookRow\n    }\n  }\n\n  fragment WebhookRow on Webhook {\n    id\n    url\n    description\n    events\n    state\n    disabled {\n      code\n      message\n    }\n    lastDeliveredAt\n    lastAttempt {\n      status\n      error\n    }\n    failingSince\n    nextAttemptAt\n    pendingEvents\n    revision\n  }\n": typeof types.WebhooksDocument,
    "\n  mutation RotateWebhookSecret($input: RotateWebhookSecretInput!) {\n    rotateWebhookSecret(input: $input) {\n      secret\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.RotateWebhookSecretDocument,
    "\n  mutation TestWebhook($input: TestWebhookInput!) {\n    testWebhook(input: $input) {\n      answer {\n        delivered\n        status\n        error\n        body\n        durationMs\n      }\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.TestWebhookDocument,
    "\n  mutation UpdateWebhook($input: UpdateWebhookInput!) {\n    updateWebhook(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": typeof types.UpdateWebhookDocument,
};
const documents: Documents = {
    "\n  mutation CancelQuery($input: CancelQueryInput!) {\n    cancelQuery(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.CancelQueryDocument,
    "\n  mutation TerminateSession($input: TerminateSessionInput!) {\n    terminateSession(input: $input) {\n      ended\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.TerminateSessionDocument,
    "\n  query Activity($id: ID!) {\n    instance(id: $id) {\n      activity {\n        readAt\n        totalSessions\n        sessions {\n          id\n          pid\n          username\n          database\n          applicationName\n          clientAddress\n          state\n          waitEventType\n          waitEvent\n          blockedBy\n          transactionSeconds\n          statementSeconds\n          stateSeconds\n          statement\n        }\n        reason {\n          message\n        }\n      }\n    }\n  }\n": types.ActivityDocument,
    "\n  mutation CloneInstance($input: CloneInstanceInput!) {\n    cloneInstance(input: $input) {\n      instance {\n        id\n      }\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.CloneInstanceDocument,
    "\n  mutation CreateBackup($input: CreateBackupInput!) {\n    createBackup(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.CreateBackupDocument,
    "\n  mutation DeleteBackup($input: DeleteBackupInput!) {\n    deleteBackup(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.DeleteBackupDocument,
    "\n  subscription InstanceBackups($id: ID!) {\n    instanceBackups(id: $id) {\n      ...Backups\n    }\n  }\n\n  fragment Backups on Instance {\n    id\n    backupPolicy {\n      enabled\n      intervalHours\n      retentionDays\n      store\n      durability\n      protection\n      reason {\n        code\n        message\n      }\n    }\n    recovery {\n      from\n      to\n      intervals {\n        from\n        to\n      }\n      gaps {\n        from\n        to\n        reason\n      }\n      lastDurableAt\n      lagSeconds\n      archiving\n      storedBytes\n      incomplete {\n        message\n      }\n    }\n    backups(first: 20) {\n      nodes {\n        id\n        status\n        bytes\n        totalBytes\n        storedBytes\n        createdAt\n        finishedAt\n        expiresAt\n        keptFor\n        locked\n        error {\n          message\n        }\n        verification {\n          status\n          restoreSeconds\n          reason {\n            message\n          }\n        }\n      }\n    }\n  }\n": types.InstanceBackupsDocument,
    "\n  mutation UpdateBackup($input: UpdateBackupInput!) {\n    updateBackup(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.UpdateBackupDocument,
    "\n  mutation ImportBackups($input: ImportBackupsInput!) {\n    importBackups(input: $input) {\n      instances {\n        id\n        name\n      }\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.ImportBackupsDocument,
    "\n  mutation RestoreInstance($input: RestoreInstanceInput!) {\n    restoreInstance(input: $input) {\n      instance {\n        id\n      }\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.RestoreInstanceDocument,
    "\n  mutation BulkRestart($input: RestartInstanceInput!) {\n    restartInstance(input: $input) {\n      operation {\n        id\n        status\n      }\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.BulkRestartDocument,
    "\n  mutation BulkDelete($input: DeleteInstanceInput!) {\n    deleteInstance(input: $input) {\n      operation {\n        id\n        status\n      }\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.BulkDeleteDocument,
    "\n  query BulkTarget($id: ID!) {\n    instance(id: $id) {\n      id\n      name\n      state\n      revision\n      deletionProtected\n      availableOperations\n      labels {\n        key\n        value\n      }\n    }\n  }\n": types.BulkTargetDocument,
    "\n  subscription BulkProgress($after: String) {\n    instanceEvents(after: $after) {\n      cursor\n      operation {\n        ...BulkOperation\n      }\n    }\n  }\n\n  fragment BulkOperation on Operation {\n    id\n    status\n    error {\n      message\n    }\n  }\n": types.BulkProgressDocument,
    "\n  query BulkOperation($id: ID!) {\n    operation(id: $id) {\n      ...BulkOperation\n    }\n  }\n": types.BulkOperationDocument,
    "\n  query ControlPlane {\n    controlPlane {\n      version\n      runtime\n      postgresVersions\n      copiesInstances\n      caller {\n        role\n        tokenName\n        tokenId\n        tokenExpiresAt\n      }\n      limits {\n        storageGb {\n          ...Range\n        }\n        cpuMillis {\n          ...Range\n        }\n        memoryMb {\n          ...Range\n        }\n        healthCheckIntervalSeconds {\n          ...Range\n        }\n        healthCheckTimeoutSeconds {\n          ...Range\n        }\n        restartTimeoutSeconds {\n          ...Range\n        }\n        suspendTimeoutSeconds {\n          ...Range\n        }\n        idleSuspendMinutes {\n          ...Range\n        }\n        maintenanceWindowMinutes {\n          ...Range\n        }\n        storageAutoGrowPercent {\n          ...Range\n        }\n        backupIntervalHours {\n          ...Range\n        }\n        backupRetentionDays {\n          ...Range\n        }\n        nameLength {\n          ...Range\n        }\n        passwordBytes {\n          ...Range\n        }\n        labels {\n          ...Range\n        }\n        labelKeyLength {\n          ...Range\n        }\n        labelValueLength {\n          ...Range\n        }\n        tokenNameLength {\n          ...Range\n        }\n        tokenExpiresInDays {\n          ...Range\n        }\n        webhookUrlLength {\n          ...Range\n        }\n        webhookDescriptionLength {\n          ...Range\n        }\n      }\n    }\n  }\n\n  fragment Range on IntRange {\n    min\n    max\n    default\n  }\n": types.ControlPlaneDocument,
    "\n  mutation CreateDatabaseUser($input: CreateDatabaseUserInput!) {\n    createDatabaseUser(input: $input) {\n      password\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.CreateDatabaseUserDocument,
    "\n  mutation DropDatabaseUser($input: DropDatabaseUserInput!) {\n    dropDatabaseUser(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.DropDatabaseUserDocument,
    "\n  mutation CreateDatabase($input: CreateDatabaseInput!) {\n    createDatabase(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.CreateDatabaseDocument,
    "\n  mutation DropDatabase($input: DropDatabaseInput!) {\n    dropDatabase(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.DropDatabaseDocument,
    "\n  query EventHistory($instanceId: ID!, $last: Int!) {\n    instance(id: $instanceId) {\n      events(last: $last) {\n        nodes {\n          ...EventLine\n        }\n      }\n    }\n  }\n\n  fragment EventLine on InstanceEvent {\n    cursor\n    type\n    at\n    from\n    to\n    reason {\n      code\n      message\n    }\n    operation {\n      id\n      kind\n      restoration {\n        clones\n      }\n    }\n    notices {\n      raised\n      notice {\n        code\n        message\n      }\n    }\n  }\n": types.EventHistoryDocument,
    "\n  subscription Events($instanceId: ID!, $after: String) {\n    instanceEvents(instanceId: $instanceId, after: $after) {\n      ...EventLine\n    }\n  }\n": types.EventsDocument,
    "\n  query Newest {\n    instances(first: 1, orderBy: { field: CREATED_AT, direction: DESC }) {\n      nodes {\n        id\n        name\n        upgradeTargets {\n          version\n          obstacle\n        }\n        backups(first: 1) {\n          nodes {\n            id\n          }\n        }\n      }\n    }\n    operations(first: 1) {\n      nodes {\n        id\n      }\n    }\n  }\n": types.NewestDocument,
    "\n  query HealthSummary($instanceId: ID!) {\n    instance(id: $instanceId) {\n      healthSummary {\n        uptime\n      }\n    }\n  }\n": types.HealthSummaryDocument,
    "\n  query HealthHistory($instanceId: ID!, $first: Int!, $after: String) {\n    instance(id: $instanceId) {\n      healthChecks(first: $first, after: $after) {\n        pageInfo {\n          endCursor\n          hasNextPage\n        }\n        nodes {\n          ...Sample\n        }\n      }\n    }\n  }\n\n  fragment Sample on HealthCheck {\n    cursor\n    at\n    status\n    latencyMs\n    loggedIn\n    error {\n      code\n      message\n    }\n  }\n": types.HealthHistoryDocument,
    "\n  subscription HealthChecks($instanceId: ID!, $after: String) {\n    healthChecks(instanceId: $instanceId, after: $after) {\n      ...Sample\n    }\n  }\n": types.HealthChecksDocument,
    "\n  query ConnectionString($id: ID!) {\n    instance(id: $id) {\n      connectionString\n    }\n  }\n": types.ConnectionStringDocument,
    "\n  mutation CreateInstance($input: CreateInstanceInput!) {\n    createInstance(input: $input) {\n      instance {\n        id\n      }\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.CreateInstanceDocument,
    "\n  query DeletedInstances($first: Int!) {\n    instances(first: $first, filter: { state: [DELETED] }, orderBy: { field: CREATED_AT, direction: DESC }) {\n      nodes {\n        ...InstanceRow\n      }\n    }\n  }\n": types.DeletedInstancesDocument,
    "\n  subscription Instances($after: String) {\n    instances(after: $after) {\n      type\n      cursor\n      instanceId\n      instance {\n        ...InstanceRow\n      }\n    }\n  }\n\n  fragment InstanceRow on Instance {\n    id\n    name\n    state\n    health\n    currentOperation {\n      kind\n      restoration {\n        clones\n      }\n    }\n    reason {\n      code\n      message\n    }\n    notices {\n      code\n      message\n    }\n    postgresVersion\n    storageGb\n    cpuMillis\n    memoryMb\n    labels {\n      key\n      value\n    }\n    endpoint {\n      host\n      port\n    }\n    createdAt\n  }\n": types.InstancesDocument,
    "\n  subscription Instance($id: ID!) {\n    instance(id: $id) {\n      ...InstancePage\n    }\n  }\n\n  fragment InstancePage on Instance {\n    id\n    revision\n    name\n    state\n    health\n    currentOperation {\n      kind\n      restoration {\n        clones\n      }\n    }\n    reason {\n      code\n      message\n    }\n    notices {\n      code\n      message\n    }\n    postgresVersion\n    updateAvailable {\n      from\n      to\n    }\n    upgradeTargets {\n      version\n      obstacle\n    }\n    storageGb\n    cpuMillis\n    memoryMb\n    username\n    database\n    exposure {\n      type\n      sourceRanges\n      dnsLabel\n    }\n    parameters {\n      name\n      value\n      pendingRestart\n      pendingValue\n    }\n    requireTls\n    certificate {\n      notAfter\n    }\n    endpoint {\n      host\n      port\n    }\n    labels {\n      key\n      value\n    }\n    deletionProtected\n    idleSuspendMinutes\n    maintenanceWindow {\n      weekday\n      startTime\n      durationMinutes\n    }\n    storageAutoGrow {\n      thresholdPercent\n      maxGb\n    }\n    storageUsage {\n      usedBytes\n      capacityBytes\n      usedPercent\n      readOnly\n    }\n    healthCheckPolicy {\n      intervalSeconds\n      timeoutSeconds\n    }\n    availableOperations\n    databaseUsers(first: 100) {\n      nodes {\n        id\n        name\n        access\n        database\n      }\n    }\n    databases(first: 100) {\n      nodes {\n        id\n        name\n        owner\n      }\n    }\n    createdAt\n    deletedAt\n    operations(first: 1) {\n      nodes {\n        id\n        kind\n        status\n      }\n    }\n  }\n": types.InstanceDocument,
    "\n  query RowActions($id: ID!) {\n    instance(id: $id) {\n      availableOperations\n      deletionProtected\n    }\n  }\n": types.RowActionsDocument,
    "\n  mutation UpdateInstance($input: UpdateInstanceInput!) {\n    updateInstance(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.UpdateInstanceDocument,
    "\n  subscription InstanceLogs($instanceId: ID!, $tail: Int, $after: String, $severity: LogSeverity) {\n    instanceLogs(instanceId: $instanceId, tail: $tail, after: $after, severity: $severity) {\n      cursor\n      gap\n      entries {\n        ...LogLine\n      }\n    }\n  }\n\n  fragment LogLine on LogEntry {\n    cursor\n    time\n    severity\n    sqlstate\n    message\n    detail\n    hint\n    context\n    statement\n    username\n    database\n    applicationName\n    pid\n  }\n": types.InstanceLogsDocument,
    "\n  query Metrics($id: ID!, $names: [MetricName!], $from: DateTime, $stepSeconds: Int) {\n    instance(id: $id) {\n      metrics(names: $names, from: $from, stepSeconds: $stepSeconds) {\n        name\n        unit\n        points {\n          at\n          value\n          maximum\n        }\n      }\n    }\n  }\n": types.MetricsDocument,
    "\n  subscription LatestMetrics($id: ID!) {\n    instanceMetrics(instanceId: $id) {\n      at\n      values {\n        name\n        value\n      }\n    }\n  }\n": types.LatestMetricsDocument,
    "\n  mutation CancelOperation($input: CancelOperationInput!) {\n    cancelOperation(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.CancelOperationDocument,
    "\n  mutation RetryOperation($input: RetryOperationInput!) {\n    retryOperation(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.RetryOperationDocument,
    "\n  mutation DeleteInstance($input: DeleteInstanceInput!) {\n    deleteInstance(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.DeleteInstanceDocument,
    "\n  mutation RepairInstance($input: RepairInstanceInput!) {\n    repairInstance(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.RepairInstanceDocument,
    "\n  mutation ResizeInstance($input: ResizeInstanceInput!) {\n    resizeInstance(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.ResizeInstanceDocument,
    "\n  mutation RestartInstance($input: RestartInstanceInput!) {\n    restartInstance(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.RestartInstanceDocument,
    "\n  mutation ResumeInstance($input: ResumeInstanceInput!) {\n    resumeInstance(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.ResumeInstanceDocument,
    "\n  mutation RotatePassword($input: RotatePasswordInput!) {\n    rotatePassword(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.RotatePasswordDocument,
    "\n  mutation SetParameters($input: SetParametersInput!) {\n    setParameters(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.SetParametersDocument,
    "\n  mutation SuspendInstance($input: SuspendInstanceInput!) {\n    suspendInstance(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.SuspendInstanceDocument,
    "\n  mutation UpgradeInstance($input: UpgradeInstanceInput!) {\n    upgradeInstance(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.UpgradeInstanceDocument,
    "\n  subscription Operation($id: ID!) {\n    operation(id: $id) {\n      ...OperationCard\n    }\n  }\n": types.OperationDocument,
    "\n  query Operations($first: Int!, $after: String, $filter: OperationFilter) {\n    operations(first: $first, after: $after, filter: $filter) {\n      totalCount\n      pageInfo {\n        endCursor\n        hasNextPage\n      }\n      nodes {\n        ...OperationCard\n      }\n    }\n  }\n\n  fragment OperationCard on Operation {\n    id\n    kind\n    restoration {\n      clones\n    }\n    status\n    cancelRequested\n    requestedBy\n    canCancel\n    canRetry\n    createdAt\n    startedAt\n    finishedAt\n    error {\n      code\n      message\n    }\n    instance {\n      id\n      name\n    }\n    steps {\n      name\n      status\n      attempt\n      startedAt\n      finishedAt\n      error {\n        code\n        message\n      }\n      findings\n    }\n  }\n": types.OperationsDocument,
    "\n  subscription OperationUpdates($instanceId: ID, $after: String) {\n    instanceEvents(instanceId: $instanceId, after: $after) {\n      cursor\n      operation {\n        ...OperationCard\n      }\n    }\n  }\n": types.OperationUpdatesDocument,
    "\n  query Parameters($postgresVersion: String!) {\n    controlPlane {\n      parameters(postgresVersion: $postgresVersion) {\n        name\n        type\n        unit\n        min\n        max\n        enumValues\n        default\n        needsRestart\n        category\n        description\n      }\n    }\n  }\n": types.ParametersDocument,
    "\n  mutation CreateToken($input: CreateApiTokenInput!) {\n    createApiToken(input: $input) {\n      secret\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.CreateTokenDocument,
    "\n  query Tokens($first: Int!, $after: String) {\n    apiTokens(first: $first, after: $after) {\n      pageInfo {\n        endCursor\n        hasNextPage\n      }\n      nodes {\n        ...TokenRow\n      }\n    }\n  }\n\n  fragment TokenRow on ApiToken {\n    id\n    name\n    role\n    createdAt\n    expiresAt\n    revokedAt\n    lastUsedAt\n  }\n": types.TokensDocument,
    "\n  mutation RevokeToken($input: RevokeApiTokenInput!) {\n    revokeApiToken(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.RevokeTokenDocument,
    "\n  query TopQueries($id: ID!, $orderBy: TopQueryOrder!) {\n    instance(id: $id) {\n      topQueries(orderBy: $orderBy, first: 20) {\n        since\n        evictions\n        queries {\n          queryId\n          text\n          username\n          database\n          calls\n          totalTimeMs\n          meanTimeMs\n          rows\n          ioBytes\n          timeShare\n        }\n        reason {\n          message\n        }\n      }\n    }\n  }\n": types.TopQueriesDocument,
    "\n  mutation CreateWebhook($input: CreateWebhookInput!) {\n    createWebhook(input: $input) {\n      secret\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.CreateWebhookDocument,
    "\n  mutation DeleteWebhook($input: DeleteWebhookInput!) {\n    deleteWebhook(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.DeleteWebhookDocument,
    "\n  subscription Webhooks {\n    webhooks {\n      ...WebhookRow\n    }\n  }\n\n  fragment WebhookRow on Webhook {\n    id\n    url\n    description\n    events\n    state\n    disabled {\n      code\n      message\n    }\n    lastDeliveredAt\n    lastAttempt {\n      status\n      error\n    }\n    failingSince\n    nextAttemptAt\n    pendingEvents\n    revision\n  }\n": types.WebhooksDocument,
    "\n  mutation RotateWebhookSecret($input: RotateWebhookSecretInput!) {\n    rotateWebhookSecret(input: $input) {\n      secret\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.RotateWebhookSecretDocument,
    "\n  mutation TestWebhook($input: TestWebhookInput!) {\n    testWebhook(input: $input) {\n      answer {\n        delivered\n        status\n        error\n        body\n        durationMs\n      }\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.TestWebhookDocument,
    "\n  mutation UpdateWebhook($input: UpdateWebhookInput!) {\n    updateWebhook(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n": types.UpdateWebhookDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CancelQuery($input: CancelQueryInput!) {\n    cancelQuery(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').CancelQueryDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation TerminateSession($input: TerminateSessionInput!) {\n    terminateSession(input: $input) {\n      ended\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').TerminateSessionDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Activity($id: ID!) {\n    instance(id: $id) {\n      activity {\n        readAt\n        totalSessions\n        sessions {\n          id\n          pid\n          username\n          database\n          applicationName\n          clientAddress\n          state\n          waitEventType\n          waitEvent\n          blockedBy\n          transactionSeconds\n          statementSeconds\n          stateSeconds\n          statement\n        }\n        reason {\n          message\n        }\n      }\n    }\n  }\n"): typeof import('./graphql').ActivityDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CloneInstance($input: CloneInstanceInput!) {\n    cloneInstance(input: $input) {\n      instance {\n        id\n      }\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').CloneInstanceDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateBackup($input: CreateBackupInput!) {\n    createBackup(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').CreateBackupDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DeleteBackup($input: DeleteBackupInput!) {\n    deleteBackup(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').DeleteBackupDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription InstanceBackups($id: ID!) {\n    instanceBackups(id: $id) {\n      ...Backups\n    }\n  }\n\n  fragment Backups on Instance {\n    id\n    backupPolicy {\n      enabled\n      intervalHours\n      retentionDays\n      store\n      durability\n      protection\n      reason {\n        code\n        message\n      }\n    }\n    recovery {\n      from\n      to\n      intervals {\n        from\n        to\n      }\n      gaps {\n        from\n        to\n        reason\n      }\n      lastDurableAt\n      lagSeconds\n      archiving\n      storedBytes\n      incomplete {\n        message\n      }\n    }\n    backups(first: 20) {\n      nodes {\n        id\n        status\n        bytes\n        totalBytes\n        storedBytes\n        createdAt\n        finishedAt\n        expiresAt\n        keptFor\n        locked\n        error {\n          message\n        }\n        verification {\n          status\n          restoreSeconds\n          reason {\n            message\n          }\n        }\n      }\n    }\n  }\n"): typeof import('./graphql').InstanceBackupsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation UpdateBackup($input: UpdateBackupInput!) {\n    updateBackup(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').UpdateBackupDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ImportBackups($input: ImportBackupsInput!) {\n    importBackups(input: $input) {\n      instances {\n        id\n        name\n      }\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').ImportBackupsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RestoreInstance($input: RestoreInstanceInput!) {\n    restoreInstance(input: $input) {\n      instance {\n        id\n      }\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').RestoreInstanceDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation BulkRestart($input: RestartInstanceInput!) {\n    restartInstance(input: $input) {\n      operation {\n        id\n        status\n      }\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').BulkRestartDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation BulkDelete($input: DeleteInstanceInput!) {\n    deleteInstance(input: $input) {\n      operation {\n        id\n        status\n      }\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').BulkDeleteDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query BulkTarget($id: ID!) {\n    instance(id: $id) {\n      id\n      name\n      state\n      revision\n      deletionProtected\n      availableOperations\n      labels {\n        key\n        value\n      }\n    }\n  }\n"): typeof import('./graphql').BulkTargetDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription BulkProgress($after: String) {\n    instanceEvents(after: $after) {\n      cursor\n      operation {\n        ...BulkOperation\n      }\n    }\n  }\n\n  fragment BulkOperation on Operation {\n    id\n    status\n    error {\n      message\n    }\n  }\n"): typeof import('./graphql').BulkProgressDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query BulkOperation($id: ID!) {\n    operation(id: $id) {\n      ...BulkOperation\n    }\n  }\n"): typeof import('./graphql').BulkOperationDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ControlPlane {\n    controlPlane {\n      version\n      runtime\n      postgresVersions\n      copiesInstances\n      caller {\n        role\n        tokenName\n        tokenId\n        tokenExpiresAt\n      }\n      limits {\n        storageGb {\n          ...Range\n        }\n        cpuMillis {\n          ...Range\n        }\n        memoryMb {\n          ...Range\n        }\n        healthCheckIntervalSeconds {\n          ...Range\n        }\n        healthCheckTimeoutSeconds {\n          ...Range\n        }\n        restartTimeoutSeconds {\n          ...Range\n        }\n        suspendTimeoutSeconds {\n          ...Range\n        }\n        idleSuspendMinutes {\n          ...Range\n        }\n        maintenanceWindowMinutes {\n          ...Range\n        }\n        storageAutoGrowPercent {\n          ...Range\n        }\n        backupIntervalHours {\n          ...Range\n        }\n        backupRetentionDays {\n          ...Range\n        }\n        nameLength {\n          ...Range\n        }\n        passwordBytes {\n          ...Range\n        }\n        labels {\n          ...Range\n        }\n        labelKeyLength {\n          ...Range\n        }\n        labelValueLength {\n          ...Range\n        }\n        tokenNameLength {\n          ...Range\n        }\n        tokenExpiresInDays {\n          ...Range\n        }\n        webhookUrlLength {\n          ...Range\n        }\n        webhookDescriptionLength {\n          ...Range\n        }\n      }\n    }\n  }\n\n  fragment Range on IntRange {\n    min\n    max\n    default\n  }\n"): typeof import('./graphql').ControlPlaneDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateDatabaseUser($input: CreateDatabaseUserInput!) {\n    createDatabaseUser(input: $input) {\n      password\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').CreateDatabaseUserDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DropDatabaseUser($input: DropDatabaseUserInput!) {\n    dropDatabaseUser(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').DropDatabaseUserDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateDatabase($input: CreateDatabaseInput!) {\n    createDatabase(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').CreateDatabaseDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DropDatabase($input: DropDatabaseInput!) {\n    dropDatabase(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').DropDatabaseDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query EventHistory($instanceId: ID!, $last: Int!) {\n    instance(id: $instanceId) {\n      events(last: $last) {\n        nodes {\n          ...EventLine\n        }\n      }\n    }\n  }\n\n  fragment EventLine on InstanceEvent {\n    cursor\n    type\n    at\n    from\n    to\n    reason {\n      code\n      message\n    }\n    operation {\n      id\n      kind\n      restoration {\n        clones\n      }\n    }\n    notices {\n      raised\n      notice {\n        code\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').EventHistoryDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription Events($instanceId: ID!, $after: String) {\n    instanceEvents(instanceId: $instanceId, after: $after) {\n      ...EventLine\n    }\n  }\n"): typeof import('./graphql').EventsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Newest {\n    instances(first: 1, orderBy: { field: CREATED_AT, direction: DESC }) {\n      nodes {\n        id\n        name\n        upgradeTargets {\n          version\n          obstacle\n        }\n        backups(first: 1) {\n          nodes {\n            id\n          }\n        }\n      }\n    }\n    operations(first: 1) {\n      nodes {\n        id\n      }\n    }\n  }\n"): typeof import('./graphql').NewestDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query HealthSummary($instanceId: ID!) {\n    instance(id: $instanceId) {\n      healthSummary {\n        uptime\n      }\n    }\n  }\n"): typeof import('./graphql').HealthSummaryDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query HealthHistory($instanceId: ID!, $first: Int!, $after: String) {\n    instance(id: $instanceId) {\n      healthChecks(first: $first, after: $after) {\n        pageInfo {\n          endCursor\n          hasNextPage\n        }\n        nodes {\n          ...Sample\n        }\n      }\n    }\n  }\n\n  fragment Sample on HealthCheck {\n    cursor\n    at\n    status\n    latencyMs\n    loggedIn\n    error {\n      code\n      message\n    }\n  }\n"): typeof import('./graphql').HealthHistoryDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription HealthChecks($instanceId: ID!, $after: String) {\n    healthChecks(instanceId: $instanceId, after: $after) {\n      ...Sample\n    }\n  }\n"): typeof import('./graphql').HealthChecksDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ConnectionString($id: ID!) {\n    instance(id: $id) {\n      connectionString\n    }\n  }\n"): typeof import('./graphql').ConnectionStringDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateInstance($input: CreateInstanceInput!) {\n    createInstance(input: $input) {\n      instance {\n        id\n      }\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').CreateInstanceDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query DeletedInstances($first: Int!) {\n    instances(first: $first, filter: { state: [DELETED] }, orderBy: { field: CREATED_AT, direction: DESC }) {\n      nodes {\n        ...InstanceRow\n      }\n    }\n  }\n"): typeof import('./graphql').DeletedInstancesDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription Instances($after: String) {\n    instances(after: $after) {\n      type\n      cursor\n      instanceId\n      instance {\n        ...InstanceRow\n      }\n    }\n  }\n\n  fragment InstanceRow on Instance {\n    id\n    name\n    state\n    health\n    currentOperation {\n      kind\n      restoration {\n        clones\n      }\n    }\n    reason {\n      code\n      message\n    }\n    notices {\n      code\n      message\n    }\n    postgresVersion\n    storageGb\n    cpuMillis\n    memoryMb\n    labels {\n      key\n      value\n    }\n    endpoint {\n      host\n      port\n    }\n    createdAt\n  }\n"): typeof import('./graphql').InstancesDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription Instance($id: ID!) {\n    instance(id: $id) {\n      ...InstancePage\n    }\n  }\n\n  fragment InstancePage on Instance {\n    id\n    revision\n    name\n    state\n    health\n    currentOperation {\n      kind\n      restoration {\n        clones\n      }\n    }\n    reason {\n      code\n      message\n    }\n    notices {\n      code\n      message\n    }\n    postgresVersion\n    updateAvailable {\n      from\n      to\n    }\n    upgradeTargets {\n      version\n      obstacle\n    }\n    storageGb\n    cpuMillis\n    memoryMb\n    username\n    database\n    exposure {\n      type\n      sourceRanges\n      dnsLabel\n    }\n    parameters {\n      name\n      value\n      pendingRestart\n      pendingValue\n    }\n    requireTls\n    certificate {\n      notAfter\n    }\n    endpoint {\n      host\n      port\n    }\n    labels {\n      key\n      value\n    }\n    deletionProtected\n    idleSuspendMinutes\n    maintenanceWindow {\n      weekday\n      startTime\n      durationMinutes\n    }\n    storageAutoGrow {\n      thresholdPercent\n      maxGb\n    }\n    storageUsage {\n      usedBytes\n      capacityBytes\n      usedPercent\n      readOnly\n    }\n    healthCheckPolicy {\n      intervalSeconds\n      timeoutSeconds\n    }\n    availableOperations\n    databaseUsers(first: 100) {\n      nodes {\n        id\n        name\n        access\n        database\n      }\n    }\n    databases(first: 100) {\n      nodes {\n        id\n        name\n        owner\n      }\n    }\n    createdAt\n    deletedAt\n    operations(first: 1) {\n      nodes {\n        id\n        kind\n        status\n      }\n    }\n  }\n"): typeof import('./graphql').InstanceDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query RowActions($id: ID!) {\n    instance(id: $id) {\n      availableOperations\n      deletionProtected\n    }\n  }\n"): typeof import('./graphql').RowActionsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation UpdateInstance($input: UpdateInstanceInput!) {\n    updateInstance(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').UpdateInstanceDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription InstanceLogs($instanceId: ID!, $tail: Int, $after: String, $severity: LogSeverity) {\n    instanceLogs(instanceId: $instanceId, tail: $tail, after: $after, severity: $severity) {\n      cursor\n      gap\n      entries {\n        ...LogLine\n      }\n    }\n  }\n\n  fragment LogLine on LogEntry {\n    cursor\n    time\n    severity\n    sqlstate\n    message\n    detail\n    hint\n    context\n    statement\n    username\n    database\n    applicationName\n    pid\n  }\n"): typeof import('./graphql').InstanceLogsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Metrics($id: ID!, $names: [MetricName!], $from: DateTime, $stepSeconds: Int) {\n    instance(id: $id) {\n      metrics(names: $names, from: $from, stepSeconds: $stepSeconds) {\n        name\n        unit\n        points {\n          at\n          value\n          maximum\n        }\n      }\n    }\n  }\n"): typeof import('./graphql').MetricsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription LatestMetrics($id: ID!) {\n    instanceMetrics(instanceId: $id) {\n      at\n      values {\n        name\n        value\n      }\n    }\n  }\n"): typeof import('./graphql').LatestMetricsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CancelOperation($input: CancelOperationInput!) {\n    cancelOperation(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').CancelOperationDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RetryOperation($input: RetryOperationInput!) {\n    retryOperation(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').RetryOperationDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DeleteInstance($input: DeleteInstanceInput!) {\n    deleteInstance(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').DeleteInstanceDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RepairInstance($input: RepairInstanceInput!) {\n    repairInstance(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').RepairInstanceDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ResizeInstance($input: ResizeInstanceInput!) {\n    resizeInstance(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').ResizeInstanceDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RestartInstance($input: RestartInstanceInput!) {\n    restartInstance(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').RestartInstanceDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ResumeInstance($input: ResumeInstanceInput!) {\n    resumeInstance(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').ResumeInstanceDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RotatePassword($input: RotatePasswordInput!) {\n    rotatePassword(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').RotatePasswordDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SetParameters($input: SetParametersInput!) {\n    setParameters(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').SetParametersDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SuspendInstance($input: SuspendInstanceInput!) {\n    suspendInstance(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').SuspendInstanceDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation UpgradeInstance($input: UpgradeInstanceInput!) {\n    upgradeInstance(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').UpgradeInstanceDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription Operation($id: ID!) {\n    operation(id: $id) {\n      ...OperationCard\n    }\n  }\n"): typeof import('./graphql').OperationDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Operations($first: Int!, $after: String, $filter: OperationFilter) {\n    operations(first: $first, after: $after, filter: $filter) {\n      totalCount\n      pageInfo {\n        endCursor\n        hasNextPage\n      }\n      nodes {\n        ...OperationCard\n      }\n    }\n  }\n\n  fragment OperationCard on Operation {\n    id\n    kind\n    restoration {\n      clones\n    }\n    status\n    cancelRequested\n    requestedBy\n    canCancel\n    canRetry\n    createdAt\n    startedAt\n    finishedAt\n    error {\n      code\n      message\n    }\n    instance {\n      id\n      name\n    }\n    steps {\n      name\n      status\n      attempt\n      startedAt\n      finishedAt\n      error {\n        code\n        message\n      }\n      findings\n    }\n  }\n"): typeof import('./graphql').OperationsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription OperationUpdates($instanceId: ID, $after: String) {\n    instanceEvents(instanceId: $instanceId, after: $after) {\n      cursor\n      operation {\n        ...OperationCard\n      }\n    }\n  }\n"): typeof import('./graphql').OperationUpdatesDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Parameters($postgresVersion: String!) {\n    controlPlane {\n      parameters(postgresVersion: $postgresVersion) {\n        name\n        type\n        unit\n        min\n        max\n        enumValues\n        default\n        needsRestart\n        category\n        description\n      }\n    }\n  }\n"): typeof import('./graphql').ParametersDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateToken($input: CreateApiTokenInput!) {\n    createApiToken(input: $input) {\n      secret\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').CreateTokenDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Tokens($first: Int!, $after: String) {\n    apiTokens(first: $first, after: $after) {\n      pageInfo {\n        endCursor\n        hasNextPage\n      }\n      nodes {\n        ...TokenRow\n      }\n    }\n  }\n\n  fragment TokenRow on ApiToken {\n    id\n    name\n    role\n    createdAt\n    expiresAt\n    revokedAt\n    lastUsedAt\n  }\n"): typeof import('./graphql').TokensDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RevokeToken($input: RevokeApiTokenInput!) {\n    revokeApiToken(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').RevokeTokenDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query TopQueries($id: ID!, $orderBy: TopQueryOrder!) {\n    instance(id: $id) {\n      topQueries(orderBy: $orderBy, first: 20) {\n        since\n        evictions\n        queries {\n          queryId\n          text\n          username\n          database\n          calls\n          totalTimeMs\n          meanTimeMs\n          rows\n          ioBytes\n          timeShare\n        }\n        reason {\n          message\n        }\n      }\n    }\n  }\n"): typeof import('./graphql').TopQueriesDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateWebhook($input: CreateWebhookInput!) {\n    createWebhook(input: $input) {\n      secret\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').CreateWebhookDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DeleteWebhook($input: DeleteWebhookInput!) {\n    deleteWebhook(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').DeleteWebhookDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription Webhooks {\n    webhooks {\n      ...WebhookRow\n    }\n  }\n\n  fragment WebhookRow on Webhook {\n    id\n    url\n    description\n    events\n    state\n    disabled {\n      code\n      message\n    }\n    lastDeliveredAt\n    lastAttempt {\n      status\n      error\n    }\n    failingSince\n    nextAttemptAt\n    pendingEvents\n    revision\n  }\n"): typeof import('./graphql').WebhooksDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RotateWebhookSecret($input: RotateWebhookSecretInput!) {\n    rotateWebhookSecret(input: $input) {\n      secret\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').RotateWebhookSecretDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation TestWebhook($input: TestWebhookInput!) {\n    testWebhook(input: $input) {\n      answer {\n        delivered\n        status\n        error\n        body\n        durationMs\n      }\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').TestWebhookDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation UpdateWebhook($input: UpdateWebhookInput!) {\n    updateWebhook(input: $input) {\n      userErrors {\n        field\n        message\n      }\n    }\n  }\n"): typeof import('./graphql').UpdateWebhookDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
