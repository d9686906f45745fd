//! UpdateHealth: writes a change of an instance's health, if the store still accepts it.

use serde::{Deserialize, Serialize};
use toygres_domain::{
    InstanceId,
    connection_string::connection_string,
    instance::{Endpoint, HealthStatus, Reason},
};

use crate::{
    Failure,
    activity::{Activity, ActivityContext},
};

/// The activity.
pub struct UpdateHealth;

/// The input of the activity.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    /// The instance.
    pub instance: InstanceId,
    /// The id of the loop that observed the change.
    pub workflow: String,
    /// The change.
    pub change: HealthChange,
}

/// A change of health.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HealthChange {
    /// The new health.
    pub health: HealthStatus,
    /// Why it is not healthy.
    pub reason: Option<Reason>,
    /// The new endpoint, if it has changed.
    pub moved_to: Option<Endpoint>,
    /// The number of the instance's operations at the time of the check. A result from before the latest operation is outdated.
    pub operation_count: i64,
}

impl Activity for UpdateHealth {
    const NAME: &'static str = "toygres-workflows::activity::update-health";
    type Input = Input;
    type Output = ();

    async fn run(context: ActivityContext, Input { instance, workflow, change }: Input) -> Result<(), Failure> {
        let store = &context.store;
        let url = match &change.moved_to {
            Some(endpoint) => store.instance(instance).await?.map(|now| connection_string(endpoint, &now.spec)),
            None => None,
        };
        let moved = change.moved_to.as_ref().zip(url.as_deref());
        store.set_health(instance, &workflow, change.operation_count, change.health, change.reason.as_ref(), moved).await?;
        Ok(())
    }
}
