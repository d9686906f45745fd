//! The configuration of a server, as the server itself sees it. The target of each function is the superuser.

use std::time::Duration;

use toygres_domain::{
    instance::{PostgresVersion, Reason},
    parameter::{
        Changes, MARKER, PRELOAD, Parameters,
        catalog::{self, ParameterType},
        marker,
    },
};

use super::{
    CLOSE_TIMEOUT, Target,
    administration::literal,
    clients::{Clients, adapt_in},
    session::{Session, SessionError},
    symptom,
};

/// The name of the sessions in `pg_stat_activity`.
const APPLICATION: &str = "toygres";

/// Whether a server has a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigurationStatus {
    /// It has.
    Current,
    /// Not yet: its files are not there, or it has not read them.
    Outdated,
    /// It has read them, and refuses this.
    Refused(String),
}

/// Asks the server whether it has these parameters, and has it read its files if it has not. In a server that has
/// them, the roles are given what depends on the parameters and on its version: see [`super::clients`].
///
/// # Errors
/// Why the server could not be asked. The reason never contains a password.
pub async fn status(
    target: &Target,
    version: PostgresVersion,
    clients: Clients<'_>,
    parameters: &Parameters,
    timeout: Duration,
) -> Result<ConfigurationStatus, Reason> {
    within(target, timeout, async |session| {
        let status = compare(session, version, parameters).await?;
        if status == ConfigurationStatus::Current {
            adapt_in(session, clients).await?;
        }
        Ok(status)
    })
    .await
}

/// Why the server would refuse one of these texts, as far as it can tell before it has it; `None` if it would not.
///
/// # Errors
/// Why the server could not be asked. The reason never contains a password.
pub async fn refusal(target: &Target, version: PostgresVersion, changes: &Changes, timeout: Duration) -> Result<Option<String>, Reason> {
    /// `invalid_parameter_value`
    const INVALID: &str = "22023";
    let is_text = |name: &str| catalog::find(version, name).is_some_and(|parameter| parameter.kind == ParameterType::String) && name != PRELOAD;
    let texts: Vec<_> = changes.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))).filter(|(name, _)| is_text(name)).collect();
    if texts.is_empty() {
        return Ok(None);
    }
    within(target, timeout, async |session| {
        for (name, value) in texts {
            match session.execute(&format!("SELECT pg_catalog.set_config('{name}', {}, true)", literal(value))).await {
                Err(SessionError::Server(code, message)) if code == INVALID => return Ok(Some(message)),
                // Those that no session can set are known when the server has read them.
                Ok(()) | Err(SessionError::Server(..)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    })
    .await
}

async fn compare(session: &mut Session, version: PostgresVersion, parameters: &Parameters) -> Result<ConfigurationStatus, SessionError> {
    let expected = marker(parameters);
    // A setting that needs a restart is reported as an error too.
    let query = format!(
        "SELECT coalesce(current_setting('{MARKER}', true), ''),
             coalesce((SELECT setting FROM pg_file_settings WHERE name = '{MARKER}' ORDER BY seqno DESC LIMIT 1), ''),
             (SELECT left(string_agg(coalesce(f.name || ' = ' || quote_literal(f.setting) || ': ', '') || f.error, '; '), 1000)
              FROM pg_file_settings AS f LEFT JOIN pg_settings AS s ON lower(s.name) = lower(f.name)
              WHERE f.error IS NOT NULL AND s.context IS DISTINCT FROM 'postmaster'),
             (SELECT string_agg(name || E'\\t' || setting, E'\\n') FROM pg_settings
              WHERE source = 'configuration file' AND vartype IN ('bool', 'integer', 'real'))"
    );
    let [loaded, written, errors, settings] = session.row(&query).await?;
    let is_expected = |marker: &Option<String>| marker.as_deref() == Some(expected.as_str());
    if !is_expected(&written) {
        return Ok(ConfigurationStatus::Outdated);
    }
    if let Some(errors) = errors {
        return Ok(ConfigurationStatus::Refused(format!("the server refuses its configuration: {errors}")));
    }
    if !is_expected(&loaded) {
        session.execute("SELECT pg_catalog.pg_reload_conf()").await?;
        return Ok(ConfigurationStatus::Outdated);
    }
    let settings = settings.unwrap_or_default();
    for (name, setting) in settings.lines().filter_map(|line| line.split_once('\t')) {
        if let (Some(value), Some(parameter)) = (parameters.values.get(name), catalog::find(version, name))
            && !parameter.is_setting(value, setting)
        {
            return Ok(ConfigurationStatus::Refused(format!("{name} is {setting} in the server although its configuration says {value}")));
        }
    }
    Ok(ConfigurationStatus::Current)
}

async fn within<T>(target: &Target, timeout: Duration, work: impl AsyncFnOnce(&mut Session) -> Result<T, SessionError>) -> Result<T, Reason> {
    let ask = async {
        let mut session = Session::log_in(target, &target.database, APPLICATION).await?;
        let answer = work(&mut session).await?;
        Ok((answer, session))
    };
    match tokio::time::timeout(timeout, ask).await {
        Err(_) => Err(symptom::no_answer(&target.endpoint, timeout)),
        Ok(Err(error)) => Err(symptom::classify(&target.endpoint, &error)),
        Ok(Ok((answer, session))) => {
            // It has answered already.
            let _ = tokio::time::timeout(CLOSE_TIMEOUT, session.close()).await;
            Ok(answer)
        }
    }
}
