//! GenerateConnectionString: how clients connect, verified by logging in once.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use toygres_domain::{
    InstanceId,
    instance::{Endpoint, ReasonCode},
    operation::StepName,
    runtime::Observation,
};
use toygres_postgres::Target;

use crate::{
    Failure,
    activity::{Activity, ActivityContext, Run, catch_panic},
};

/// See the module.
pub struct GenerateConnectionString;

/// Where the runtime says the instance listens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    /// Of which run.
    pub run: Run,
    /// Where it listens.
    pub endpoint: Endpoint,
}

/// Refusals in a row that are taken for final.
const REFUSALS: u32 = 3;

impl Activity for GenerateConnectionString {
    const NAME: &'static str = "toygres-workflows::activity::generate-connection-string";
    type Input = Input;
    /// The URL without the password; `None` when the runtime has the instance elsewhere by now, or no more: then its status has
    /// to be asked for again.
    type Output = Option<String>;

    async fn run(context: ActivityContext, Input { run, endpoint }: Input) -> Result<Option<String>, Failure> {
        let name = StepName::GenerateConnectionString;
        let work = context.wanted(&run).await?;
        context.store.begin_step(&run.operation, run.run, name).await?;
        let outcome = catch_panic(async {
            let internal_endpoint = context.runtime.internal_endpoint(&work.instance.name, &work.instance.spec.exposure, &endpoint);
            let target = Target::new(internal_endpoint, &work.instance.spec, context.store.password(work.instance.id).await?);
            log_in(&context, work.instance.id, &target).await
        })
        .await;
        match outcome {
            Ok(()) => {
                context.store.finish_step(&run.operation, run.run, name).await?;
                Ok(Some(toygres_postgres::connection_string(&endpoint, &work.instance.spec)))
            }
            Err(failure) => {
                context.note_failure(&run, name, &failure).await?;
                let still_there =
                    || async { matches!(context.runtime.observe(work.instance.id).await, Ok(Observation::Ready(now)) if now == endpoint) };
                if matches!(failure, Failure::Retry(_)) && !still_there().await { Ok(None) } else { Err(failure) }
            }
        }
    }
}

/// A server that cannot be reached or is not up yet may be soon (a name takes minutes to resolve); one that answers and
/// refuses will go on refusing.
async fn log_in(context: &ActivityContext, id: InstanceId, target: &Target) -> Result<(), Failure> {
    let mut refusals = 0;
    loop {
        // The first health check finds the connection that is kept of it.
        let Err(symptom) = context.prober.log_in(id, target, Duration::from_secs(10)).await else { return Ok(()) };
        let refused = matches!(symptom.code, ReasonCode::AuthenticationFailed | ReasonCode::QueryFailed | ReasonCode::ReadOnly);
        if !refused {
            return Err(Failure::Retry(symptom));
        }
        refusals += 1;
        if refusals == REFUSALS {
            return Err(Failure::Failed(symptom));
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}
