//! The store on S3.

use bytes::Bytes;
use toygres_backup::{S3Credentials, Store, StoreConfig, StoreErrorKind};
use toygres_domain::secret::Secret;

use crate::fake_s3::{ACCESS_KEY, FakeS3};

fn store(endpoint: &str, access_key: &str) -> Store {
    let credentials = S3Credentials { access_key_id: access_key.to_owned(), secret_access_key: Secret::new("do not show".to_owned()) };
    let config = StoreConfig::S3 {
        bucket: "bucket".to_owned(),
        region: "eu-central-1".to_owned(),
        endpoint: Some(endpoint.to_owned()),
        credentials: Some(credentials),
    };
    Store::open(&config).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_created_once_in_s3() {
    let (fake, endpoint) = FakeS3::start().await;
    let store = store(&endpoint, ACCESS_KEY);
    store.create("a/b.zst", Bytes::from_static(b"one")).await.unwrap();
    store.create("a/b.zst", Bytes::from_static(b"one")).await.unwrap();
    let conflict = store.create("a/b.zst", Bytes::from_static(b"two")).await.unwrap_err();
    assert_eq!(conflict.kind, StoreErrorKind::Conflict, "{conflict}");
    // A short interruption is not noticed.
    fake.fail(2);
    store.create("a/c.zst", Bytes::from_static(b"three")).await.unwrap();
    assert_eq!(store.read("a/c.zst").await.unwrap(), Bytes::from_static(b"three"));
    let listed: Vec<_> = store.list("a").await.unwrap().into_iter().map(|object| (object.path, object.bytes)).collect();
    assert_eq!(listed, [("a/b.zst".to_owned(), 3), ("a/c.zst".to_owned(), 5)]);
    store.delete("a/b.zst").await.unwrap();
    assert_eq!(store.read("a/b.zst").await.unwrap_err().kind, StoreErrorKind::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_one_clear_sentence_without_the_secret() {
    let (_fake, endpoint) = FakeS3::start().await;
    let denied = store(&endpoint, "wrong").create("a", Bytes::from_static(b"x")).await.unwrap_err();
    assert_eq!(denied.kind, StoreErrorKind::Denied, "{denied}");
    let text = denied.to_string();
    assert!(text.starts_with(&format!("S3 bucket bucket at {endpoint}: ")) && text.contains("SignatureDoesNotMatch"), "{text}");
    assert!(!text.contains("do not show") && !text.contains('\n') && text.len() < 700, "{text}");
}
