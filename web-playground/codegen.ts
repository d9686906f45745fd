import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: '../schema.graphql',
  documents: ['src/**/*.{ts,tsx}', '!src/gql/**'],
  ignoreNoDocuments: true,
  generates: {
    './src/gql/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        // Documents stay strings: the page then carries no GraphQL parser or printer of its own.
        documentMode: 'string',
        useTypeImports: true,
        enumsAsTypes: true,
        defaultScalarType: 'unknown',
        // 64-bit numbers travel as strings, for JavaScript numbers are exact up to 2^53 only.
        scalars: { BigInt: 'string', DateTime: 'string' },
      },
    },
  },
};

export default config;
