//! Delivers to one webhook, as long as this server owns it.

use std::time::Duration;

use metrics::counter;
use toygres_domain::{Error, Result, event::Cursor, webhook::WebhookId};
use toygres_store::{FailedDelivery, Store, WebhookTarget, changes::Changes};
use uuid::Uuid;

use super::{
    DELIVERIES, Sender,
    message::{Message, event_messages, gap_message},
};
use crate::live::load;

/// Events that are read at a time.
const BATCH: i64 = 100;
/// The pause before the second attempt; it doubles with each failure.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause that is chosen here.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);
/// The longest pause that a receiver can ask for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60 * 60);
/// How long every attempt may fail before a webhook is disabled.
const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// The pause after an error of the metadata database.
const DATABASE_PAUSE: Duration = Duration::from_secs(1);

/// The deliveries to one webhook.
pub(super) struct Deliveries {
    pub(super) id: WebhookId,
    pub(super) worker: Uuid,
    pub(super) store: Store,
    pub(super) sender: Sender,
    pub(super) changes: Changes,
    /// The message that was delivered last, if the rest of its event is not. It is not sent again unless the server ends before.
    pub(super) delivered: Option<String>,
}

/// What follows an attempt.
enum Next {
    /// The next message.
    Continue,
    /// The webhook has to be read again: it was changed, or has to wait.
    Reload,
}

impl Deliveries {
    /// Runs until this server does not own the webhook any more, or it is disabled or deleted.
    pub(super) async fn run(mut self) {
        let (mut events, mut webhooks) = (self.changes.events(), self.changes.webhooks());
        loop {
            events.mark_unchanged();
            webhooks.mark_unchanged();
            let pause = match self.deliver().await {
                Ok(None) => return,
                Ok(Some(pause)) => pause,
                Err(error) => {
                    tracing::warn!(webhook = %self.id, %error, "the deliveries of a webhook are held up; trying again");
                    DATABASE_PAUSE
                }
            };
            // The senders live in `self.changes`. New events do not end the pause after a failure.
            if pause.is_zero() {
                tokio::select! {
                    _ = events.changed() => {}
                    _ = webhooks.changed() => {}
                }
            } else {
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    _ = webhooks.changed() => {}
                }
            }
        }
    }

    /// Delivers what there is. Returns how long to wait then, zero for the next event; nothing if the webhook is not this server's any more.
    async fn deliver(&mut self) -> Result<Option<Duration>> {
        loop {
            let Some(target) = self.store.owned_webhook(self.id, self.worker).await? else { return Ok(None) };
            if !target.wait.is_zero() {
                return Ok(Some(target.wait));
            }
            let events = match self.store.events_after(target.cursor, None, BATCH).await {
                Err(Error::MustRefetch) => {
                    let horizon = self.store.event_horizon().await?;
                    tracing::warn!(webhook = %self.id, "events were deleted before they could be delivered to a webhook, which is told so");
                    self.send(&target, &gap_message(self.id, target.cursor, horizon), Some(horizon)).await?;
                    continue;
                }
                other => other?,
            };
            if events.is_empty() {
                return Ok(Some(Duration::ZERO));
            }
            self.deliver_batch(&target, events).await?;
        }
    }

    async fn deliver_batch(&mut self, target: &WebhookTarget, events: Vec<toygres_domain::event::Event>) -> Result<()> {
        let last = events.last().map(|event| event.cursor);
        let mut stored = target.cursor;
        for delivery in load(&self.store, events, true).await? {
            let cursor = delivery.event.cursor;
            let mut messages = event_messages(self.id, &delivery);
            messages.retain(|(kind, _)| target.events.is_empty() || target.events.contains(kind));
            if let Some(done) = messages.iter().position(|(_, message)| Some(&message.id) == self.delivered.as_ref()) {
                messages.drain(..=done);
            }
            let count = messages.len();
            for (number, (_, message)) in messages.into_iter().enumerate() {
                let reached = (number + 1 == count).then_some(cursor);
                if let Next::Reload = self.send(target, &message, reached).await? {
                    return Ok(());
                }
                if let Some(reached) = reached {
                    stored = reached;
                }
            }
        }
        match last {
            Some(last) if last != stored => self.store.webhook_skipped(self.id, self.worker, last).await,
            _ => Ok(()),
        }
    }

    /// Sends a message, and records what came of it. With `reached`, it is the last one up to that position.
    async fn send(&mut self, target: &WebhookTarget, message: &Message, reached: Option<Cursor>) -> Result<Next> {
        let answer = self.sender.send(&target.url, &target.secrets, message).await;
        let Some(error) = answer.error else {
            counter!(DELIVERIES, "result" => "delivered").increment(1);
            self.delivered = Some(message.id.clone());
            let Some(cursor) = reached else { return Ok(Next::Continue) };
            let status = answer.status.unwrap_or_default();
            // Repeated until it is recorded, or the lease ends and with it this task: a message that was accepted is not sent again meanwhile.
            let revision = loop {
                match self.store.webhook_delivered(self.id, self.worker, cursor, status).await {
                    Ok(revision) => break revision,
                    Err(error) if error.is_retryable() => tokio::time::sleep(DATABASE_PAUSE).await,
                    Err(error) => return Err(error),
                }
            };
            // The next message after a failure is read again, without the failures that the target counts.
            return Ok(if revision == Some(target.revision) && target.failures == 0 { Next::Continue } else { Next::Reload });
        };
        let gone = answer.status == Some(410);
        let result = match answer.status {
            _ if gone => "gone",
            Some(_) => "refused",
            None => "failed",
        };
        counter!(DELIVERIES, "result" => result).increment(1);
        let retry_in = pause(target.failures, answer.retry_after);
        let failed = FailedDelivery { status: answer.status, error: error.clone(), retry_in, gone };
        match self.store.webhook_failed(self.id, self.worker, &failed, GIVE_UP_AFTER).await? {
            Some(why) => {
                tracing::error!(webhook = %self.id, "a webhook is disabled, and its receiver is told of nothing until somebody enables it again: {why}")
            }
            None if target.failures == 0 => {
                tracing::warn!(webhook = %self.id, "a message could not be delivered to a webhook, and is sent again until it is: {error}");
            }
            None => {}
        }
        Ok(Next::Reload)
    }
}

/// How long to wait after a failure that `failures` others came before: between half and all of a time that doubles, so that receivers are not tried by
/// all their senders at once; longer if the receiver asks for it.
fn pause(failures: u32, retry_after: Option<Duration>) -> Duration {
    let longest = FIRST_PAUSE.saturating_mul(1 << failures.min(16)).min(LONGEST_PAUSE);
    let random = u32::from_le_bytes(Uuid::new_v4().as_bytes()[..4].try_into().unwrap_or_default());
    let chosen = longest.mul_f64(0.5 + f64::from(random) / f64::from(u32::MAX) / 2.0);
    chosen.max(retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_are_bounded() {
        for (failures, least, most) in [(0, 0.5, 1.0), (1, 1.0, 2.0), (5, 16.0, 32.0), (9, 150.0, 300.0), (u32::MAX, 150.0, 300.0)] {
            for _ in 0..100 {
                let pause = pause(failures, None).as_secs_f64();
                assert!((least..=most).contains(&pause), "{failures}: {pause}");
            }
        }
        assert_eq!(pause(0, Some(Duration::from_secs(90))), Duration::from_secs(90));
        assert_eq!(pause(0, Some(Duration::from_secs(900_000))), LONGEST_RETRY_AFTER);
        assert!(pause(9, Some(Duration::ZERO)) >= Duration::from_secs(150), "a receiver cannot shorten it");
    }
}
