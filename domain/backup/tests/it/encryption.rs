//! Encryption in the format of `age`, with the program of that name (Debian's package `age`).

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use bytes::Bytes;
use toygres_backup::{Encryption, Store, StoreConfig, StoreErrorKind, Target, parse_identities, parse_recipients};

use crate::archived::Archived;

/// A key that `age-keygen` makes.
struct Key {
    file: PathBuf,
    text: String,
    recipient: String,
}

impl Key {
    fn generate(directory: &Path, name: &str) -> Self {
        let file = directory.join(name);
        run("age-keygen", &["-o", file.to_str().unwrap()]);
        let text = std::fs::read_to_string(&file).unwrap();
        let recipient = run("age-keygen", &["-y", file.to_str().unwrap()]).trim().to_owned();
        Self { file, text, recipient }
    }

    fn encryption(&self) -> Encryption {
        Encryption { recipients: parse_recipients(&self.recipient).unwrap(), identities: parse_identities(&self.text).unwrap() }
    }
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}: scripts/test installs it"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn store(directory: &Path) -> Store {
    Store::open(&StoreConfig::Directory(directory.to_owned())).unwrap()
}

/// The objects of a store. The file by which its directory is recognized is none.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).filter(|path| !path.ends_with(".toygres-store"));
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_is_encrypted_is_restored_and_decrypted_by_hand() {
    let directory = tempfile::tempdir().unwrap();
    let (key, other) = (Key::generate(directory.path(), "key"), Key::generate(directory.path(), "other"));
    let (path, plain) = (directory.path().join("store"), store(&directory.path().join("store")));
    let mut encryption = key.encryption();
    encryption.recipients.extend(parse_recipients(&other.recipient).unwrap());
    let encrypted = plain.clone().encrypted(encryption);
    let mut archived = Archived::with_store("", tempfile::tempdir().unwrap(), encrypted.clone());
    archived.follow();
    archived.caught_up().await;
    archived.back_up().await;
    archived.insert(1);
    archived.cluster.execute("SELECT pg_switch_wal()");
    archived.insert(2);
    archived.caught_up().await;
    // What was being received is continued.
    archived.kill_follower().await;
    archived.given_back().await;
    archived.follow();
    archived.insert(3);
    archived.caught_up().await;
    archived.unfollow().await.unwrap();
    assert_eq!(archived.restored_ids(Target::Latest).await, [1, 2, 3]);
    for file in files(&path) {
        let (name, content) = (file.to_str().unwrap(), std::fs::read(&file).unwrap());
        let is_encrypted = content.starts_with(b"age-encryption.org/v1\n-> X25519 ");
        assert!(if name.ends_with(".json") { !is_encrypted } else { name.ends_with(".zst.age") && is_encrypted }, "{name}");
    }

    // Without the identity, and with another one.
    let stranger = Key::generate(directory.path(), "stranger");
    let listing = archived.listing().await;
    for (store, expected) in [
        (plain.clone(), " is encrypted; set TOYGRES_BACKUP_AGE_IDENTITY"),
        (plain.clone().encrypted(stranger.encryption()), " is encrypted for another identity; check TOYGRES_BACKUP_AGE_IDENTITY"),
    ] {
        let manifest = archived.layout.base_file(listing.backups[0].id, "backup_manifest.zst");
        let error = store.read(&manifest).await.unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Configuration);
        assert_eq!(error.to_string(), format!("directory {}: {manifest}.age{expected}", path.display()));
    }

    // Either of the recipients decrypts it by hand, as docs/BACKUPS.md has it, and the rest is as without encryption.
    let documentation = include_str!("../../../../docs/BACKUPS.md");
    let section = documentation.split("### An encrypted archive").nth(1).unwrap();
    let script = section.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let copy = directory.path().join("copy");
    run("cp", &["-r", path.to_str().unwrap(), copy.to_str().unwrap()]);
    let script = script.replace("/srv/copy", copy.to_str().unwrap()).replace("identity.txt", other.file.to_str().unwrap());
    run("sh", &["-euc", &script]);
    assert!(files(&copy).iter().all(|file| !file.to_str().unwrap().ends_with(".age")), "{:?}", files(&copy));
    archived.store = store(&copy);
    assert_eq!(archived.restored_ids(Target::Latest).await, [1, 2, 3]);

    // Turned off, what was encrypted is read, and deleted, all the same.
    archived.store = plain.encrypted(Encryption { recipients: Vec::new(), ..key.encryption() });
    archived.follow();
    archived.insert(4);
    archived.caught_up().await;
    archived.unfollow().await.unwrap();
    assert_eq!(archived.restored_ids(Target::Latest).await, [1, 2, 3, 4]);
    for object in archived.store.list(archived.layout.root()).await.unwrap() {
        archived.store.delete(&object.path).await.unwrap();
    }
    assert_eq!(files(&path), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn what_the_program_encrypts_is_read_and_a_changed_object_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let key = Key::generate(directory.path(), "key");
    let content: Vec<u8> = (0..300_000_u32).map(|number| (number % 251) as u8).collect();
    std::fs::write(directory.path().join("plain"), &content).unwrap();
    let (path, file) = (directory.path().join("store"), directory.path().join("store/a.zst.age"));
    let store = store(&path).encrypted(key.encryption());
    run("age", &["-r", &key.recipient, "-o", file.to_str().unwrap(), directory.path().join("plain").to_str().unwrap()]);
    assert_eq!(store.read("a.zst").await.unwrap(), content);
    // An object that exists is compared by its content: no two encrypted ones are alike.
    store.create("a.zst", content.clone().into()).await.unwrap();
    let conflict = store.create("a.zst", Bytes::from_static(b"another")).await.unwrap_err();
    assert_eq!(conflict.kind, StoreErrorKind::Conflict, "{conflict}");

    let mut changed = std::fs::read(&file).unwrap();
    *changed.last_mut().unwrap() ^= 1;
    std::fs::write(&file, changed).unwrap();
    let damaged = store.read("a.zst").await.unwrap_err();
    assert_eq!(damaged.kind, StoreErrorKind::Damaged, "{damaged}");
    assert!(damaged.to_string().ends_with("a.zst.age is damaged: it was changed, or its end is missing"), "{damaged}");
}
