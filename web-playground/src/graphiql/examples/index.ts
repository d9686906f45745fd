import controlPlane from './control-plane.graphql?raw';
import createInstance from './create-instance.graphql?raw';
import deleteInstance from './delete-instance.graphql?raw';
import instances from './instances.graphql?raw';
import watchEvents from './watch-events.graphql?raw';
import watchInstances from './watch-instances.graphql?raw';
import watchOperation from './watch-operation.graphql?raw';

/** The tabs of a first visit; later visits find the tabs as they were left. */
export const examples = [
  tab(instances),
  tab(createInstance, { input: { name: 'first', storageGb: 1 } }),
  tab(watchInstances),
  tab(watchEvents),
  tab(watchOperation, { id: '' }),
  tab(deleteInstance, { input: { id: '' } }),
  tab(controlPlane),
];

function tab(query: string, variables?: object) {
  return { query, variables: variables ? JSON.stringify(variables, null, 2) : null };
}
