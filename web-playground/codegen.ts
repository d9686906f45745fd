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
        // Documents are strings, so that the page needs no GraphQL parser or printer.
        documentMode: 'string',
        useTypeImports: true,
        // Objects beside the types, so that lists of kinds and labels are derived from the contract.
        enumsAsConst: true,
        defaultScalarType: 'unknown',
        // 64-bit numbers travel as strings, because JavaScript numbers are exact up to 2^53 only.
        scalars: { BigInt: 'string', DateTime: 'string' },
      },
    },
  },
};

export default config;
