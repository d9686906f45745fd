//! Positions in the write-ahead log (WAL), its timelines, and the names of its files.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A position in the WAL (`pg_lsn`): the number of bytes before it. PostgreSQL writes it as two hexadecimal numbers, such as `16/B374D848`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lsn(pub u64);

/// A timeline: PostgreSQL begins a new one whenever recovery ends. The first is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timeline(pub u32);

/// The size of the files that the WAL is divided into, which `initdb` fixes: a power of two from 1 MiB to 1 GiB, by default 16 MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct SegmentSize(u32);

/// One of these files: a timeline and a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Segment {
    /// The timeline.
    pub timeline: Timeline,
    /// The position of its first byte, divided by the size of a segment.
    pub number: u64,
}

/// The ancestors of a timeline, oldest first: each with the position at which its child began. It is what a history file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimelineHistory(pub Vec<(Timeline, Lsn)>);

/// A text that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct InvalidWalText {
    text: String,
    expected: &'static str,
}

fn invalid(text: &str, expected: &'static str) -> InvalidWalText {
    InvalidWalText { text: text.chars().take(100).collect(), expected }
}

impl SegmentSize {
    /// The default of `initdb`.
    pub const DEFAULT: Self = Self(16 << 20);

    /// Parses what `SHOW wal_segment_size` answers, such as `16MB`.
    ///
    /// # Errors
    /// The text is not such a size.
    pub fn parse_setting(text: &str) -> Result<Self, InvalidWalText> {
        let error = || invalid(text, "a size of WAL segments");
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit: u32 = match &text[digits.len()..] {
            "B" => 1,
            "kB" => 1 << 10,
            "MB" => 1 << 20,
            "GB" => 1 << 30,
            _ => return Err(error()),
        };
        let bytes = digits.parse::<u32>().ok().and_then(|number| number.checked_mul(unit)).ok_or_else(error)?;
        Self::try_from(bytes).map_err(|_| error())
    }

    /// Bytes in a segment.
    #[must_use]
    pub fn bytes(self) -> u64 {
        u64::from(self.0)
    }

    /// The segment that holds the byte at a position.
    #[must_use]
    pub fn segment(self, timeline: Timeline, lsn: Lsn) -> Segment {
        Segment { timeline, number: lsn.0 / self.bytes() }
    }

    /// The position of the first byte of a segment.
    #[must_use]
    pub fn start(self, number: u64) -> Lsn {
        Lsn(number.saturating_mul(self.bytes()))
    }

    /// The position of the first byte of the segment that holds a position.
    #[must_use]
    pub fn floor(self, lsn: Lsn) -> Lsn {
        Lsn(lsn.0 - lsn.0 % self.bytes())
    }

    /// The name of a segment's file: 24 hexadecimal digits.
    #[must_use]
    pub fn file_name(self, segment: Segment) -> String {
        let per_id = (1 << 32) / self.bytes();
        format!("{:08X}{:08X}{:08X}", segment.timeline.0, segment.number / per_id, segment.number % per_id)
    }

    /// The segment whose file has this name.
    ///
    /// # Errors
    /// The text is no such name.
    pub fn parse_file_name(self, text: &str) -> Result<Segment, InvalidWalText> {
        let per_id = (1 << 32) / self.bytes();
        let digits = text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte));
        let part = |at: usize| u32::from_str_radix(&text[at..at + 8], 16).ok();
        digits
            .then(|| Some((part(0)?, u64::from(part(8)?), u64::from(part(16)?))))
            .flatten()
            .filter(|(timeline, _, low)| *timeline > 0 && *low < per_id)
            .map(|(timeline, high, low)| Segment { timeline: Timeline(timeline), number: high * per_id + low })
            .ok_or_else(|| invalid(text, "the name of a WAL segment"))
    }
}

impl TryFrom<u32> for SegmentSize {
    type Error = InvalidWalText;
    fn try_from(bytes: u32) -> Result<Self, Self::Error> {
        let valid = bytes.is_power_of_two() && (1 << 20..=1 << 30).contains(&bytes);
        if valid { Ok(Self(bytes)) } else { Err(invalid(&bytes.to_string(), "a size of WAL segments")) }
    }
}

