//! Entries of a log from its lines, in the format of PostgreSQL's `log_destination = stderr`.
//!
//! A message is a line with a prefix and a severity; further lines of its text begin with a tab; its details follow in lines with prefixes of
//! their own. PostgreSQL writes all of that at once, but a pipe may mix what several processes write.

use std::{borrow::Cow, collections::VecDeque};

use chrono::{DateTime, NaiveDateTime, Utc};

use super::{LogCursor, LogEntry, LogLine, LogPosition, LogSeverity};
use crate::masking::masked;

/// Bytes of [`super::LINE_PREFIX`] in front of the tab before the names.
pub const FIXED: usize = 68;

/// Bytes of the texts of one entry that are kept, before they are masked.
const MAX_ENTRY: usize = 64 * 1024;
/// Entries to which lines may still be added: a pipe mixes the lines of as few processes.
const MAX_OPEN: usize = 8;
/// Bytes of a line and those that follow while its names contain line breaks.
const MAX_HEADER: usize = 1024;
/// The form of the time.
const TIME: &str = "%Y-%m-%d %H:%M:%S%.3f UTC";
/// Its bytes.
const TIME_LENGTH: usize = 27;
/// The SQLSTATE of a message that is no error.
const NO_ERROR: &str = "00000";

/// Makes entries of lines. The lines of an entry are in memory until the entry is complete, up to a limit.
#[derive(Debug, Default)]
pub struct LogParser {
    open: VecDeque<OpenEntry>,
    /// A line whose names contain line breaks, of which the rest is to come.
    begun: Option<LogLine>,
    /// The process that wrote the last line.
    last: Option<i32>,
    /// Whether lines are dropped because they may belong to an entry that was not read.
    skipping: bool,
}

impl LogParser {
    /// One whose first lines may be the end of an entry, which is left out.
    #[must_use]
    pub fn within_an_entry() -> Self {
        Self { skipping: true, ..Self::default() }
    }

    /// Takes the next line, and adds the entries that are complete now.
    pub fn push(&mut self, line: LogLine, entries: &mut Vec<LogEntry>) {
        if let Some(begun) = self.begun.take() {
            if fixed(&line.text).is_none() && begun.text.len() + line.text.len() < MAX_HEADER {
                self.read(LogLine { text: begun.text + "\n" + &line.text, ..begun });
            } else {
                self.begin_foreign(begun);
                self.read(line);
            }
        } else {
            self.read(line);
        }
        while self.open.len() > MAX_OPEN {
            self.finish_first(entries);
        }
    }

    /// Adds the entries to which no line is added any more, because for now, or at the end, there is none.
    pub fn flush(&mut self, entries: &mut Vec<LogEntry>) {
        if let Some(begun) = self.begun.take() {
            self.begin_foreign(begun);
        }
        while !self.open.is_empty() {
            self.finish_first(entries);
        }
    }

    fn finish_first(&mut self, entries: &mut Vec<LogEntry>) {
        entries.extend(self.open.pop_front().map(OpenEntry::finish));
    }

    fn read(&mut self, line: LogLine) {
        match Header::of(&line.text) {
            Header::Incomplete if line.text.len() < MAX_HEADER => {
                self.skipping = false;
                self.begun = Some(line);
            }
            Header::Complete(header) => {
                self.last = Some(header.pid);
                match header.label {
                    Label::Severity(severity) => {
                        self.skipping = false;
                        self.open.push_back(OpenEntry::new(&line, &header, severity));
                    }
                    Label::Part(part) => match self.open.iter_mut().rfind(|open| open.entry.pid == Some(header.pid)) {
                        Some(open) => open.begin_part(part, header.text),
                        None if self.skipping => {}
                        None => self.begin_foreign(line),
                    },
                }
            }
            Header::Incomplete | Header::None if self.skipping => {}
            Header::Incomplete | Header::None => match line.text.strip_prefix('\t') {
                // Without an entry it is the rest of one that is not kept.
                Some(text) => {
                    if let Some(open) = self.open.iter_mut().rfind(|open| open.entry.pid == self.last) {
                        open.continue_part(text);
                    }
                }
                None => self.begin_foreign(line),
            },
        }
    }

    /// A line that is no message of PostgreSQL, such as one of a program that the server runs.
    fn begin_foreign(&mut self, line: LogLine) {
        if !line.text.trim().is_empty() {
            self.last = None;
            self.open.push_back(OpenEntry::foreign(line));
        }
    }
}

