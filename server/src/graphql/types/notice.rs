//! `Notice` and `NoticeChange`.

use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};
use toygres_domain::notice as domain;

use super::NoticeCode;

/// Something to know about an instance that is no outage.
#[derive(Clone, Debug, SimpleObject)]
pub struct Notice {
    /// The kind of notice. Stable, for programs. An instance has at most one of each.
    code: NoticeCode,
    /// One sentence for people.
    message: String,
    /// When it was found first.
    since: DateTime<Utc>,
}

/// A notice that came or went.
#[derive(Clone, Debug, SimpleObject)]
pub struct NoticeChange {
    /// Whether the instance has the notice from then on.
    raised: bool,
    /// The notice.
    notice: Notice,
}

impl From<&domain::NoticeChange> for NoticeChange {
    fn from(change: &domain::NoticeChange) -> Self {
        Self { raised: change.raised, notice: Notice::from(&change.notice) }
    }
}

impl From<&domain::Notice> for Notice {
    fn from(notice: &domain::Notice) -> Self {
        Self { code: notice.code.into(), message: notice.message.clone(), since: notice.since }
    }
}
