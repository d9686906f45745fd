//! Delays the creation of instances, which ends with `initdb --sync-only` where there is a template.

use std::{
    os::unix::fs::{PermissionsExt, symlink},
    path::PathBuf,
};

use crate::support::{Home, Server};

/// PostgreSQL's programs, with an `initdb` that waits while the gate is closed.
pub struct InitdbGate {
    bin: PathBuf,
    closed: PathBuf,
}

impl InitdbGate {
    pub fn new(home: &Home) -> Self {
        let real = toygres_process::Binaries::find(std::env::var("TOYGRES_PG_BIN").ok().as_deref()).unwrap().newest().bin;
        let (bin, closed) = (home.path().join("bin"), home.path().join("closed"));
        std::fs::create_dir(&bin).unwrap();
        for program in std::fs::read_dir(&real).unwrap().map(|entry| entry.unwrap().file_name()) {
            if program != "initdb" && program != "postgres" {
                symlink(real.join(&program), bin.join(&program)).unwrap();
            }
        }
        // The server would follow a link to `postgres`, and use the `initdb` beside its target.
        for (name, wait) in [("initdb", format!("while [ -e {} ]; do sleep 0.05; done\n", closed.display())), ("postgres", String::new())] {
            let script = format!("#!/bin/sh\n{wait}exec {} \"$@\"\n", real.join(name).display());
            std::fs::write(bin.join(name), script).unwrap();
            std::fs::set_permissions(bin.join(name), PermissionsExt::from_mode(0o755)).unwrap();
        }
        std::fs::set_permissions(&bin, PermissionsExt::from_mode(0o755)).unwrap();
        Self { bin, closed }
    }

    pub fn environment(&self) -> [(&str, &str); 1] {
        [("TOYGRES_PG_BIN", self.bin.to_str().unwrap())]
    }

    /// Starts a server, and closes the gate once it has its metadata database.
    pub async fn start_closed(&self, home: &Home) -> Server {
        let server = home.start_with(&self.environment()).await;
        self.close();
        server
    }

    pub fn close(&self) {
        std::fs::write(&self.closed, "").unwrap();
    }

    pub fn open(&self) {
        std::fs::remove_file(&self.closed).unwrap();
    }
}

/// A failed test must not leave an `initdb` behind that waits forever.
impl Drop for InitdbGate {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.closed);
    }
}
