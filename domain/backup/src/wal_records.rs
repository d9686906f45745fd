//! Reads as much of the WAL as recovery has to know beforehand: when transactions ended, and which settings the server had.
//!
//! The format of what is read here has not changed from PostgreSQL 9.5 to 18: the headers of pages and records (`xlog_internal.h`,
//! `xlogrecord.h`), and the beginnings of the records of transactions and of changed settings (`xact.h`, `xlog_internal.h`).

use chrono::{DateTime, TimeDelta, Utc};
use toygres_domain::wal::Lsn;

use crate::listing::StandbySettings;

const PAGE: u64 = 8192;
const SHORT_HEADER: usize = 24;
const LONG_HEADER: usize = 40;
/// Flags of a page's header.
const FIRST_IS_CONTINUATION: u16 = 1;
const HAS_LONG_HEADER: u16 = 2;
const RECORD_HEADER: usize = 24;
/// Bytes of a record that are kept: its header, the headers before its data, and the beginning of the data.
const KEPT: usize = 96;
/// Resource managers, and their records.
const RM_XLOG: u8 = 0;
const RM_XACT: u8 = 1;
const XLOG_PARAMETER_CHANGE: u8 = 0x60;
const XLOG_SWITCH: u8 = 0x40;
const XACT_OPERATION: u8 = 0x70;
/// Commit, abort, and both of prepared transactions.
const XACT_ENDS: [u8; 4] = [0x00, 0x20, 0x30, 0x40];

/// What a range of the WAL has in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WalSummary {
    /// The latest time at which a transaction ended.
    pub(crate) last_transaction: Option<DateTime<Utc>>,
    /// The start of the last record.
    pub(crate) last_record: Option<Lsn>,
    /// The highest settings.
    pub(crate) settings: StandbySettings,
}

/// Reads segments one after the other.
#[derive(Debug, Default)]
pub(crate) struct WalReader {
    summary: WalSummary,
    /// The record that is being read: where it starts, its first bytes, and how many are to come. `None` between records.
    record: Option<Record>,
    /// Bytes up to the next record or page, which are skipped.
    skip: usize,
}

#[derive(Debug)]
struct Record {
    start: Lsn,
    kept: Vec<u8>,
    remaining: usize,
}

impl WalReader {
    /// Reads the next segment, which has WAL up to `end`.
    pub(crate) fn read(&mut self, start: Lsn, content: &[u8], end: Lsn) {
        let length = usize::try_from(end.0.saturating_sub(start.0)).unwrap_or(usize::MAX).min(content.len());
        for (index, page) in content[..length].chunks(PAGE as usize).enumerate() {
            if !self.page(Lsn(start.0 + index as u64 * PAGE), page) {
                // The rest of the segment is not used.
                (self.record, self.skip) = (None, 0);
                return;
            }
        }
    }

    /// What was read.
    pub(crate) fn summary(&self) -> WalSummary {
        self.summary
    }

    /// Reads a page. Returns whether the next one continues the WAL.
    fn page(&mut self, start: Lsn, page: &[u8]) -> bool {
        let Some(header) = PageHeader::parse(page).filter(|header| header.address == start) else { return false };
        let mut at = header.length;
        if header.is_continuation {
            if self.record.is_none() {
                // Its beginning is not in what was read.
                at += align(header.remaining);
            }
        } else {
            // A record that a crash has cut off is not continued.
            self.record = None;
        }
        self.skip = 0;
        while at < page.len() {
            if let Some(record) = &mut self.record {
                let next = record.remaining.min(page.len() - at);
                let keep = next.min(KEPT.saturating_sub(record.kept.len()));
                record.kept.extend_from_slice(&page[at..at + keep]);
                record.remaining -= next;
                at = align(at + next);
                if record.remaining == 0
                    && let Some(record) = self.record.take()
                    && self.complete(&record)
                {
                    return false;
                }
                continue;
            }
            // Records are aligned, so that their length is never divided.
            let Some(length) = u32_at(page, at) else { return false };
            let Some(length) = usize::try_from(length).ok().filter(|length| *length >= RECORD_HEADER) else { return false };
            self.record = Some(Record { start: Lsn(start.0 + at as u64), kept: Vec::with_capacity(KEPT), remaining: length });
        }
        true
    }

    /// A record was read. Returns whether it ends the segment.
    fn complete(&mut self, record: &Record) -> bool {
        self.summary.last_record = Some(record.start);
        let (info, manager) = (record.kept[16], record.kept[17]);
        let data = main_data(&record.kept).unwrap_or_default();
        match manager {
            RM_XACT if XACT_ENDS.contains(&(info & XACT_OPERATION)) => {
                let time = data.first_chunk().and_then(|time| postgres_time(i64::from_le_bytes(*time)));
                self.summary.last_transaction = self.summary.last_transaction.max(time);
            }
            RM_XLOG if info & 0xF0 == XLOG_PARAMETER_CHANGE => {
                if let [Some(connections), Some(workers), Some(senders), Some(prepared), Some(locks)] = [0, 4, 8, 12, 16].map(|at| u32_at(data, at)) {
                    self.summary.settings = self.summary.settings.max(StandbySettings {
                        max_connections: connections,
                        max_worker_processes: workers,
                        max_wal_senders: senders,
                        max_prepared_transactions: prepared,
                        max_locks_per_transaction: locks,
                    });
                }
            }
            _ => {}
        }
        manager == RM_XLOG && info & 0xF0 == XLOG_SWITCH
    }
}

struct PageHeader {
    address: Lsn,
    length: usize,
    is_continuation: bool,
    remaining: usize,
}

impl PageHeader {
    fn parse(page: &[u8]) -> Option<Self> {
        let info = u16::from_le_bytes(page.get(2..4)?.try_into().ok()?);
        let address = Lsn(u64::from_le_bytes(page.get(8..16)?.try_into().ok()?));
        let remaining = usize::try_from(u32_at(page, 16)?).ok()?;
        let length = if info & HAS_LONG_HEADER == 0 { SHORT_HEADER } else { LONG_HEADER };
        Some(Self { address, length, is_continuation: info & FIRST_IS_CONTINUATION != 0, remaining })
    }
}

/// The beginning of the data of a record that refers to no block.
fn main_data(record: &[u8]) -> Option<&[u8]> {
    let mut headers = record.get(RECORD_HEADER..)?;
    loop {
        let (id, rest) = headers.split_first()?;
        headers = match id {
            // The data, with a length of one byte or of four.
            255 => return rest.get(1..),
            254 => return rest.get(4..),
            // The origin, and the transaction that this one is part of.
            253 => rest.get(2..)?,
            252 => rest.get(4..)?,
            _ => return None,
        };
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

fn align(at: usize) -> usize {
    at.saturating_add(7) & !7
}

fn postgres_time(micros: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(946_684_800, 0)?.checked_add_signed(TimeDelta::microseconds(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_is_read_without_a_panic() {
        let mut random = fastrand::Rng::with_seed(19);
        for _ in 0..2000 {
            let mut content = vec![0; random.usize(..40_000)];
            random.fill(&mut content);
            for (index, page) in content.chunks_mut(PAGE as usize).enumerate().filter(|(_, page)| page.len() > LONG_HEADER) {
                page[8..16].copy_from_slice(&(index as u64 * PAGE).to_le_bytes());
                page[16..20].copy_from_slice(&u32::from(random.u16(..)).to_le_bytes());
                page[20..22].copy_from_slice(&random.u16(..).to_le_bytes());
            }
            WalReader::default().read(Lsn(0), &content, Lsn(random.u64(..50_000)));
        }
    }
}
