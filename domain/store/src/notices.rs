//! The notices of instances.

use chrono::Utc;
use sqlx::{PgConnection, types::Json};

use super::{Store, errors::Classify, instances::locked};
use toygres_domain::{
    InstanceId, Result,
    instance::{Instance, InstanceState},
    notice::{Notice, NoticeCode},
};

impl Store {
    /// Sets the notice of this kind of an instance whose server runs, or removes it (`None`). A change is an event. The time of a notice stays when
    /// only its message changes. Returns whether anything changed.
    ///
    /// # Errors
    /// When the instance has no row.
    pub async fn set_notice(&self, id: InstanceId, code: NoticeCode, message: Option<&str>) -> Result<bool> {
        let mut transaction = self.begin().await?;
        let now = locked(&mut transaction, id).await?;
        let written = write_notice(&mut transaction, now, code, message).await?;
        transaction.commit().await.classify()?;
        Ok(written)
    }
}

/// Sets or removes a notice of a locked instance. Returns whether anything changed.
pub(super) async fn write_notice(connection: &mut PgConnection, now: Instance, code: NoticeCode, message: Option<&str>) -> Result<bool> {
    let present = now.notices.iter().find(|notice| notice.code == code);
    // An address changes while the server is stopped too.
    let is_deployed = matches!(now.state, InstanceState::Running | InstanceState::Updating)
        || now.state == InstanceState::Suspended && code == NoticeCode::AddressChanging;
    if !is_deployed || present.map(|notice| notice.message.as_str()) == message {
        return Ok(false);
    }
    let notices = with_notice(now.notices, code, message);
    sqlx::query!("UPDATE instances SET notices = $2 WHERE id = $1", now.id.0, Json(notices) as _).execute(connection).await.classify()?;
    Ok(true)
}

/// The notices with this one set or removed.
pub(super) fn with_notice(notices: Vec<Notice>, code: NoticeCode, message: Option<&str>) -> Vec<Notice> {
    let since = notices.iter().find(|notice| notice.code == code).map_or_else(Utc::now, |notice| notice.since);
    let mut notices: Vec<_> = notices.into_iter().filter(|notice| notice.code != code).collect();
    notices.extend(message.map(|message| Notice { code, message: message.to_owned(), since }));
    notices.sort_by_key(|notice| notice.since);
    notices
}

/// The notices in a column. Those of a later release are left out.
pub(super) fn notices(column: Vec<serde_json::Value>) -> Vec<Notice> {
    column.into_iter().filter_map(|notice| serde_json::from_value(notice).ok()).collect()
}
