//! GenerateConnectionString: determines the connection string, verifies it by logging in once, and secures the data: from then on no
//! other volume is initialised for the instance.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use toygres_domain::{
    data::Data,
    instance::{Endpoint, Reason, ReasonCode},
    operation::{OperationKind, StepName},
    runtime::Observation,
};
use toygres_postgres::Target;
use toygres_store::Work;

use crate::{
    Failure,
    activities::deploy_postgres::deployment,
    activity::{Activity, ActivityContext, Run, catch_panic},
    certificates::identity,
};

/// The activity.
pub struct GenerateConnectionString;

/// The input of the activity: the endpoint that the runtime reported.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    /// The run.
    pub run: Run,
    /// The endpoint of the instance.
    pub endpoint: Endpoint,
}

/// How long a login may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Consecutive rejections of a login that count as final.
const REFUSALS: u32 = 3;

impl Activity for GenerateConnectionString {
    const NAME: &'static str = "toygres-workflows::activity::generate-connection-string";
    type Input = Input;
    /// The URL without the password; `None` if the endpoint has changed or the instance no longer exists, so that the status must
    /// be polled again.
    type Output = Option<String>;

    async fn run(context: ActivityContext, Input { run, endpoint }: Input) -> Result<Option<String>, Failure> {
        let name = StepName::GenerateConnectionString;
        let work = context.wanted(&run).await?;
        context.store.begin_step(&run.operation, run.run, name).await?;
        let outcome = catch_panic(async {
            let internal_endpoint = context.runtime.internal_endpoint(&work.instance.name, &work.instance.spec.exposure, &endpoint);
            let (password, identity) = (context.store.password(work.instance.id).await?, identity(&context, work.instance.id).await?);
            let target = Target::new(internal_endpoint, &work.instance.spec, password, identity);
            log_in(&context, &work, &target).await?;
            secure_data(&context, &run).await
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

/// Records the volume of an instance that runs for the first time, and has the runtime forbid that another one is initialised. This is
/// before the instance is said to be running, so whatever happens to the volume afterwards is noticed.
async fn secure_data(context: &ActivityContext, run: &Run) -> Result<(), Failure> {
    let instance = context.wanted(run).await?.instance;
    if context.store.data(&instance).await?.volume().is_some() {
        return Ok(());
    }
    let _lock = context.store.lock_instance(instance.id).await?;
    // Checked again under the lock: after a deletion nothing may be deployed.
    context.wanted(run).await?;
    let Some(volume) = context.verb(context.runtime.volume(instance.id)).await? else {
        return Err(Failure::Retry(Reason::new(ReasonCode::VolumeNotBound, "its volume has vanished")));
    };
    context.store.record_volume(instance.id, &volume).await?;
    let deployment = deployment(context, instance, Data::Existing(Some(volume))).await?;
    context.verb(context.runtime.deploy(&deployment)).await
}

/// A server that is unreachable or still starting may be ready soon (a DNS name can take minutes to resolve). A server that
/// responds and rejects the login will not change its answer.
async fn log_in(context: &ActivityContext, work: &Work, target: &Target) -> Result<(), Failure> {
    let mut refusals = 0;
    loop {
        let outcome = match work.operation.kind() {
            // As clients will.
            OperationKind::Create => toygres_postgres::check(target, TIMEOUT).await,
            // The owner may have dropped or renamed their database. The prober keeps the connection for the first health check.
            _ => context.prober.log_in(work.instance.id, target, TIMEOUT).await,
        };
        let Err(symptom) = outcome else { return Ok(()) };
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
