//! The log: to stderr, so that stdout holds only what a caller waits for.

use std::io::{IsTerminal, stderr};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::filter_fn,
    fmt,
    layer::{Context, SubscriberExt},
    util::SubscriberInitExt,
};

use crate::config::{LogConfig, LogFormat};

/// Has to come before the engine starts, which would otherwise install a log of its own.
pub(super) fn start(config: &LogConfig) -> Result<(), String> {
    let LogConfig { log, log_format } = config;
    let filter = EnvFilter::try_new(log)
        .map_err(|error| format!("TOYGRES_LOG '{log}' is no log filter; write for example info or toygres_server=debug: {error}"))?;
    let named = names_dependencies(log);
    let registry = tracing_subscriber::registry().with(filter).with(filter_fn(move |event| permits(event, named))).with(Normal { named });
    // What cannot be written to stderr cannot be reported there either.
    match log_format {
        LogFormat::Text => registry.with(fmt::layer().with_writer(stderr).with_ansi(stderr().is_terminal()).log_internal_errors(false)).try_init(),
        LogFormat::Json => registry.with(fmt::layer().json().with_writer(stderr).log_internal_errors(false)).try_init(),
    }
    .map_err(|error| error.to_string())
}

/// Whether a filter names dependencies, and so sets their levels.
fn names_dependencies(filter: &str) -> bool {
    ["duroxide", "sqlx", "kube"].iter().any(|dependency| filter.contains(dependency))
}

/// Whether an event may be written, if the filter asks for it.
fn permits(event: &Metadata<'_>, named: bool) -> bool {
    let finest = match event.target() {
        // At its finest level it writes whole frames, and frames hold connection strings. No filter may ask for that.
        target if target.starts_with("tungstenite") => Level::DEBUG,
        _ if named => return true,
        // The workflow engine warns of what is normal here, such as a timer that fires after the workflow it raced has ended; what
        // matters of it is logged by the monitor of the operation.
        target if target.starts_with("duroxide") => Level::ERROR,
        target if target.starts_with("sqlx") => Level::WARN,
        // The client of the cluster logs each call that fails as an error, without saying which. The caller reports it, and the health of
        // the runtime what all of them have in common.
        target if target.starts_with("kube_client") => return false,
        _ => return true,
    };
    *event.level() <= finest
}

/// Leaves out an error of the workflow engine that is none, unless the filter names dependencies.
///
/// When a workflow ends while one of its activities runs, as that of a cancelled operation does, the engine removes the activity from its queue.
/// An activity that ends before its worker has noticed, within a second or two, finds its entry gone. Its result is of no use to anybody, and
/// what it has done is in the steps of its operation.
struct Normal {
    named: bool,
}

impl<S: Subscriber> Layer<S> for Normal {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        if self.named || event.metadata().target() != "duroxide::providers::postgres" {
            return true;
        }
        let mut found = IsGone(false);
        event.record(&mut found);
        !found.0
    }
}

/// Whether an event says that the entry of an activity is gone.
struct IsGone(bool);

impl Visit for IsGone {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0 |= field.name() == "error_type" && value == "worker_item_not_found";
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// The targets and levels that are written of events of all of them.
    fn written(filter: &str) -> Vec<String> {
        struct Recorder(Arc<Mutex<Vec<String>>>);
        impl<S: Subscriber> Layer<S> for Recorder {
            fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
                self.0.lock().unwrap().push(format!("{} {}", event.metadata().target(), event.metadata().level()));
            }
        }
        let seen = Arc::new(Mutex::new(Vec::new()));
        let named = names_dependencies(filter);
        let registry =
            tracing_subscriber::registry().with(EnvFilter::new(filter)).with(filter_fn(move |event| permits(event, named))).with(Normal { named });
        tracing::subscriber::with_default(registry.with(Recorder(seen.clone())), || {
            macro_rules! events {
                ($($target:literal),*) => {$(
                    tracing::error!(target: $target, "x");
                    tracing::warn!(target: $target, "x");
                    tracing::info!(target: $target, "x");
                    tracing::debug!(target: $target, "x");
                    tracing::trace!(target: $target, "x");
                )*};
            }
            events!("toygres_server", "tungstenite::protocol", "duroxide::runtime", "sqlx::query", "kube_client::client::builder");
            tracing::error!(target: "duroxide::providers::postgres", error_type = "worker_item_not_found", "x");
            tracing::error!(target: "duroxide::providers::postgres", operation = "worker_item_not_found", error_type = "database", "y");
        });
        seen.lock().unwrap().clone()
    }

    #[test]
    fn no_level_is_finer_than_what_is_asked_for() {
        assert_eq!(written("off"), Vec::<String>::new());
        let errors: Vec<_> = ["toygres_server", "tungstenite::protocol", "duroxide::runtime", "sqlx::query", "duroxide::providers::postgres"]
            .map(|target| format!("{target} ERROR"))
            .into();
        assert_eq!(written("error"), errors);
        let errors_of_the_provider = |filter| written(filter).iter().filter(|event| event.starts_with("duroxide::providers")).count();
        assert_eq!((errors_of_the_provider("error"), errors_of_the_provider("error,duroxide=error")), (1, 2));
    }

    #[test]
    fn frames_are_never_written_and_dependencies_are_quiet_unless_they_are_named() {
        let all = written("trace");
        assert!(all.contains(&"toygres_server TRACE".to_owned()) && all.contains(&"tungstenite::protocol DEBUG".to_owned()), "{all:?}");
        for absent in ["tungstenite::protocol TRACE", "duroxide::runtime WARN", "sqlx::query INFO", "kube_client::client::builder ERROR"] {
            assert!(!all.contains(&absent.to_owned()), "{absent} in {all:?}");
        }
        let named = written("trace,duroxide=trace,sqlx=trace,tungstenite=trace");
        assert!(named.contains(&"duroxide::runtime TRACE".to_owned()) && !named.contains(&"tungstenite::protocol TRACE".to_owned()), "{named:?}");
        assert!(written("info,kube_client=error").contains(&"kube_client::client::builder ERROR".to_owned()));
    }
}