/// A line without what [`super::LINE_PREFIX`] adds to the time: for people.
#[must_use]
pub fn shortened(line: &str) -> Cow<'_, str> {
    match Header::of(line) {
        Header::Complete(CompleteHeader { text, .. }) if fixed(line).is_some() => {
            let label = line[..line.len() - text.len()].trim_end().rsplit([' ', '\t']).next().unwrap_or_default();
            Cow::Owned(format!("{} {label}  {text}", &line[..TIME_LENGTH]))
        }
        _ => Cow::Borrowed(line),
    }
}

/// The first line of a message, or of a part of one.
enum Header<'a> {
    Complete(CompleteHeader<'a>),
    /// Its names contain a line break.
    Incomplete,
    None,
}

struct CompleteHeader<'a> {
    time: DateTime<Utc>,
    pid: i32,
    sqlstate: Option<&'a str>,
    names: Option<&'a str>,
    label: Label,
    text: &'a str,
}

#[derive(Clone, Copy)]
enum Label {
    Severity(LogSeverity),
    Part(Part),
}

#[derive(Clone, Copy)]
enum Part {
    Message,
    Detail,
    Hint,
    Context,
    Statement,
    /// Where it is in the source of PostgreSQL, which is left out.
    Location,
}

impl<'a> Header<'a> {
    fn of(line: &'a str) -> Self {
        if let Some(Fixed { time, pid, session, sqlstate }) = fixed(line) {
            let rest = &line[FIXED..];
            let complete = |names, (label, text)| {
                Self::Complete(CompleteHeader { time, pid, sqlstate: Some(sqlstate).filter(|state| *state != NO_ERROR), names, label, text })
            };
            let Some(names) = rest.strip_prefix('\t') else {
                return label(rest).map_or(Self::None, |found| complete(None, found));
            };
            // The first end, before anything in the message that could be taken for one.
            let mut end_of_names = names.match_indices('\t').filter_map(|(at, tab)| {
                let text = names[at + tab.len()..].strip_prefix(session)?.strip_prefix(' ')?;
                Some((at, label(text)?))
            });
            return end_of_names.next().map_or(Self::Incomplete, |(end, found)| complete(Some(&names[..end]), found));
        }
        match default_header(line) {
            Some(header) => Self::Complete(header),
            None => Self::None,
        }
    }
}

/// What is in front of the names.
struct Fixed<'a> {
    time: DateTime<Utc>,
    pid: i32,
    session: &'a str,
    sqlstate: &'a str,
}

fn fixed(line: &str) -> Option<Fixed<'_>> {
    let fixed = line.get(..FIXED)?;
    let (pid, rest) = fixed.get(TIME_LENGTH..)?.strip_prefix(" [")?.split_once("] ")?;
    if pid.len() != 10 {
        return None;
    }
    let (session, sqlstate) = rest.trim_start().split_once(' ')?;
    let sqlstate = sqlstate.strip_suffix(' ')?;
    let is_state = sqlstate.len() == 5 && sqlstate.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    (is_state && session.contains('.')).then_some(())?;
    Some(Fixed { time: time(&fixed[..TIME_LENGTH])?, pid: pid.trim_start().parse().ok()?, session, sqlstate })
}

/// A line with PostgreSQL's default prefix (`%m [%p] `): from before a server has read its configuration, and from servers of an earlier
/// release.
fn default_header(line: &str) -> Option<CompleteHeader<'_>> {
    let time = time(line.get(..TIME_LENGTH)?)?;
    let (pid, text) = line.get(TIME_LENGTH..)?.strip_prefix(" [")?.split_once("] ")?;
    let (label, text) = label(text)?;
    Some(CompleteHeader { time, pid: pid.parse().ok()?, sqlstate: None, names: None, label, text })
}

fn time(text: &str) -> Option<DateTime<Utc>> {
    // Cheaper than to have the parser find out.
    if !text.ends_with(" UTC") {
        return None;
    }
    NaiveDateTime::parse_from_str(text, TIME).ok().map(|time| time.and_utc())
}

