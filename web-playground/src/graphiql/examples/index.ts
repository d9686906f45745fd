import apiTokens from './api-tokens.graphql?raw';
import cancelOperation from './cancel-operation.graphql?raw';
import controlPlane from './control-plane.graphql?raw';
import createApiToken from './create-api-token.graphql?raw';
import createInstance from './create-instance.graphql?raw';
import deleteInstance from './delete-instance.graphql?raw';
import instance from './instance.graphql?raw';
import instances from './instances.graphql?raw';
import operations from './operations.graphql?raw';
import retryOperation from './retry-operation.graphql?raw';
import revokeApiToken from './revoke-api-token.graphql?raw';
import updateInstance from './update-instance.graphql?raw';
import watchEvents from './watch-events.graphql?raw';
import watchHealth from './watch-health.graphql?raw';
import watchInstance from './watch-instance.graphql?raw';
import watchInstances from './watch-instances.graphql?raw';
import watchOperation from './watch-operation.graphql?raw';

/** The tabs of a first visit, for the whole contract; later visits find the tabs as they were left. */
export const examples = [
  tab(instances),
  tab(createInstance, { input: { name: 'first', storageGb: 1 } }),
  tab(watchInstances),
  tab(watchEvents),
  tab(instance, { name: 'first' }),
  tab(watchInstance, { id: '' }),
  tab(watchHealth, { instanceId: '' }),
  tab(operations),
  tab(watchOperation, { id: '' }),
  tab(cancelOperation, { input: { id: '' } }),
  tab(retryOperation, { input: { id: '' } }),
  tab(updateInstance, { input: { id: '', deletionProtected: true, labels: [{ key: 'team', value: 'shop' }] } }),
  tab(deleteInstance, { input: { id: '' } }),
  tab(apiTokens),
  tab(createApiToken, { input: { name: 'dashboard', role: 'VIEWER', expiresInDays: 30 } }),
  tab(revokeApiToken, { input: { id: '' } }),
  tab(controlPlane),
];

function tab(query: string, variables?: object) {
  return { query, variables: variables ? JSON.stringify(variables, null, 2) : null };
}
