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
    "\n  subscription Instances($after: String) {\n    instances(after: $after) {\n      type\n      cursor\n      instanceId\n      instance {\n        ...InstanceRow\n      }\n    }\n  }\n\n  fragment InstanceRow on Instance {\n    id\n    name\n    state\n    health\n    reason {\n      code\n      message\n    }\n    postgresVersion\n    storageGb\n    cpuMillis\n    memoryMb\n    labels {\n      key\n      value\n    }\n    createdAt\n  }\n": typeof types.InstancesDocument,
};
const documents: Documents = {
    "\n  subscription Instances($after: String) {\n    instances(after: $after) {\n      type\n      cursor\n      instanceId\n      instance {\n        ...InstanceRow\n      }\n    }\n  }\n\n  fragment InstanceRow on Instance {\n    id\n    name\n    state\n    health\n    reason {\n      code\n      message\n    }\n    postgresVersion\n    storageGb\n    cpuMillis\n    memoryMb\n    labels {\n      key\n      value\n    }\n    createdAt\n  }\n": types.InstancesDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription Instances($after: String) {\n    instances(after: $after) {\n      type\n      cursor\n      instanceId\n      instance {\n        ...InstanceRow\n      }\n    }\n  }\n\n  fragment InstanceRow on Instance {\n    id\n    name\n    state\n    health\n    reason {\n      code\n      message\n    }\n    postgresVersion\n    storageGb\n    cpuMillis\n    memoryMb\n    labels {\n      key\n      value\n    }\n    createdAt\n  }\n"): typeof import('./graphql').InstancesDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
