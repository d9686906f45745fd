//! Whether a server has read settings that follow from the size of its instance.

use std::time::Duration;

use toygres_domain::{instance::Reason, roles::DATABASE};

use super::{Target, close, session::Session, symptom};

/// Whether the server has these settings, which are sizes such as `512MB`. If it has not, it is told to read its files again, which takes a
/// moment.
///
/// # Errors
/// Why it could not be asked. The reason never contains the password.
pub async fn has_sizes(target: &Target, sizes: &[(&str, String)], timeout: Duration) -> Result<bool, Reason> {
    let wanted: Vec<_> = sizes.iter().map(|(name, size)| format!("('{name}', '{size}')")).collect();
    let query = format!(
        "SELECT pg_catalog.bool_and(pg_catalog.pg_size_bytes(pg_catalog.current_setting(name)) = pg_catalog.pg_size_bytes(size))::text
         FROM (VALUES {}) AS wanted (name, size)",
        wanted.join(", ")
    );
    let ask = async {
        let mut session = Session::log_in(target, DATABASE, "toygres").await?;
        let [has] = session.row(&query).await?;
        let has = has.as_deref() == Some("true");
        if !has {
            let [_] = session.row("SELECT pg_catalog.pg_reload_conf()").await?;
        }
        Ok((has, session))
    };
    match tokio::time::timeout(timeout, ask).await {
        Err(_) => Err(symptom::no_answer(&target.endpoint, timeout)),
        Ok(Err(error)) => Err(symptom::classify(&target.endpoint, &error)),
        Ok(Ok((has, session))) => {
            close(Some(session)).await;
            Ok(has)
        }
    }
}
