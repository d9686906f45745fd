//! The stream of the WAL.

use bytes::{Buf, BufMut, Bytes};
use chrono::{DateTime, TimeDelta, Utc};
use postgres_protocol::message::{
    backend::Message,
    frontend::{self, CopyData},
};
use tokio::time::timeout;

use super::{ReplicationConnection, ReplicationError, SlotName, text, timeline, wire::Frame};
use toygres_domain::wal::{Lsn, Timeline};

/// Microseconds from the Unix epoch to PostgreSQL's, which is the year 2000.
const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

/// What a stream brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WalMessage {
    /// A piece of the WAL. Pieces follow each other without gaps.
    Data {
        /// The position of its first byte.
        start: Lsn,
        /// The bytes.
        data: Bytes,
        /// Up to where the server had flushed its WAL when it began to compose this message.
        flushed: Lsn,
        /// When the server sent it, by its clock.
        sent_at: DateTime<Utc>,
    },
    /// The server has nothing to send, or was asked for an answer.
    Keepalive {
        /// Up to where it has sent its WAL.
        sent: Lsn,
        /// When the server sent this, by its clock.
        sent_at: DateTime<Utc>,
        /// Whether it ends the connection unless it gets a [`WalStream::confirm`] soon.
        reply_requested: bool,
    },
    /// The timeline has ended, and everything of it was sent: see [`WalStream::finish`].
    EndOfTimeline,
}

/// A stream of the WAL of one timeline.
pub struct WalStream {
    connection: ReplicationConnection,
    /// The position that follows what was received.
    next: Lsn,
}

impl ReplicationConnection {
    /// Streams the WAL from a position on. A slot serves one connection at a time: it is the lock of whoever archives the WAL.
    ///
    /// # Errors
    /// See [`ReplicationError`]. `55006` if another connection uses the slot, `55000` if it has lost its WAL, `58P01` if the server does not
    /// have the position any more.
    pub async fn start_replication(mut self, slot: Option<&SlotName>, start: Lsn, timeline: Timeline) -> Result<WalStream, ReplicationError> {
        let slot = slot.map(|slot| format!("SLOT {slot} ")).unwrap_or_default();
        let command = format!("START_REPLICATION {slot}PHYSICAL {start} TIMELINE {timeline}");
        let sent = timeout(self.timeout, self.wire.query(&command)).await;
        self.completed(sent)?;
        match self.frame().await? {
            Frame::CopyBoth => Ok(WalStream { connection: self, next: start }),
            frame => Err(self.unexpected_frame(&frame)),
        }
    }

    /// The time by the server's clock. It starts a stream without a slot for it, because that is where the protocol tells the time.
    ///
    /// # Errors
    /// See [`ReplicationError`].
    pub async fn server_time(mut self) -> Result<DateTime<Utc>, ReplicationError> {
        let identity = self.identify_system().await?;
        let mut stream = self.start_replication(None, identity.flushed, identity.timeline).await?;
        stream.confirm(Lsn(0), Lsn(0), true).await?;
        let time = match stream.next().await? {
            WalMessage::Data { sent_at, .. } | WalMessage::Keepalive { sent_at, .. } => Ok(sent_at),
            WalMessage::EndOfTimeline => Err(stream.connection.unexpected("the end of the current timeline")),
        };
        stream.connection.close().await;
        time
    }
}

impl WalStream {
    /// The next message. Cancelling it loses nothing. A server that sends nothing within the time-out is lost.
    ///
    /// # Errors
    /// See [`ReplicationError`]. [`ReplicationError::ShutDown`] when a clean shutdown of the server has come to its end.
    pub async fn next(&mut self) -> Result<WalMessage, ReplicationError> {
        match self.connection.frame().await? {
            Frame::Message(Message::CopyData(body)) => {
                let message = parse(body.into_bytes()).ok_or_else(|| self.connection.unexpected("a message of the stream"))?;
                if let WalMessage::Data { start, data, .. } = &message {
                    if *start != self.next {
                        return Err(self.connection.unexpected("a piece of the WAL that does not follow the one before"));
                    }
                    self.next = Lsn(start.0.saturating_add(data.len() as u64));
                }
                Ok(message)
            }
            Frame::Message(Message::CopyDone) => Ok(WalMessage::EndOfTimeline),
            // It says so only when everything was confirmed, up to the checkpoint of the shutdown.
            Frame::Message(Message::CommandComplete(_)) => Err(ReplicationError::ShutDown),
            frame => Err(self.connection.unexpected_frame(&frame)),
        }
    }

