//! UpdateHealth: writes a changed health of an instance, guarded by the store.

use serde::{Deserialize, Serialize};
use toygres_domain::{
    InstanceId,
    instance::{Endpoint, HealthStatus, Reason},
};

use crate::{
    Failure,
    activity::{Activity, ActivityContext},
};

/// See the module.
pub struct UpdateHealth;

/// What to write.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    /// Of which instance.
    pub instance: InstanceId,
    /// Seen by which loop.
    pub workflow: String,
    /// The change.
    pub change: HealthChange,
}

/// A change of health.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HealthChange {
    /// The health from now on.
    pub health: HealthStatus,
    /// Why it is not healthy.
    pub reason: Option<Reason>,
    /// Where the instance listens, when it has moved.
    pub moved_to: Option<Endpoint>,
    /// How many operations the instance had had when it was checked. What was seen before the latest says nothing any more.
    pub operation_count: i64,
}

impl Activity for UpdateHealth {
    const NAME: &'static str = "toygres-workflows::activity::update-health";
    type Input = Input;
    type Output = ();

    async fn run(context: ActivityContext, Input { instance, workflow, change }: Input) -> Result<(), Failure> {
        let store = &context.store;
        let url = match &change.moved_to {
            Some(endpoint) => store.instance(instance).await?.map(|now| toygres_postgres::connection_string(endpoint, &now.spec)),
            None => None,
        };
        let moved = change.moved_to.as_ref().zip(url.as_deref());
        store.set_health(instance, &workflow, change.operation_count, change.health, change.reason.as_ref(), moved).await?;
        Ok(())
    }
}
