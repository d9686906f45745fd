//! Sets and removes the notices of instances.

use toygres_domain::{Result, instance::Instance, notice::NoticeCode};

use crate::activity::ActivityContext;

/// Sets the notice of this kind of an instance, as it was read, or removes it (`None`), if it is another one now.
pub(crate) async fn update_notice(context: &ActivityContext, instance: &Instance, code: NoticeCode, message: Option<&str>) -> Result<()> {
    if is_another_notice(instance, code, message) {
        context.store.set_notice(instance.id, code, message).await?;
    }
    Ok(())
}

/// Whether the notice of this kind of an instance is another one now, or there is none any more (`None`).
pub(crate) fn is_another_notice(instance: &Instance, code: NoticeCode, message: Option<&str>) -> bool {
    instance.notices.iter().find(|notice| notice.code == code).map(|notice| notice.message.as_str()) != message
}
