//! `toygres secrets rotate`: seals every password anew, with another key.

use toygres_domain::{Error, secret::SecretKeys};
use toygres_store::{Resealed, Store};

use toygres_process::{Account, Binaries, DataDir, Embedded};

use crate::{config::RotateConfig, console};

/// The file of the keys in the data directory.
pub(crate) const KEY_FILE: &str = "secret.key";

/// Where `TOYGRES_SECRET_KEY` names the keys, everything is sealed with the first of them; servers that know all of them work on
/// meanwhile. Where the key is kept in the data directory, a new one is made there first, and the servers must be stopped.
///
/// # Errors
/// One sentence for people.
pub async fn rotate(config: RotateConfig) -> Result<(), String> {
    match &config.secret_key {
        Some(keys) => {
            let url =
                config.database_url.as_ref().ok_or("DATABASE_URL must be set together with TOYGRES_SECRET_KEY: it names the metadata database")?;
            let done = reseal(url, keys).await?;
            console::print_line(&report(done))?;
            console::print_line(match keys.others() {
                0 => "TOYGRES_SECRET_KEY holds one key; to replace it, put the new one in front: TOYGRES_SECRET_KEY=NEW,OLD",
                _ => "every server may now forget the other keys: TOYGRES_SECRET_KEY=NEW",
            })
        }
        None => rotate_in_data_dir(&config).await,
    }
}

async fn rotate_in_data_dir(config: &RotateConfig) -> Result<(), String> {
    let path = config.data_dir.clone().unwrap_or_else(DataDir::default_path);
    let file = path.join(KEY_FILE);
    if !file.exists() {
        return Err(format!(
            "there is no key in {}: name the data directory of the server with TOYGRES_DATA_DIR, or its keys with TOYGRES_SECRET_KEY",
            path.display()
        ));
    }
    let account = Account::resolve(&config.pg_user).map_err(|error| error.to_string())?;
    let data = DataDir::open(&path, &account).map_err(|error| error.to_string())?;
    // A server that runs knows only the keys that it started with.
    let host = data.try_host().map_err(|error| error.to_string())?.ok_or_else(|| {
        let pid = data.host_pid().map(|pid| format!(" (process {pid})")).unwrap_or_default();
        format!("a server{pid} works with {}: stop it and every other server of this data directory first", path.display())
    })?;
    let keys = SecretKeys::load_or_create(&file).map_err(sentence)?.with_new_first();
    let embedded = match &config.database_url {
        Some(_) => None,
        None => {
            let binaries = Binaries::find_with_packages(config.pg_bin.as_deref(), data.path()).map_err(|error| error.to_string())?;
            Some(Embedded::start(&data, &binaries, &account, &host).await.map_err(|error| error.to_string())?)
        }
    };
    let url = config.database_url.as_deref().or(embedded.as_ref().map(Embedded::url)).unwrap_or_default();
    // The new key is on disk before anything is sealed with it; a crash on the way leaves a file that opens everything.
    let outcome = match keys.save(&file).map_err(sentence) {
        Ok(()) => reseal(url, &keys).await,
        Err(error) => Err(error),
    };
    if let Some(embedded) = embedded {
        embedded.stop().await.map_err(|error| error.to_string())?;
    }
    let done = outcome?;
    keys.without_oldest().save(&file).map_err(sentence)?;
    console::print_line(&format!(
        "{}; the key is in {}, and the one before it stays there as the second until the next rotation",
        report(done),
        file.display()
    ))
}

async fn reseal(url: &str, keys: &SecretKeys) -> Result<Resealed, String> {
    let store = Store::open(url, 1, keys.clone()).map_err(|error| error.to_string())?;
    let done = store.reseal().await;
    store.close().await;
    done.map_err(|error| format!("{}; what is sealed with the new key already stays so, and the command can be repeated", sentence(error)))
}

fn report(done: Resealed) -> String {
    format!("{} secrets sealed with the first key now, {} were before", done.resealed, done.current)
}

pub(crate) fn sentence(error: Error) -> String {
    match error {
        Error::Unavailable(cause) | Error::Internal(cause) => cause.to_string(),
        other => other.to_string(),
    }
}
