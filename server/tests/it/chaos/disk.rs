//! The disk of the data directory is full and has space again, while tenants create and delete instances.

use std::{path::Path, process::Command};

use super::storm::{Storm, Trouble};
use crate::support::Home;

/// Enough for the instances of all tenants.
const SIZE: &str = "size=3g,mode=711";

/// A small file system in memory, at a directory.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(at: &'a Path) -> Self {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", SIZE, "toygres-chaos"]).arg(at).status().unwrap();
        assert!(mounted.success(), "root mounts a small disk");
        Self(at)
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        // What still runs there keeps it until it ends.
        let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "mounts a small disk, for which it has to be root; scripts/chaos runs it"]
async fn the_disk_of_a_server_with_its_own_database_is_full_now_and_then() {
    let home = Home::new();
    let _disk = SmallDisk::mount(home.path());
    Storm::new("full disk", &home, None, 1).weather(Trouble::FullDisk(4)).await;
}