    /// Tells the server what was received and what is durable. It may remove the WAL before `durable`.
    ///
    /// # Errors
    /// See [`ReplicationError`].
    pub async fn confirm(&mut self, received: Lsn, durable: Lsn, request_reply: bool) -> Result<(), ReplicationError> {
        let mut status = Vec::with_capacity(34);
        status.put_u8(b'r');
        status.put_u64(received.0);
        status.put_u64(durable.0);
        // Nothing is applied.
        status.put_u64(0);
        status.put_i64(Utc::now().timestamp_micros().saturating_sub(POSTGRES_EPOCH_MICROS));
        status.put_u8(u8::from(request_reply));
        let sent = self.connection.wire.send(|output| {
            CopyData::new(status.as_slice())?.write(output);
            Ok(())
        });
        let sent = timeout(self.connection.timeout, sent).await;
        self.connection.completed(sent)
    }

    /// Ends a stream whose timeline has ended. Returns the next timeline, and where it begins.
    ///
    /// # Errors
    /// See [`ReplicationError`].
    pub async fn finish(self) -> Result<(ReplicationConnection, Timeline, Lsn), ReplicationError> {
        let mut connection = self.connection;
        let rows = timeout(connection.timeout, async {
            connection
                .wire
                .send(|output| {
                    frontend::copy_done(output);
                    Ok(())
                })
                .await?;
            connection.wire.rows_after_stream().await
        });
        let rows = rows.await;
        let rows = connection.completed(rows)?;
        let next = rows.first().and_then(|row| Some((timeline(text(row, 0)?)?, text(row, 1)?.parse().ok()?)));
        let (timeline, start) = next.ok_or_else(|| connection.unexpected("the end of a timeline"))?;
        Ok((connection, timeline, start))
    }

    /// Ends the connection, which gives the slot back.
    pub async fn close(self) {
        self.connection.close().await;
    }
}

fn parse(mut body: Bytes) -> Option<WalMessage> {
    match body.try_get_u8().ok()? {
        b'w' => {
            let (start, flushed) = (Lsn(body.try_get_u64().ok()?), Lsn(body.try_get_u64().ok()?));
            let sent_at = time(body.try_get_i64().ok()?)?;
            Some(WalMessage::Data { start, data: body, flushed, sent_at })
        }
        b'k' => {
            let sent = Lsn(body.try_get_u64().ok()?);
            let sent_at = time(body.try_get_i64().ok()?)?;
            Some(WalMessage::Keepalive { sent, sent_at, reply_requested: body.try_get_u8().ok()? != 0 })
        }
        _ => None,
    }
}

fn time(micros: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(POSTGRES_EPOCH_MICROS)?.checked_add_signed(TimeDelta::microseconds(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_parsed_whatever_their_length() {
        let mut data = vec![b'w'];
        data.put_u64(0x0100_0000);
        data.put_u64(0x0200_0000);
        data.put_i64(1_000_000);
        data.put_slice(b"wal");
        let message = parse(Bytes::from(data.clone())).unwrap();
        let sent_at = "2000-01-01T00:00:01Z".parse().unwrap();
        assert_eq!(message, WalMessage::Data { start: Lsn(0x0100_0000), data: Bytes::from_static(b"wal"), flushed: Lsn(0x0200_0000), sent_at });
        for length in 0..25 {
            assert_eq!(parse(Bytes::copy_from_slice(&data[..length])), None, "{length}");
        }
        let far = [[b'k'].as_slice(), &[0; 8], &i64::MAX.to_be_bytes(), &[1]].concat();
        assert_eq!(parse(Bytes::from(far)), None);
        assert_eq!(parse(Bytes::from_static(b"x")), None);
    }
}
