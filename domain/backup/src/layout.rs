//! The names of the objects of an archive.
//!
//! ```text
//! <instance>/<archive>/archive.json                                     which cluster it is of
//!                      instance/00000001.json                           the instance: its name, its size, its settings
//!                      base/<backup>/base.00000.tar.zst, ...            the base backup: together one tar archive
//!                      base/<backup>/backup_manifest.zst                PostgreSQL's manifest of it
//!                      base/<backup>/backup.json                        what is needed to use it; written last
//!                      wal/000000010000000000000003.zst                 a complete segment
//!                      wal/000000010000000000000004.0000A0F0.20261129T054431.123456Z.partial.zst
//!                                                                       a segment up to an offset, filled up with zeros
//!                      wal/00000002.history.zst                         the history of a timeline
//!                      wal/000000010000000000000005.slot_lost.gap.json  the WAL from this segment on was not archived
//! ```
//!
//! In the store the names of what is encrypted end with `.zst.age`: see [`Encryption`](crate::Encryption).

use chrono::{DateTime, NaiveDateTime, Utc};
pub use toygres_domain::backup::{ArchiveId, BackupId, GapReason};
use toygres_domain::{
    InstanceId,
    wal::{Lsn, Segment, SegmentSize, Timeline},
};

/// The directory of an archive in its store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    root: String,
}

/// A segment that is archived up to an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Partial {
    /// The segment.
    pub segment: Segment,
    /// Bytes of the segment that are archived.
    pub offset: u32,
    /// By the server's clock: whatever was committed by then is archived.
    pub covers: DateTime<Utc>,
}

/// What an object in `wal/` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WalObject {
    /// A complete segment.
    Complete(Segment),
    /// A segment up to an offset.
    Partial(Partial),
    /// The history of a timeline.
    History(Timeline),
    /// The WAL from this segment on was not archived.
    Gap(Segment, GapReason),
}

const TIME: &str = "%Y%m%dT%H%M%S%.6fZ";

impl Layout {
    /// The directory of an archive.
    #[must_use]
    pub fn new(instance: InstanceId, archive: ArchiveId) -> Self {
        Self { root: format!("{instance}/{archive}") }
    }

    /// The directory of everything.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The description of the archive.
    #[must_use]
    pub fn description(&self) -> String {
        format!("{}/archive.json", self.root)
    }

    /// The directory of what the archive says of its instance.
    #[must_use]
    pub fn records(&self) -> String {
        format!("{}/instance", self.root)
    }

    /// What the archive says of its instance: the highest number counts.
    #[must_use]
    pub fn record(&self, number: u32) -> String {
        format!("{}/{number:08}.json", self.records())
    }

    /// The number of a path below `instance/`.
    #[must_use]
    pub fn parse_record(&self, path: &str) -> Option<u32> {
        let number = path.strip_prefix(&self.root)?.strip_prefix("/instance/")?.strip_suffix(".json")?.parse().ok()?;
        // One object has one name.
        (self.record(number) == path).then_some(number)
    }

    /// The directory of base backups.
    #[must_use]
    pub fn bases(&self) -> String {
        format!("{}/base", self.root)
    }

    /// The directory of the WAL.
    #[must_use]
    pub fn wal(&self) -> String {
        format!("{}/wal", self.root)
    }

    /// A file of a base backup.
    #[must_use]
    pub fn base_file(&self, backup: BackupId, name: &str) -> String {
        format!("{}/base/{backup}/{name}", self.root)
    }

    /// An object in `wal/`.
    #[must_use]
    pub fn wal_object(&self, object: WalObject, size: SegmentSize) -> String {
        format!("{}/wal/{}", self.root, object.file_name(size))
    }

    /// Which backup a path below `base/` belongs to, and the name of the file.
    #[must_use]
    pub fn parse_base<'a>(&self, path: &'a str) -> Option<(BackupId, &'a str)> {
        let (id, file) = path.strip_prefix(&self.root)?.strip_prefix("/base/")?.split_once('/')?;
        Some((id.parse().ok()?, file))
    }

    /// What a path below `wal/` is; `None` if it is nothing of ours.
    #[must_use]
    pub fn parse_wal(&self, path: &str, size: SegmentSize) -> Option<WalObject> {
        WalObject::parse(path.strip_prefix(&self.root)?.strip_prefix("/wal/")?, size)
    }
}

