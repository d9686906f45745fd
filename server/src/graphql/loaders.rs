//! Loaders: what many fields of one request need is read with one query.

use std::{collections::HashMap, sync::Arc};

use async_graphql::dataloader::Loader;
use toygres_domain::{Error, InstanceId, OperationId, instance::Instance, operation::Operation, secret::Secret, store::Store};

/// Passwords of instances, unsealed.
pub(super) struct Passwords(pub(super) Store);
/// Instances by id.
pub(super) struct Instances(pub(super) Store);
/// Operations by id.
pub(super) struct Operations(pub(super) Store);

impl Loader<InstanceId> for Passwords {
    type Value = Secret;
    type Error = Arc<Error>;
    async fn load(&self, ids: &[InstanceId]) -> Result<HashMap<InstanceId, Secret>, Arc<Error>> {
        Ok(self.0.passwords(ids).await?.into_iter().collect())
    }
}

impl Loader<InstanceId> for Instances {
    type Value = Arc<Instance>;
    type Error = Arc<Error>;
    async fn load(&self, ids: &[InstanceId]) -> Result<HashMap<InstanceId, Arc<Instance>>, Arc<Error>> {
        Ok(self.0.instances_by_id(ids).await?.into_iter().map(|instance| (instance.id, Arc::new(instance))).collect())
    }
}

impl Loader<OperationId> for Operations {
    type Value = Arc<Operation>;
    type Error = Arc<Error>;
    async fn load(&self, ids: &[OperationId]) -> Result<HashMap<OperationId, Arc<Operation>>, Arc<Error>> {
        Ok(self.0.operations_by_id(ids).await?.into_iter().map(|operation| (operation.id.clone(), Arc::new(operation))).collect())
    }
}
