//! The configuration file of contexts, which people keep as a link to a file elsewhere, and scripts change concurrently.

use std::os::unix::fs::symlink;

use super::commands::finish;
use crate::support::Home;

#[tokio::test(flavor = "multi_thread")]
async fn commands_at_once_lose_no_entry_and_a_link_stays_one() {
    let home = Home::new();
    let (file, link) = (home.path().join("dotfiles.yaml"), home.path().join("config/toygres/config.yaml"));
    std::fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink("../../dotfiles.yaml", &link).unwrap();
    let set = |number: usize| {
        let name = format!("server-{number}");
        finish(home.command(&["context", "set", &name, "--url", "http://127.0.0.1:8080"]))
    };
    let outputs = futures::future::join_all((0..20).map(set)).await;
    assert!(outputs.iter().all(|output| output.code == 0), "{outputs:#?}");

    let list = finish(home.command(&["context", "list"])).await;
    assert_eq!(list.out.lines().count(), 21, "{list:#?}");
    assert!(link.is_symlink() && std::fs::read_to_string(&file).unwrap().contains("server-19"));
    let left: Vec<_> = std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!left.iter().any(|name| name.contains("new-")), "{left:?}");
}
