//! Up to what time the WAL has been received.

use chrono::{DateTime, Utc};
use toygres_domain::wal::Lsn;

/// Computes from the messages of the server, by its clock alone, a time by which everything committed has been received.
///
/// The server composes one message after the other. It reads up to where its WAL is flushed before it composes a piece of WAL, and that is
/// after it has noted the time in the message before. So whatever was committed by the time of the message before lies before that
/// position.
///
/// When there is nothing to send, it only answers requests. It looks for new WAL after it has sent an answer and before it waits for the next
/// request, so an answer to a request that was made after the answer before had arrived says that there was none in between. Two of them
/// have to follow, because a request may arrive in the moment between sending and looking. Answers to requests that were made
/// at the same time say nothing: a server that was held up, or whose messages were not read, composes them one after the other without a
/// look.
///
/// None of this holds for a timeline that has ended: what is committed now is on another one.
#[derive(Debug)]
pub(super) struct Clock {
    is_current: bool,
    covers: Option<DateTime<Utc>>,
    /// What is covered once this position has been received.
    pending: Option<(Lsn, DateTime<Utc>)>,
    /// The time of the message before.
    before: Option<DateTime<Utc>>,
    /// The times of the last two answers, without WAL between them or after them.
    quiet: [Option<DateTime<Utc>>; 2],
}

impl Clock {
    /// `is_current` says whether the server writes the timeline that it sends.
    pub(super) fn new(is_current: bool) -> Self {
        Self { is_current, covers: None, pending: None, before: None, quiet: [None; 2] }
    }

    /// A piece of the WAL was received.
    pub(super) fn data(&mut self, received: Lsn, flushed: Lsn, sent_at: DateTime<Utc>) {
        if let (None, Some(before)) = (self.pending, self.before) {
            self.pending = Some((flushed, before));
        }
        if let Some((position, time)) = self.pending
            && received >= position
        {
            self.cover(time);
            self.pending = None;
        }
        self.before = Some(sent_at);
        self.quiet = [None; 2];
    }

    /// The server says its time without having been asked for it, or not after its last answer had arrived.
    pub(super) fn unasked(&mut self, sent_at: DateTime<Utc>) {
        self.before = Some(sent_at);
    }

    /// The server has answered a request that was made after the answer before it, if there was one, had arrived.
    pub(super) fn answer(&mut self, received: Lsn, sent: Lsn, sent_at: DateTime<Utc>) {
        self.before = Some(sent_at);
        if sent != received {
            self.quiet = [None; 2];
            return;
        }
        if let [Some(time), Some(_)] = self.quiet {
            self.cover(time);
        }
        self.quiet = match self.quiet {
            [None, _] => [Some(sent_at), None],
            [first, None] => [first, Some(sent_at)],
            [_, second] => [second, Some(sent_at)],
        };
    }

    /// Everything committed by then has been received.
    pub(super) fn covers(&self) -> Option<DateTime<Utc>> {
        self.covers
    }

    fn cover(&mut self, time: DateTime<Utc>) {
        if self.is_current {
            self.covers = self.covers.max(Some(time));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn a_message_covers_the_time_of_the_one_before() {
        let mut clock = Clock::new(true);
        clock.data(Lsn(10), Lsn(10), at(1));
        assert_eq!(clock.covers(), None);
        clock.data(Lsn(20), Lsn(20), at(2));
        assert_eq!(clock.covers(), Some(at(1)));
        // The server has flushed more than it has sent.
        clock.data(Lsn(30), Lsn(50), at(3));
        assert_eq!(clock.covers(), Some(at(1)));
        clock.data(Lsn(50), Lsn(70), at(4));
        assert_eq!(clock.covers(), Some(at(2)));
    }

    #[test]
    fn answers_cover_time_only_while_there_is_nothing_to_send() {
        let mut clock = Clock::new(true);
        clock.answer(Lsn(10), Lsn(10), at(1));
        clock.answer(Lsn(10), Lsn(10), at(2));
        assert_eq!(clock.covers(), None);
        clock.answer(Lsn(10), Lsn(10), at(3));
        assert_eq!(clock.covers(), Some(at(1)));
        clock.answer(Lsn(10), Lsn(10), at(4));
        assert_eq!(clock.covers(), Some(at(2)));
        clock.data(Lsn(20), Lsn(90), at(5));
        clock.answer(Lsn(20), Lsn(20), at(6));
        clock.answer(Lsn(20), Lsn(20), at(7));
        assert_eq!(clock.covers(), Some(at(2)));
    }

    #[test]
    fn a_timeline_that_has_ended_covers_no_time() {
        let mut clock = Clock::new(false);
        for second in 1..5 {
            clock.data(Lsn(10), Lsn(10), at(second));
            clock.answer(Lsn(10), Lsn(10), at(second));
        }
        for second in 5..9 {
            clock.answer(Lsn(10), Lsn(10), at(second));
        }
        assert_eq!(clock.covers(), None);
    }
}
