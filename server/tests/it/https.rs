//! The server's own HTTPS, and proxies before the server.

use std::path::Path;

use openssl::{
    asn1::Asn1Time,
    bn::BigNum,
    ec::{EcGroup, EcKey},
    hash::MessageDigest,
    nid::Nid,
    pkey::PKey,
    x509::{X509, X509NameBuilder, extension::SubjectAlternativeName},
};
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{CERTIFICATE, CERTIFICATE_KEY, Home, Server, TIMEOUT, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_encrypted_and_plain_ones_are_told_so() {
    let home = Home::new();
    let server = home.start_with(&[("TOYGRES_TLS_CERT", CERTIFICATE), ("TOYGRES_TLS_KEY", CERTIFICATE_KEY), ("TOYGRES_ROLE", "api")]).await;
    server.query("{ controlPlane { version } }", json!({})).await;
    assert!(server.get("/").await.text().await.unwrap().contains("<html"));
    let plain = reqwest::get(format!("http://{}/livez", server.address)).await.unwrap();
    assert_eq!((plain.status(), plain.text().await.unwrap().as_str()), (StatusCode::BAD_REQUEST, "This server speaks HTTPS: use an https:// URL.\n"));
    // A page of this server is one over HTTPS.
    for (scheme, status) in [("https", StatusCode::OK), ("http", StatusCode::FORBIDDEN)] {
        let request = server.http.get(server.url("/livez")).header("Origin", format!("{scheme}://{}", server.address));
        assert_eq!(request.send().await.unwrap().status(), status, "{scheme}");
    }
    assert!(
        server.get("/metrics").await.text().await.unwrap().contains("toygres_tls_certificate_expiry_timestamp_seconds 4"),
        "the year is after 2096"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_used_without_a_restart() {
    let home = Home::new();
    let (certificate, key) = (home.path().join("tls.crt"), home.path().join("tls.key"));
    let first = issue(&certificate, &key);
    let env = [("TOYGRES_TLS_CERT", certificate.to_str().unwrap()), ("TOYGRES_TLS_KEY", key.to_str().unwrap()), ("TOYGRES_ROLE", "api")];
    let server = home.start_with(&env).await;
    let url = server.url("/graphql");
    // A stream that was opened with the first certificate.
    let stream = json!({ "query": "subscription { instances { type } }" });
    let mut open = trusting(&first).post(&url).header("Accept", "text/event-stream").json(&stream).send().await.unwrap();
    shows(&mut open, "SNAPSHOT_COMPLETE").await;

    // What cannot be used changes nothing.
    std::fs::write(&certificate, "half of a fi").unwrap();
    eventually("the unusable certificate is reported", async || server.log().contains("the former certificate of the server stays in use")).await;
    assert!(asks(&trusting(&first), &url).await);

    let second = issue(&certificate, &key);
    eventually("the new certificate is in use", async || asks(&trusting(&second), &url).await).await;
    assert!(!asks(&trusting(&first), &url).await, "the first one is gone");
    let created =
        trusting(&second).post(&url).json(&json!({ "query": "mutation { createInstance(input: { name: \"late\" }) { instance { id } } }" }));
    assert_eq!(created.send().await.unwrap().status(), StatusCode::OK);
    shows(&mut open, "UPSERTED").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_expose_tokens_or_cannot_be_used_is_refused_at_the_start() {
    let home = Home::new();
    let refusal = async |env: &[(&str, &str)]| {
        let output = home.command(&["serve"]).envs(env.iter().copied()).output().await.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.trim().lines().count() == 1, "{said}");
        said
    };
    let tokens = ("TOYGRES_ACCESS", "tokens");
    let said = refusal(&[tokens, ("TOYGRES_LISTEN", "0.0.0.0:8080")]).await;
    assert!(said.contains("0.0.0.0:8080, where tokens would arrive unencrypted: set TOYGRES_TLS_CERT and TOYGRES_TLS_KEY"), "{said}");
    let said = refusal(&[("TOYGRES_TLS_CERT", CERTIFICATE)]).await;
    assert!(said.contains("TOYGRES_TLS_KEY must be set too"), "{said}");
    let said = refusal(&[("TOYGRES_TLS_CERT", CERTIFICATE), ("TOYGRES_TLS_KEY", CERTIFICATE)]).await;
    assert!(said.contains("TOYGRES_TLS_KEY: ") && said.contains("is no PEM file of a private key"), "{said}");
    let (other, key) = (home.path().join("other.crt"), home.path().join("other.key"));
    issue(&other, &key);
    let said = refusal(&[("TOYGRES_TLS_CERT", CERTIFICATE), ("TOYGRES_TLS_KEY", key.to_str().unwrap())]).await;
    assert!(said.contains("is not the key of the certificate"), "{said}");
    let said = refusal(&[("TOYGRES_PROXY_ADDRESSES", "10.0.0.0/8")]).await;
    assert!(said.contains("TOYGRES_PROXY_ADDRESSES has no effect unless TOYGRES_BEHIND_PROXY is true"), "{said}");
    let said = refusal(&[("TOYGRES_BEHIND_PROXY", "true"), ("TOYGRES_PROXY_ADDRESSES", "the proxy")]).await;
    assert!(said.contains("TOYGRES_PROXY_ADDRESSES") && said.contains("must be a list of addresses or networks"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_known_proxy_names_the_address_of_the_client() {
    let home = Home::new();
    // The guesses of another client that are answered, after so many of one that it is slowed down.
    let guesses = async |server: &Server| {
        let guess = async |client: &str| {
            let request =
                server.http.post(server.url("/graphql")).bearer_auth(format!("tgt_{}", fastrand::u64(..))).header("X-Forwarded-For", client);
            request.json(&json!({ "query": "{ __typename }" })).send().await.unwrap().status()
        };
        let clients = std::iter::repeat_n("198.51.100.7", 300).chain(std::iter::repeat_n("203.0.113.9", 30));
        let answers = futures::future::join_all(clients.map(guess)).await;
        assert!(answers[..300].contains(&StatusCode::TOO_MANY_REQUESTS), "one client is slowed down");
        answers[300..].iter().filter(|status| **status == StatusCode::UNAUTHORIZED).count()
    };
    let common = [("TOYGRES_ACCESS", "tokens"), ("TOYGRES_ROLE", "api"), ("TOYGRES_BEHIND_PROXY", "true")];
    let server = home.start_with(&[&common[..], &[("TOYGRES_PROXY_ADDRESSES", "127.0.0.1,10.0.0.0/8")]].concat()).await;
    assert_eq!(guesses(&server).await, 30, "the other client is not slowed down");
    server.stop().await;
    let server = home.start_with(&common).await;
    assert!(guesses(&server).await < 30, "without a known proxy the header is the client's own claim");
    server.stop().await;
}

/// Waits until an event stream has sent a text.
async fn shows(stream: &mut reqwest::Response, wanted: &str) {
    let mut shown = String::new();
    let reading = async {
        while !shown.contains(wanted) {
            shown += &String::from_utf8_lossy(&stream.chunk().await.unwrap().expect("the stream is open"));
        }
    };
    assert!(tokio::time::timeout(TIMEOUT, reading).await.is_ok(), "{wanted} in {shown}");
}

async fn asks(client: &reqwest::Client, url: &str) -> bool {
    client.post(url).json(&json!({ "query": "{ __typename }" })).send().await.is_ok_and(|answer| answer.status() == StatusCode::OK)
}

fn trusting(certificate: &[u8]) -> reqwest::Client {
    let certificate = reqwest::Certificate::from_pem(certificate).unwrap();
    reqwest::Client::builder().tls_certs_only([certificate]).build().unwrap()
}

/// Writes a new certificate for 127.0.0.1 and its key. Returns the certificate.
fn issue(certificate: &Path, key: &Path) -> Vec<u8> {
    let secret = PKey::from_ec_key(EcKey::generate(&EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap()).unwrap()).unwrap();
    let mut name = X509NameBuilder::new().unwrap();
    // Names differ, so that a client does not take one for the issuer of the other.
    name.append_entry_by_text("CN", &format!("test-{}", fastrand::u64(..))).unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(&BigNum::from_u32(fastrand::u32(1..)).unwrap().to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(30).unwrap()).unwrap();
    builder.set_pubkey(&secret).unwrap();
    let alternative = SubjectAlternativeName::new().ip("127.0.0.1").build(&builder.x509v3_context(None, None)).unwrap();
    builder.append_extension(alternative).unwrap();
    builder.sign(&secret, MessageDigest::sha256()).unwrap();
    let pem = builder.build().to_pem().unwrap();
    std::fs::write(certificate, &pem).unwrap();
    // As `openssl ecparam -genkey` writes it.
    std::fs::write(key, secret.ec_key().unwrap().private_key_to_pem().unwrap()).unwrap();
    pem
}
