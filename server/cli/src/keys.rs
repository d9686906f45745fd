//! Keys that are pressed while a display is redrawn.

use std::io::{self, IsTerminal as _};

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use tokio::io::AsyncReadExt as _;

/// The keys of a terminal, each as soon as it is pressed and without an echo. Ctrl-C still is a signal.
pub(crate) struct Keys {
    /// The settings of the terminal before; `None` if there is none to read from.
    before: Option<Termios>,
}

impl Keys {
    pub(crate) fn listen() -> Self {
        let before = io::stdin().is_terminal().then(|| tcgetattr(io::stdin()).ok()).flatten();
        if let Some(before) = &before {
            let mut each = before.clone();
            each.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO);
            // Without it keys need Enter, which is no reason to fail.
            let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &each);
        }
        Self { before }
    }

    /// Completes when this key is pressed; never if there is no terminal, or it is closed.
    pub(crate) async fn pressed(&mut self, key: u8) {
        let mut stdin = tokio::io::stdin();
        while self.before.is_some() {
            match stdin.read_u8().await {
                Ok(pressed) if pressed == key => return,
                Ok(_) => {}
                Err(_) => break,
            }
        }
        std::future::pending().await
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, before);
        }
    }
}
