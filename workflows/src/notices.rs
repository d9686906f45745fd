//! Sets and removes the notices of instances.

use toygres_domain::{Result, instance::Instance, notice::NoticeCode};

use crate::activity::ActivityContext;

/// Sets the notice of this kind of an instance, as it was read, or removes it (`None`), if it is another one now.
pub(crate) async fn update_notice(context: &ActivityContext, instance: &Instance, code: NoticeCode, message: Option<&str>) -> Result<()> {
    let present = instance.notices.iter().find(|notice| notice.code == code).map(|notice| notice.message.as_str());
    if present != message {
        context.store.set_notice(instance.id, code, message).await?;
    }
    Ok(())
}