/// The name of a part of a base backup.
#[must_use]
pub(crate) fn part_name(number: usize) -> String {
    format!("base.{number:05}.tar.zst")
}

pub(crate) const MANIFEST: &str = "backup_manifest.zst";
pub(crate) const RECORD: &str = "backup.json";

impl Partial {
    /// The position up to which the WAL is archived.
    #[must_use]
    pub fn end(&self, size: SegmentSize) -> Lsn {
        Lsn(size.start(self.segment.number).0 + u64::from(self.offset))
    }
}

impl WalObject {
    fn file_name(self, size: SegmentSize) -> String {
        match self {
            Self::Complete(segment) => format!("{}.zst", size.file_name(segment)),
            Self::Partial(Partial { segment, offset, covers }) => {
                format!("{}.{offset:08X}.{}.partial.zst", size.file_name(segment), covers.format(TIME))
            }
            Self::History(timeline) => format!("{}.zst", timeline.history_file_name()),
            Self::Gap(segment, reason) => format!("{}.{reason}.gap.json", size.file_name(segment)),
        }
    }

    fn parse(file_name: &str, size: SegmentSize) -> Option<Self> {
        let name = file_name;
        let object = if let Some(name) = name.strip_suffix(".partial.zst") {
            let (segment, rest) = name.split_once('.')?;
            let (offset, covers) = rest.split_once('.')?;
            let covers = NaiveDateTime::parse_from_str(covers, TIME).ok()?.and_utc();
            let offset = u32::from_str_radix(offset, 16).ok().filter(|offset| u64::from(*offset) <= size.bytes())?;
            Self::Partial(Partial { segment: size.parse_file_name(segment).ok()?, offset, covers })
        } else if let Some(name) = name.strip_suffix(".history.zst") {
            Self::History(Timeline(u32::from_str_radix(name, 16).ok().filter(|timeline| *timeline > 1)?))
        } else if let Some(name) = name.strip_suffix(".gap.json") {
            let (segment, reason) = name.split_once('.')?;
            Self::Gap(size.parse_file_name(segment).ok()?, reason.parse().ok()?)
        } else {
            Self::Complete(size.parse_file_name(name.strip_suffix(".zst")?).ok()?)
        };
        // One object has one name.
        (object.file_name(size) == file_name).then_some(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parsed_as_they_are_written() {
        let size = SegmentSize::DEFAULT;
        let layout = Layout::new(InstanceId::generate(), ArchiveId::generate());
        let segment = Segment { timeline: Timeline(2), number: 259 };
        let covers = "2026-11-29T05:44:31.123456Z".parse().unwrap();
        for object in [
            WalObject::Complete(segment),
            WalObject::Partial(Partial { segment, offset: 0xA0F0, covers }),
            WalObject::History(Timeline(2)),
            WalObject::Gap(segment, GapReason::SlotLost),
        ] {
            let path = layout.wal_object(object, size);
            assert_eq!(layout.parse_wal(&path, size), Some(object), "{path}");
        }
        let partial = layout.wal_object(WalObject::Partial(Partial { segment, offset: 0xA0F0, covers }), size);
        assert!(partial.ends_with("/wal/000000020000000100000003.0000A0F0.20261129T054431.123456Z.partial.zst"), "{partial}");
        for name in ["x.zst", "000000020000000100000003", "000000020000000100000003.zst.tmp", "000000020000000100000003.FFFFFFFF.x.partial.zst"] {
            assert_eq!(layout.parse_wal(&format!("{}/wal/{name}", layout.root()), size), None, "{name}");
        }
        assert_eq!((layout.parse_record(&layout.record(7)), layout.parse_record(&format!("{}/7.json", layout.records()))), (Some(7), None));
        let backup = BackupId::generate();
        assert_eq!(layout.parse_base(&layout.base_file(backup, RECORD)), Some((backup, RECORD)));
    }
}
