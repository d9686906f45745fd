//! Replication slots: what makes a server keep the WAL that has not been confirmed.

use std::fmt;

use super::{ReplicationConnection, ReplicationError, text, timeline};
use toygres_domain::wal::{Lsn, Timeline};

/// The name of a replication slot: 1 to 63 lower-case letters, digits and underscores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotName(String);

/// A text that cannot be the name of a slot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a replication slot's name has 1 to 63 lower-case letters, digits and underscores")]
pub struct InvalidSlotName;

impl TryFrom<String> for SlotName {
    type Error = InvalidSlotName;
    fn try_from(name: String) -> Result<Self, Self::Error> {
        let valid = (1..=63).contains(&name.len()) && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        if valid { Ok(Self(name)) } else { Err(InvalidSlotName) }
    }
}

impl fmt::Display for SlotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A physical slot that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The oldest WAL that the server keeps for it, and its timeline. `None` if the server has given up keeping it, because that was more
    /// than `max_slot_wal_keep_size`.
    pub restart: Option<(Timeline, Lsn)>,
}

impl ReplicationConnection {
    /// Creates a physical slot that keeps the WAL from now on.
    ///
    /// # Errors
    /// See [`ReplicationError`]. `42710` if the slot exists.
    pub async fn create_slot(&mut self, name: &SlotName) -> Result<(), ReplicationError> {
        self.rows(&format!("CREATE_REPLICATION_SLOT {name} PHYSICAL (RESERVE_WAL true)")).await.map(drop)
    }

    /// Reads a slot; `None` if it does not exist.
    ///
    /// # Errors
    /// See [`ReplicationError`].
    pub async fn read_slot(&mut self, name: &SlotName) -> Result<Option<Slot>, ReplicationError> {
        let row = self.row(&format!("READ_REPLICATION_SLOT {name}")).await?;
        let Some(kind) = text(&row, 0) else { return Ok(None) };
        if kind != "physical" {
            return Err(self.unexpected("a replication slot that is not physical"));
        }
        let Some(lsn) = text(&row, 1) else { return Ok(Some(Slot { restart: None })) };
        match (lsn.parse().ok(), text(&row, 2).and_then(timeline)) {
            (Some(lsn), Some(timeline)) => Ok(Some(Slot { restart: Some((timeline, lsn)) })),
            _ => Err(self.unexpected("the answer to READ_REPLICATION_SLOT")),
        }
    }

    /// Drops a slot.
    ///
    /// # Errors
    /// See [`ReplicationError`]. `42704` if it does not exist, `55006` if another connection uses it.
    pub async fn drop_slot(&mut self, name: &SlotName) -> Result<(), ReplicationError> {
        self.rows(&format!("DROP_REPLICATION_SLOT {name}")).await.map(drop)
    }
}
