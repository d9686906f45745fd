//! The signals that stop the server: Ctrl-C, SIGTERM, SIGQUIT, and SIGHUP, which a terminal that is closed sends.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Receives the signals that ask the server to stop.
pub(super) struct Stop {
    interrupt: Signal,
    terminate: Signal,
    quit: Signal,
    /// `None` if the server was started to outlive its terminal, as by `nohup`.
    hangup: Option<Signal>,
    /// Whether a hang-up was received.
    hung_up: bool,
}

impl Stop {
    pub(super) fn listen() -> Result<Self, String> {
        let listen = |kind| signal(kind).map_err(|error| format!("signals cannot be handled: {error}"));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            quit: listen(SignalKind::quit())?,
            hangup: if ignores_hangups() { None } else { Some(listen(SignalKind::hangup())?) },
            hung_up: false,
        })
    }

    /// Waits for the next one.
    pub(super) async fn requested(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.quit.recv() => {}
            () = received(&mut self.hangup) => self.hung_up = true,
        }
    }

    /// Waits for a signal that asks a server that is stopping to exit at once. A hang-up does not: the terminal and the shell both
    /// send one, and service managers send one with SIGTERM.
    pub(super) async fn insisted(&mut self) {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return,
                _ = self.quit.recv() => return,
                _ = self.terminate.recv() => match std::mem::take(&mut self.hung_up) {
                    true => {}
                    false => return,
                },
                () = received(&mut self.hangup) => self.hung_up = true,
            }
        }
    }
}

async fn received(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Whether whoever started this process has it ignore SIGHUP. Only Linux tells without unsafe code.
fn ignores_hangups() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored_signals(&status).is_some_and(|ignored| ignored & 1 != 0)
}

/// The mask of ignored signals: signal 1 (SIGHUP) is bit 0.
fn ignored_signals(status: &str) -> Option<u64> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_a_mask() {
        assert_eq!(ignored_signals("Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t0\n"), Some(0x1001));
        assert_eq!(ignored_signals("Name:\tx\n"), None);
    }
}
