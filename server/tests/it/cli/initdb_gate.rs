//! Delays the creation of instances.

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
        // With a template there would be no `initdb`.
        let _ = std::fs::remove_dir_all(home.path().join("data/templates"));
        for program in std::fs::read_dir(&real).unwrap().map(|entry| entry.unwrap().file_name()).filter(|name| name != "initdb") {
            symlink(real.join(&program), bin.join(&program)).unwrap();
        }
        let script = format!("#!/bin/sh\nwhile [ -e {} ]; do sleep 0.05; done\nexec {} \"$@\"\n", closed.display(), real.join("initdb").display());
        std::fs::write(bin.join("initdb"), script).unwrap();
        for path in [&bin, &bin.join("initdb")] {
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
        }
        Self { bin, closed }
    }

    pub fn environment(&self) -> [(&str, &str); 1] {
        [("TOYGRES_PG_BIN", self.bin.to_str().unwrap())]
    }

    pub async fn start(&self, home: &Home) -> Server {
        home.start_with(&self.environment()).await
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
