//! Ends a session.

use toygres_domain::{
    Error, Result, UserErrorCode,
    instance::{Instance, Reason},
    session::{SessionId, SignalOutcome},
};
use toygres_postgres::sessions;

use super::{
    App,
    input::{instance_id_at, no_instance},
    inspection::Inspection,
};

/// The input of what is done to a session, unchecked.
#[derive(Clone, Debug, Default)]
pub struct SessionInput {
    /// The id of the instance.
    pub instance_id: String,
    /// The id of the session.
    pub session_id: String,
}

impl App {
    /// Ends a session of a client, with its transaction. Returns the ID of the session, and whether it has ended: what it does may not be
    /// interruptible at once.
    ///
    /// # Errors
    /// [`toygres_domain::Error::User`]: `NotFound` if there is no such session (any more), `Conflict` if it is one of the platform, or the
    /// server does not answer.
    pub async fn terminate_session(&self, input: SessionInput, requested_by: Option<&str>) -> Result<(String, bool)> {
        let (instance, session) = self.session_of(&input).await?;
        let ask = async |logins: &_, timeout| sessions::terminate(logins, session, timeout).await;
        let ended = check(self.inspect(Inspection::TerminateSession, &instance, ask).await?)?;
        tracing::info!(instance = %instance.id, %session, ended, requested_by, "a session was ended on request");
        Ok((session.to_string(), ended))
    }

    /// The instance and the session that an input names.
    pub(super) async fn session_of(&self, SessionInput { instance_id, session_id }: &SessionInput) -> Result<(Instance, SessionId)> {
        let instance = self.store.instance(instance_id_at("instanceId", instance_id)?).await?;
        let instance = instance.ok_or_else(|| no_instance("instanceId", instance_id))?;
        // A text that is not an id is the id of nothing.
        Ok((instance, session_id.parse().map_err(|_| gone())?))
    }
}

/// Whether a session that was told has ended.
pub(super) fn check(outcome: Result<SignalOutcome, Reason>) -> Result<bool> {
    let conflict = |field, message: &str| Err(Error::user(UserErrorCode::Conflict, field, message));
    match outcome {
        Ok(SignalOutcome::Sent { ended }) => Ok(ended),
        Ok(SignalOutcome::Gone) => Err(gone()),
        Ok(SignalOutcome::OfPlatform) => conflict("sessionId", "the session is one of the platform, which nobody else ends"),
        Ok(SignalOutcome::RunsNothing) => {
            conflict("sessionId", "the session runs no statement at the moment; to end its transaction, end the session (terminateSession)")
        }
        Err(Reason { message, .. }) => conflict("instanceId", &message),
    }
}

fn gone() -> Error {
    Error::user(UserErrorCode::NotFound, "sessionId", "there is no such session, or not any more: read the sessions again (activity)")
}
