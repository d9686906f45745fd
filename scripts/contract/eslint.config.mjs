// The lints of schema.graphql: both rule sets of @graphql-eslint for schemas. Each exception has a reason. Run from the root of the
// repository by scripts/check.
import graphql from '@graphql-eslint/eslint-plugin';

// A log is read forwards: from a cursor, or its newest entries. The rule has no option for one field.
const FORWARDS_ONLY = 'logs';
const relayArguments = graphql.rules['relay-arguments'];
const exceptForwardsOnly = (context) =>
  Object.create(context, { report: { value: (problem) => problem.node.value !== FORWARDS_ONLY && context.report(problem) } });
const forwards = { rules: { 'relay-arguments': { ...relayArguments, create: (context) => relayArguments.create(exceptForwardsOnly(context)) } } };

export default [
  {
    files: ['**/*.graphql'],
    languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema: 'schema.graphql' } } },
    plugins: { '@graphql-eslint': graphql, forwards },
    rules: {
      ...graphql.configs['flat/schema-recommended'].rules,
      ...graphql.configs['flat/schema-relay'].rules,
      '@graphql-eslint/relay-arguments': 'off',
      'forwards/relay-arguments': 'error',
      '@graphql-eslint/strict-id-in-types': [
        'error',
        {
          acceptedIdNames: ['id'],
          acceptedIdTypes: ['ID'],
          exceptions: {
            suffixes: ['Connection', 'Edge', 'Payload'],
            types: [
              // Values and parts of objects, which have no identity.
              ...['AvailableUpdate', 'BackupPolicy', 'BackupVerification', 'CaCertificate', 'Caller', 'Certificate', 'ControlPlaneHealth', 'Endpoint', 'Exposure', 'HealthCheckPolicy', 'HealthSummary', 'InstanceActivity', 'InstanceLogBatch', 'InstanceMetrics', 'InstanceParameter', 'IntRange', 'Label', 'Limits', 'MaintenanceWindow', 'MetricPoint', 'MetricSeries', 'MetricValue', 'Notice', 'NoticeChange', 'OperationRestoration', 'PageInfo', 'Parameter', 'Reason', 'Recovery', 'RecoveryGap', 'RecoveryInterval', 'RuntimeHealth', 'StorageAutoGrow', 'StorageUsage', 'TopQueries', 'TopQuery', 'UpgradeTarget', 'UserError', 'WebhookAnswer', 'WebhookAttempt', 'WebhookDisabled'],
              // There is one control plane; steps, samples and entries of logs are found within their operation and instance, by name and cursor.
              ...['ControlPlane', 'OperationStep', 'HealthCheck', 'InstanceChange', 'LogEntry'],
            ],
          },
        },
      ],
      // Lists of values (labels, steps, user errors) are not connections; tokens, samples and events are not nodes, because they
      // are only looked up in their list.
      '@graphql-eslint/relay-edge-types': ['error', { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false }],
    },
  },
];