impl From<SegmentSize> for u32 {
    fn from(size: SegmentSize) -> Self {
        size.0
    }
}

impl Timeline {
    /// The name of the file with its history.
    #[must_use]
    pub fn history_file_name(self) -> String {
        format!("{:08X}.history", self.0)
    }
}

impl TimelineHistory {
    /// Parses a history file: on each line a timeline, the position at which its child began, and a reason.
    ///
    /// # Errors
    /// A line is not like that, or the timelines or positions do not ascend.
    pub fn parse(text: &str) -> Result<Self, InvalidWalText> {
        let mut ancestors: Vec<(Timeline, Lsn)> = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let mut fields = line.split_whitespace();
            let timeline = fields.next().and_then(|field| field.parse().ok()).filter(|timeline| *timeline > 0).map(Timeline);
            let switch = fields.next().and_then(|field| field.parse().ok());
            let (Some(timeline), Some(switch)) = (timeline, switch) else { return Err(invalid(line, "a line of a timeline's history")) };
            if ancestors.last().is_some_and(|(last, at)| timeline <= *last || switch < *at) {
                return Err(invalid(line, "a line of a timeline's history, which ascend"));
            }
            ancestors.push((timeline, switch));
        }
        Ok(Self(ancestors))
    }

    /// The position at which `timeline` was left, if it is an ancestor.
    #[must_use]
    pub fn left_at(&self, timeline: Timeline) -> Option<Lsn> {
        self.0.iter().find(|(ancestor, _)| *ancestor == timeline).map(|(_, at)| *at)
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

impl FromStr for Lsn {
    type Err = InvalidWalText;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let part = |text: &str| (text.len() <= 8 && !text.starts_with('+')).then(|| u32::from_str_radix(text, 16).ok()).flatten().map(u64::from);
        text.split_once('/')
            .and_then(|(high, low)| Some(Self(part(high)? << 32 | part(low)?)))
            .ok_or_else(|| invalid(text, "a position in the WAL, such as 16/B374D848"))
    }
}

impl Serialize for Lsn {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Lsn {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_written_as_postgresql_does() {
        for text in ["0/0", "16/B374D848", "FFFFFFFF/FFFFFFFF"] {
            assert_eq!(text.parse::<Lsn>().unwrap().to_string(), text);
        }
        for text in ["", "1", "1/", "/1", "1/2/3", "1/123456789", "+1/2", "g/1"] {
            assert!(text.parse::<Lsn>().is_err(), "{text}");
        }
    }

    #[test]
    fn segments_are_named_as_postgresql_does() {
        let size = SegmentSize::DEFAULT;
        let segment = size.segment(Timeline(1), "1/2000028".parse().unwrap());
        assert_eq!(size.file_name(segment), "000000010000000100000002");
        assert_eq!(size.parse_file_name("000000010000000100000002"), Ok(segment));
        assert_eq!(size.start(segment.number), "1/2000000".parse().unwrap());
        let large = SegmentSize::parse_setting("1GB").unwrap();
        assert_eq!(large.file_name(large.segment(Timeline(0x1F), Lsn((5 << 32) + (3 << 30) + 1))), "0000001F0000000500000003");
        for name in ["", "000000010000000100000100", "00000001000000010000000g", "00000000000000010000000A", "00000001000000010000000a"] {
            assert!(size.parse_file_name(name).is_err(), "{name}");
        }
        assert!(SegmentSize::parse_setting("3MB").is_err());
        assert!(SegmentSize::parse_setting("99999999GB").is_err());
    }

    #[test]
    fn a_history_is_parsed() {
        let history = TimelineHistory::parse("1\t0/3000110\tno recovery target specified\n\n2\t0/5000000\tx\n").unwrap();
        assert_eq!(history.left_at(Timeline(2)), Some(Lsn(0x500_0000)));
        assert_eq!(history.left_at(Timeline(3)), None);
        assert!(TimelineHistory::parse("2\t0/3\n1\t0/5\n").is_err());
        assert!(TimelineHistory::parse("x").is_err());
    }
}
