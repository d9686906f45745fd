//! CreateInstance: from a row in state `creating` to a running PostgreSQL, or back to nothing with the reason kept.

use std::time::Duration;

use duroxide::OrchestrationContext;
use toygres_domain::{
    instance::{Endpoint, Reason},
    runtime::Removal,
};

use crate::{
    activities::{
        delete_postgres, deploy_postgres, generate_connection_string,
        get_instance_status::{self, Status},
        update_metadata::{self, UpdateMetadata, Written},
    },
    health_check,
    step::{Failure, Patience, Run, encode, nudged, step},
};

/// The name that the engine knows it by.
pub const NAME: &str = "toygres-workflows::orchestration::create-instance";

/// The workflow.
///
/// # Errors
/// Never by itself: a failure is an end that is written to the metadata.
pub async fn create_instance(ctx: OrchestrationContext, run: Run) -> Result<String, String> {
    match make(&ctx, &run).await {
        Ok(()) => Ok("running".to_owned()),
        // Whoever took over also cleans up: a deletion removes everything, a later run goes on with what is there.
        Err(Failure::Superseded) => Ok("superseded".to_owned()),
        Err(why) => {
            unmake(&ctx, &run, why).await.map_err(|failure| failure.encode())?;
            Ok("failed".to_owned())
        }
    }
}

async fn make(ctx: &OrchestrationContext, run: &Run) -> Result<(), Failure> {
    let () = step(ctx, deploy_postgres::NAME, run, Patience::RUNTIME).await?;
    let endpoint = ready(ctx, run).await?;
    let reach = generate_connection_string::Input { run: run.clone(), endpoint: endpoint.clone() };
    let connection_string: String = step(ctx, generate_connection_string::NAME, &reach, Patience::RUNTIME).await?;
    let running = UpdateMetadata::Running { run: run.clone(), endpoint, connection_string };
    if let Written::HealthCheck(health_check) = step(ctx, update_metadata::NAME, &running, Patience::METADATA).await? {
        // Detached; its id was stored with the state, so the scheduler starts it should this be lost.
        ctx.schedule_orchestration(health_check::NAME, health_check.workflow.clone(), encode(&health_check)?);
    }
    Ok(())
}

/// Polls the runtime on durable timers, woken early by its nudges. The activity ends it at the operation's deadline.
async fn ready(ctx: &OrchestrationContext, run: &Run) -> Result<Endpoint, Failure> {
    let mut pause = Duration::from_millis(500);
    loop {
        match step(ctx, get_instance_status::NAME, run, Patience::RUNTIME).await? {
            Status::Ready(endpoint) => return Ok(endpoint),
            Status::Pending => {
                nudged(ctx, pause).await;
                pause = (pause * 2).min(Duration::from_secs(5));
            }
        }
    }
}

/// Removes what was made and writes why it was in vain. What cannot be removed now is left to the deletion of the instance.
async fn unmake(ctx: &OrchestrationContext, run: &Run, why: Failure) -> Result<(), Failure> {
    let mut reason = why.reason();
    let clean_up = delete_postgres::Input { run: run.clone(), clean_up: true };
    for pause in [1, 2, 4, 8, 16, 30, 30, 30] {
        match step(ctx, delete_postgres::NAME, &clean_up, Patience::RUNTIME).await {
            Ok(Removal::Gone) => break,
            Ok(Removal::InProgress(_)) => {
                nudged(ctx, Duration::from_secs(pause)).await;
            }
            Err(Failure::Superseded) => return Ok(()),
            Err(trouble) => {
                reason = Reason::new(reason.code, format!("{}; cleaning up failed too: {}", reason.message, trouble.reason().message));
                break;
            }
        }
    }
    let failed = UpdateMetadata::Failed { run: run.clone(), cancelled: why == Failure::Cancelled, reason };
    match step::<_, Written>(ctx, update_metadata::NAME, &failed, Patience::METADATA).await {
        Ok(_) | Err(Failure::Superseded) => Ok(()),
        Err(failure) => Err(failure),
    }
}