/// The label that a text begins with, and what follows.
fn label(text: &str) -> Option<(Label, &str)> {
    const LABELS: [(&str, Label); 14] = [
        ("LOG", Label::Severity(LogSeverity::Log)),
        ("ERROR", Label::Severity(LogSeverity::Error)),
        ("STATEMENT", Label::Part(Part::Statement)),
        ("DETAIL", Label::Part(Part::Detail)),
        ("CONTEXT", Label::Part(Part::Context)),
        ("HINT", Label::Part(Part::Hint)),
        ("FATAL", Label::Severity(LogSeverity::Fatal)),
        ("WARNING", Label::Severity(LogSeverity::Warning)),
        ("PANIC", Label::Severity(LogSeverity::Panic)),
        ("NOTICE", Label::Severity(LogSeverity::Notice)),
        ("INFO", Label::Severity(LogSeverity::Info)),
        ("DEBUG", Label::Severity(LogSeverity::Debug)),
        ("QUERY", Label::Part(Part::Statement)),
        ("LOCATION", Label::Part(Part::Location)),
    ];
    let (name, rest) = text.split_once(":  ")?;
    if name == "BACKTRACE" {
        return Some((Label::Part(Part::Location), rest));
    }
    LABELS.iter().find(|(known, _)| *known == name).map(|(_, label)| (*label, rest))
}

#[derive(Debug)]
struct OpenEntry {
    entry: LogEntry,
    part: OpenPart,
    /// Bytes that may be added.
    left: usize,
}

/// The part to which further lines belong.
type OpenPart = Option<fn(&mut LogEntry) -> &mut String>;

impl Part {
    fn text(self) -> OpenPart {
        match self {
            Self::Message => Some(|entry| &mut entry.message),
            Self::Detail => Some(|entry| entry.detail.get_or_insert_default()),
            Self::Hint => Some(|entry| entry.hint.get_or_insert_default()),
            Self::Context => Some(|entry| entry.context.get_or_insert_default()),
            Self::Statement => Some(|entry| entry.statement.get_or_insert_default()),
            Self::Location => None,
        }
    }
}

impl OpenEntry {
    fn new(line: &LogLine, header: &CompleteHeader<'_>, severity: LogSeverity) -> Self {
        let CompleteHeader { time, pid, sqlstate, names, label: _, text } = header;
        // The application is plain ASCII, so it has no tab.
        let mut names = names.unwrap_or_default().rsplitn(3, '\t').map(known);
        let mut name = || names.next().flatten();
        let (application, database, username) = (name(), name(), name());
        let entry = LogEntry {
            cursor: cursor(line.position, &line.text),
            time: Some(*time),
            severity,
            sqlstate: sqlstate.map(str::to_owned),
            message: String::new(),
            detail: None,
            hint: None,
            context: None,
            statement: None,
            username,
            database,
            application,
            pid: Some(*pid),
        };
        let mut this = Self { entry, part: None, left: MAX_ENTRY };
        this.begin_part(Part::Message, text);
        this
    }

    fn foreign(LogLine { position, received, text }: LogLine) -> Self {
        let entry = LogEntry {
            cursor: cursor(position, &text),
            time: received,
            severity: LogSeverity::Log,
            sqlstate: None,
            message: String::new(),
            detail: None,
            hint: None,
            context: None,
            statement: None,
            username: None,
            database: None,
            application: None,
            pid: None,
        };
        let mut this = Self { entry, part: None, left: MAX_ENTRY };
        this.begin_part(Part::Message, &text);
        this
    }

    fn begin_part(&mut self, part: Part, text: &str) {
        self.part = part.text();
        // An internal query and the statement are one text.
        self.append(text, false);
    }

    fn continue_part(&mut self, text: &str) {
        self.append(text, true);
    }

    fn append(&mut self, text: &str, is_further_line: bool) {
        let Some(part) = self.part.filter(|_| self.left > 0) else { return };
        let part = part(&mut self.entry);
        if is_further_line || !part.is_empty() {
            part.push('\n');
        }
        if text.len() < self.left {
            part.push_str(text);
            self.left -= text.len() + 1;
        } else {
            part.push_str(&text[..text.floor_char_boundary(self.left)]);
            part.push('…');
            self.left = 0;
        }
    }

    fn finish(mut self) -> LogEntry {
        let LogEntry { message, detail, hint, context, statement, .. } = &mut self.entry;
        let others = [detail, hint, context, statement].into_iter().flatten();
        for text in std::iter::once(message).chain(others) {
            let clean = match masked(text) {
                Cow::Owned(clean) => clean,
                Cow::Borrowed(_) => continue,
            };
            *text = clean;
        }
        self.entry
    }
}

/// A name that PostgreSQL knows.
fn known(name: &str) -> Option<String> {
    (!name.is_empty() && name != "[unknown]").then(|| name.to_owned())
}

fn cursor(position: LogPosition, line: &str) -> LogCursor {
    // FNV-1a: it need not be secure, but the same in every release.
    let check = line.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    LogCursor { position, check }
}

#[cfg(test)]
mod tests;
