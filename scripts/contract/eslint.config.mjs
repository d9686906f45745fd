// The lint of schema.graphql: both sets of @graphql-eslint that speak about schemas. Each exception says why.
// Run from the root of the repository by scripts/check.
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
              // Values and parts of objects, which are what they hold.
              ...['Caller', 'ControlPlaneHealth', 'Endpoint', 'Exposure', 'HealthSummary', 'IntRange', 'Label', 'Limits', 'PageInfo', 'Reason', 'UserError'],
              // There is one control plane; steps and samples are found within their operation and instance, by name and cursor.
              ...['ControlPlane', 'OperationStep', 'HealthCheck', 'InstanceChange'],
            ],
          },
        },
      ],
      // Lists of values (labels, steps, mistakes) are no connections; tokens, samples and events are no nodes, because they are
      // looked up in their list only.
      '@graphql-eslint/relay-edge-types': ['error', { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false }],
    },
  },
];
