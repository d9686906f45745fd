//! The login of a connection for replication.

use postgres_protocol::{
    authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256},
    message::{backend::Message, frontend},
};

use super::wire::{Frame, Wire, server_error};
use crate::{
    Target,
    session::{
        self, SessionError,
        guarded::{Guard, Guarded, Io},
        settings,
    },
};

/// Logs in, behind the same guard as a session: it limits what the server sends, and refuses to reveal the password.
pub(super) async fn log_in(target: &Target, application: &str) -> Result<Wire<Box<dyn Io>>, SessionError> {
    let guard = Guard::default();
    let mut wire = Wire::new(Guarded::new(session::open(target).await?, guard.clone()));
    let options = settings::replication_options();
    let parameters = [("user", target.username.as_str()), ("replication", "true"), ("application_name", application), ("options", &options)];
    wire.send(|output| frontend::startup_message(parameters, output)).await?;
    let mut scram = Scram::new(target);
    loop {
        let frame = tokio::select! {
            biased;
            frame = wire.frame() => frame?,
            // What was withheld is read next.
            () = guard.challenged() => wire.frame().await?,
        };
        match frame {
            Frame::Message(Message::AuthenticationSasl(_)) => {
                let first = scram.get()?.message().to_vec();
                wire.send(|output| frontend::sasl_initial_response(SCRAM_SHA_256, &first, output)).await?;
            }
            Frame::Message(Message::AuthenticationSaslContinue(body)) => {
                let proof = scram.prove(body.data().to_vec()).await?;
                wire.send(|output| frontend::sasl_response(&proof, output)).await?;
            }
            Frame::Message(Message::AuthenticationSaslFinal(body)) => scram.get()?.finish(body.data())?,
            Frame::Message(Message::AuthenticationOk | Message::BackendKeyData(_)) => {}
            Frame::Message(Message::ErrorResponse(body)) => return Err(server_error(&body)),
            Frame::Message(Message::ReadyForQuery(_)) => return Ok(Wire::new(wire.into_stream()?.into_inner())),
            _ => return Err(SessionError::Protocol("the answer to the login is not one of PostgreSQL".to_owned())),
        }
    }
}

/// The exchange that proves the password; `None` while another thread computes.
struct Scram(Option<ScramSha256>);

impl Scram {
    fn new(target: &Target) -> Self {
        Self(Some(ScramSha256::new(target.password.expose().as_bytes(), ChannelBinding::unsupported())))
    }

    fn get(&mut self) -> Result<&mut ScramSha256, SessionError> {
        self.0.as_mut().ok_or_else(|| SessionError::Protocol("it asks for the password twice".to_owned()))
    }

    /// The proof that answers a challenge. The server chooses, within limits, how long that takes, so it is computed outside of the
    /// threads that run everything else.
    async fn prove(&mut self, challenge: Vec<u8>) -> Result<Vec<u8>, SessionError> {
        self.get()?;
        let mut exchange = self.0.take();
        let step = tokio::task::spawn_blocking(move || {
            let outcome = exchange.as_mut().map(|exchange| exchange.update(&challenge));
            (exchange, outcome)
        });
        match step.await {
            Ok((exchange, outcome)) => {
                outcome.transpose()?;
                self.0 = exchange;
                Ok(self.get()?.message().to_vec())
            }
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The control plane is stopping.
                Err(_) => std::future::pending().await,
            },
        }
    }
}
