// The lints of schema.graphql: both rule sets of @graphql-eslint for schemas. Each exception has a reason. Run from the root of the
// repository by scripts/check.
import graphql from '@graphql-eslint/eslint-plugin';

export default [
  {
    files: ['**/*.graphql'],
    languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema: 'schema.graphql' } } },
    plugins: { '@graphql-eslint': graphql },
    rules: {
      ...graphql.configs['flat/schema-recommended'].rules,
      ...graphql.configs['flat/schema-relay'].rules,
      '@graphql-eslint/strict-id-in-types': [
        'error',
        {
          acceptedIdNames: ['id'],
          acceptedIdTypes: ['ID'],
          exceptions: {
            suffixes: ['Connection', 'Edge', 'Payload'],
            types: [
              // Values and parts of objects, which have no identity.
              ...['AvailableUpdate', 'BackupPolicy', 'BackupVerification', 'CaCertificate', 'Caller', 'Certificate', 'ControlPlaneHealth', 'Endpoint', 'Exposure', 'HealthCheckPolicy', 'HealthSummary', 'InstanceActivity', 'InstanceParameter', 'IntRange', 'Label', 'Limits', 'MaintenanceWindow', 'Notice', 'OperationRestoration', 'PageInfo', 'Parameter', 'Reason', 'Recovery', 'RecoveryGap', 'RecoveryInterval', 'RuntimeHealth', 'StorageAutoGrow', 'StorageUsage', 'TopQueries', 'TopQuery', 'UpgradeTarget', 'UserError'],
              // There is one control plane; steps and samples are found within their operation and instance, by name and cursor.
              ...['ControlPlane', 'OperationStep', 'HealthCheck', 'InstanceChange'],
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
